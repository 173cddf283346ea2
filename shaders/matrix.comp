#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : enable
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : enable

// The contribution matrix: steps 3 and 4 of the arithmetic contract for one pair of slabs.
//
// Every invocation owns a tile of 4 rows of slab A and 4 rows of slab B (tile.glsl). The dot
// product is symmetric, so tiles below the diagonal are skipped and each tile writes c(a, b) to A's
// rows and c(b, a) to B's.

layout(local_size_x_id = 0, local_size_y_id = 1) in;

layout(set = 0, binding = 2) readonly buffer Weights { ivec4 weights[]; };
// Contributions, two i16 values in a word; row of the picked item, column of the candidate.
layout(set = 0, binding = 3) writeonly buffer OutA { uvec2 out_a[]; };
layout(set = 0, binding = 4) writeonly buffer OutB { uvec2 out_b[]; };

layout(push_constant) uniform Push {
    uint row_length;    // chunks of 8 dimensions of a prepared row
    uint out_stride;    // of a matrix row, in uvec2 (4 items)
    uint tiles_a;       // tiles of 4 rows in slab A
    uint tiles_b;       // and in slab B
    uint first_tile_a;  // number of slab A's first tile in the corpus
    uint first_tile_b;  // and of slab B's
    uint done_tiles_a;  // tiles of A that earlier dispatches have done
    uint extra_shift;   // e of the contract
};

#include "tile.glsl"
#include "weighted.glsl"

void main() {
    uint tile_a = gl_GlobalInvocationID.y + done_tiles_a;
    uint tile_b = gl_GlobalInvocationID.x;
    uint item_a = first_tile_a + tile_a;
    uint item_b = first_tile_b + tile_b;
    if (tile_a >= tiles_a || tile_b >= tiles_b || item_b < item_a) {
        return;
    }

    ivec4 dots[4];
    multiply_tile(tile_a, tile_b, dots);
    ivec4 weight_a = weights[item_a];
    ivec4 weight_b = weights[item_b];
    ivec4 g[4];
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        g[i] = rounded(dots[i]);
        out_a[(tile_a * 4 + i) * out_stride + item_b] =
            weighted(g[i], ivec4(weight_a[i]), extra_shift);
    }
    if (item_a != item_b) {
        [[unroll]] for (uint j = 0; j < 4; ++j) {
            ivec4 column = ivec4(g[0][j], g[1][j], g[2][j], g[3][j]);
            out_b[(tile_b * 4 + j) * out_stride + item_a] =
                weighted(column, ivec4(weight_b[j]), extra_shift);
        }
    }
}
