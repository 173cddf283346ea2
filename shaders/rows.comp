#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : enable
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : enable

// Some rows of the contribution matrix: steps 3 and 4 of the arithmetic contract for picked items
// with one slab of candidates, where the whole matrix does not fit the device.
//
// Every invocation owns a tile of 4 picked items of slab A and 4 candidates of slab B (tile.glsl).

layout(local_size_x_id = 0, local_size_y_id = 1) in;

// For every picked item its slot in the cache's slab that is bound, or NO_SLOT, and its weight.
layout(set = 0, binding = 2) readonly buffer Picked { uvec2 picked[]; };
// Contributions, two i16 values in a word; a row for every slot.
layout(set = 0, binding = 3) writeonly buffer Cache { uvec2 cache[]; };

layout(push_constant) uniform Push {
    uint row_length;    // chunks of 8 dimensions of a prepared row
    uint out_stride;    // of a row in the cache, in uvec2 (4 items)
    uint tiles_a;       // tiles of 4 picked items
    uint tiles_b;       // tiles of 4 candidates in slab B
    uint first_tile_b;  // number of slab B's first tile in the corpus
    uint done_tiles_a;  // tiles of picked items that earlier dispatches have done
    uint extra_shift;   // e of the contract
};

const uint NO_SLOT = 0xffffffffu;

#include "tile.glsl"
#include "weighted.glsl"

void main() {
    uint tile_a = gl_GlobalInvocationID.y + done_tiles_a;
    uint tile_b = gl_GlobalInvocationID.x;
    if (tile_a >= tiles_a || tile_b >= tiles_b) {
        return;
    }
    ivec4 dots[4];
    multiply_tile(tile_a, tile_b, dots);
    [[unroll]] for (uint i = 0; i < 4; ++i) {
        uvec2 slot_and_weight = picked[tile_a * 4 + i];
        uint slot = slot_and_weight.x;
        if (slot != NO_SLOT) {
            uint at = slot * out_stride + first_tile_b + tile_b;
            cache[at] = weighted(rounded(dots[i]), ivec4(slot_and_weight.y), extra_shift);
        }
    }
}
