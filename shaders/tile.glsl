// The product of one tile of 4 rows with another: its 16 dot products, in registers.
//
// 8 loads of 16 bytes feed 128 multiply-adds. Loop rounds: one per 8 dimensions, at most 8,192.
// With TEXELS the prepared rows are texel buffers, see matrix_slabs.glsl. Uses the push constant
// `row_length`: chunks of 8 dimensions to multiply.
//
// MULTIPLY says how, and how the host wrote a chunk of 8 values into a uvec4 (multiply.rs). All
// give the same 32 bits: sums may wrap around on the way, the dot product itself does not.
//   WIDE    two values in a word; 32-bit products
//   BIASED  the same, plus 32,768: factors that a compiler sees to be below 2^16, so that it may
//           multiply in 24 bits at full rate where 32 bits take four times as long. A chunk more in
//           each row holds what has to be subtracted for it.
//   DOT16   two values in a word; products of two pairs in one instruction
//   DOT8    the upper bytes of 8 values in two words, then the lower ones: a * b =
//           (ah bh << 16) + (ah bl + al bh << 8) + al bl, four products in one instruction

#define WIDE 0
#define BIASED 1
#define DOT16 2
#define DOT8 3

// Zero padded to 8 values and to 4 rows.
#if TEXELS
layout(set = 0, binding = 0) uniform usamplerBuffer rows_a;
layout(set = 0, binding = 1) uniform usamplerBuffer rows_b;
#define LOAD(rows, at) texelFetch(rows, int(at))
#else
layout(set = 0, binding = 0) readonly buffer RowsA { uvec4 rows_a[]; };
layout(set = 0, binding = 1) readonly buffer RowsB { uvec4 rows_b[]; };
#define LOAD(rows, at) rows[at]
#endif

#if MULTIPLY == DOT16
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"],
                  capabilities = [6016, 6019], id = 4450)
int signed_dot(i16vec2 a, i16vec2 b);

int add_product(int dot, uvec4 a, uvec4 b) {
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        dot += signed_dot(unpack16(int(a[i])), unpack16(int(b[i])));
    }
    return dot;
}
#elif MULTIPLY == DOT8
// The last argument: four 8-bit values in a word.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"],
                  capabilities = [6018, 6019], id = 4450)
int signed_dot(uint a, uint b, spirv_literal uint format);
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"],
                  capabilities = [6018, 6019], id = 4451)
uint unsigned_dot(uint a, uint b, spirv_literal uint format);
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"],
                  capabilities = [6018, 6019], id = 4452)
int mixed_dot(uint a, uint b, spirv_literal uint format);

// Of the upper bytes, of one's upper with the other's lower, of the lower.
struct Parts {
    int upper;
    int mixed;
    uint lower;
};

void add_product(inout Parts parts, uvec4 a, uvec4 b) {
    parts.upper += signed_dot(a.x, b.x, 0);
    parts.upper += signed_dot(a.y, b.y, 0);
    parts.mixed += mixed_dot(a.x, b.z, 0);
    parts.mixed += mixed_dot(a.y, b.w, 0);
    parts.mixed += mixed_dot(b.x, a.z, 0);
    parts.mixed += mixed_dot(b.y, a.w, 0);
    parts.lower += unsigned_dot(a.z, b.z, 0);
    parts.lower += unsigned_dot(a.w, b.w, 0);
}
#else
#if MULTIPLY == BIASED
#define VALUES uvec4
VALUES low(uvec4 words) { return words & 0xffffu; }
VALUES high(uvec4 words) { return words >> 16; }
// One after the other, so that each is a multiply-add.
int add_products(int dot, VALUES low_a, VALUES high_a, VALUES low_b, VALUES high_b) {
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        dot += int(low_a[i] * low_b[i]);
        dot += int(high_a[i] * high_b[i]);
    }
    return dot;
}
#else
#define VALUES ivec4
VALUES low(uvec4 words) { return ivec4(words << 16) >> 16; }
VALUES high(uvec4 words) { return ivec4(words) >> 16; }
int add_products(int dot, VALUES low_a, VALUES high_a, VALUES low_b, VALUES high_b) {
    VALUES v = low_a * low_b + high_a * high_b;
    return dot + (v.x + v.y + v.z + v.w);
}
#endif
#endif

// dots[i][j]: row i of tile_a of slab A with row j of tile_b of slab B.
void multiply_tile(uint tile_a, uint tile_b, out ivec4 dots[4]) {
    uint stride = row_length + (MULTIPLY == BIASED ? 1 : 0);
    uint begin_a = tile_a * 4 * stride;
    uint begin_b = tile_b * 4 * stride;
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        dots[i] = ivec4(0);
    }
#if MULTIPLY == DOT8
    Parts parts[16];
    [[unroll]] for (uint i = 0; i < 16; ++i) {
        parts[i] = Parts(0, 0, 0);
    }
#endif
    for (uint d = 0; d < row_length; ++d) {
#if MULTIPLY == DOT16 || MULTIPLY == DOT8
        uvec4 b[4];
        [[unroll]] for (uint j = 0; j < 4; ++j) {
            b[j] = LOAD(rows_b, begin_b + j * stride + d);
        }
        [[unroll]] for (uint i = 0; i < 4; ++i) {
            uvec4 a = LOAD(rows_a, begin_a + i * stride + d);
            [[unroll]] for (uint j = 0; j < 4; ++j) {
#if MULTIPLY == DOT16
                dots[i][j] = add_product(dots[i][j], a, b[j]);
#else
                add_product(parts[i * 4 + j], a, b[j]);
#endif
            }
        }
#else
        VALUES low_b[4];
        VALUES high_b[4];
        [[unroll]] for (uint j = 0; j < 4; ++j) {
            uvec4 words = LOAD(rows_b, begin_b + j * stride + d);
            low_b[j] = low(words);
            high_b[j] = high(words);
        }
        [[unroll]] for (uint i = 0; i < 4; ++i) {
            uvec4 words = LOAD(rows_a, begin_a + i * stride + d);
            VALUES low_a = low(words);
            VALUES high_a = high(words);
            [[unroll]] for (uint j = 0; j < 4; ++j) {
                dots[i][j] = add_products(dots[i][j], low_a, high_a, low_b[j], high_b[j]);
            }
        }
#endif
    }
#if MULTIPLY == DOT8
    [[unroll]] for (uint i = 0; i < 16; ++i) {
        dots[i / 4][i % 4] = (parts[i].upper << 16) + (parts[i].mixed << 8) + int(parts[i].lower);
    }
#elif MULTIPLY == BIASED
    // Of the products' bias, 2^15 (sum of a + sum of b) + 8 * row_length * 2^30, each row has its
    // share.
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        int share_a = int(LOAD(rows_a, begin_a + i * stride + row_length).x);
        int share_b = int(LOAD(rows_b, begin_b + i * stride + row_length).x);
        [[unroll]] for (uint j = 0; j < 4; ++j) {
            dots[i][j] -= share_a;
            dots[j][i] -= share_b;
        }
    }
#endif
}
