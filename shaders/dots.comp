#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : enable
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : enable

// Rows of dot products: a block of query rows with one slab of items.
//
// Every invocation owns a tile of 4 queries of slab A and 4 items of slab B (tile.glsl).

layout(local_size_x_id = 0, local_size_y_id = 1) in;

// A row for every query of the block; tile after tile of 4 items.
layout(set = 0, binding = 2) writeonly buffer Dots { ivec4 block[]; };

layout(push_constant) uniform Push {
    uint row_length;    // chunks of 8 dimensions of a prepared row
    uint out_stride;    // of a row of dot products, in ivec4 (4 items)
    uint tiles_a;       // tiles of 4 queries in the block
    uint tiles_b;       // tiles of 4 items in slab B
    uint first_tile_a;  // the block's first tile in slab A
    uint first_tile_b;  // number of slab B's first tile in the corpus
    uint done_tiles_a;  // tiles of the block that earlier dispatches have done
};

#include "tile.glsl"

void main() {
    uint tile_a = gl_GlobalInvocationID.y + done_tiles_a;
    uint tile_b = gl_GlobalInvocationID.x;
    if (tile_a >= tiles_a || tile_b >= tiles_b) {
        return;
    }
    ivec4 dots[4];
    multiply_tile(first_tile_a + tile_a, tile_b, dots);
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        block[(tile_a * 4 + i) * out_stride + first_tile_b + tile_b] = dots[i];
    }
}
