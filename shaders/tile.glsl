// The product of one tile of 4 rows with another: its 16 dot products, in registers.
//
// 8 loads of 16 bytes feed 128 multiply-adds. Loop rounds: one per 8 dimensions, at most 8,192. With TEXELS the
// prepared rows are texel buffers, see matrix_slabs.glsl. Uses the push constant `row_length`, of a prepared row in uvec4.

// Prepared rows, two i16 values in a word, zero padded to 8 values and to 4 rows.
#if TEXELS
layout(set = 0, binding = 0) uniform usamplerBuffer rows_a;
layout(set = 0, binding = 1) uniform usamplerBuffer rows_b;
#define LOAD(rows, at) texelFetch(rows, int(at))
#else
layout(set = 0, binding = 0) readonly buffer RowsA { uvec4 rows_a[]; };
layout(set = 0, binding = 1) readonly buffer RowsB { uvec4 rows_b[]; };
#define LOAD(rows, at) rows[at]
#endif

ivec4 low(uvec4 words) { return ivec4(words << 16) >> 16; }
ivec4 high(uvec4 words) { return ivec4(words) >> 16; }

int sum(ivec4 v) { return v.x + v.y + v.z + v.w; }

// dots[i][j]: row i of tile_a of slab A with row j of tile_b of slab B.
void multiply_tile(uint tile_a, uint tile_b, out ivec4 dots[4]) {
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        dots[i] = ivec4(0);
    }
    uint begin_a = tile_a * 4 * row_length;
    uint begin_b = tile_b * 4 * row_length;
    for (uint d = 0; d < row_length; ++d) {
        ivec4 low_b[4];
        ivec4 high_b[4];
        [[unroll]] for (uint j = 0; j < 4; ++j) {
            uvec4 words = LOAD(rows_b, begin_b + j * row_length + d);
            low_b[j] = low(words);
            high_b[j] = high(words);
        }
        [[unroll]] for (uint i = 0; i < 4; ++i) {
            uvec4 words = LOAD(rows_a, begin_a + i * row_length + d);
            ivec4 low_a = low(words);
            ivec4 high_a = high(words);
            [[unroll]] for (uint j = 0; j < 4; ++j) {
                dots[i][j] += sum(low_a * low_b[j] + high_a * high_b[j]);
            }
        }
    }
}
