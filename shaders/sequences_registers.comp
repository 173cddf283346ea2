#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#if SUBGROUPS
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

// Sequences with the scores in registers, for GPUs: only matrix rows move.
//
// One workgroup a sequence; an invocation keeps the scores of CHUNKS chunks of 8 items (lane, lane
// + lanes, ...) in registers for the whole dispatch. Loops over CHUNKS are unrolled, so every
// register index is a constant. All loads of a row, 16 bytes each and side by side in a subgroup,
// are in flight before the first is used. What only one invocation has to do (mark the taken item,
// find the place of the lowest cost) is behind branches that the other subgroups skip. Loop rounds
// a pick: one.

#include "sequence.glsl"
#include "matrix_slabs.glsl"
#include "winner.glsl"

layout(constant_id = 3) const uint CHUNKS = 1;

ivec4 score[CHUNKS * 2];

// Item numbers are compared relative to the invocation's first item: that leaves constants, where
// the numbers themselves would fill a register for every score.
uint own_begin() { return gl_LocalInvocationID.x * 8; }
uint relative(uint half_chunk) {
    return half_chunk / 2 * gl_WorkGroupSize.x * 8 + half_chunk % 2 * 4;
}

// Which chunk it is, and which of its items, is the same for the whole workgroup: only the
// invocation has to be told apart.
void take(uint pick) {
    [[unroll]] for (uint i = 0; i < CHUNKS; ++i) {
        if (pick / 8 / gl_WorkGroupSize.x == i &&
            pick / 8 % gl_WorkGroupSize.x == gl_LocalInvocationID.x) {
            ivec4 first = score[i * 2];
            ivec4 second = score[i * 2 + 1];
            score[i * 2] = mix(first, taken(first), equal(uvec4(pick % 8), uvec4(0, 1, 2, 3)));
            score[i * 2 + 1] =
                mix(second, taken(second), equal(uvec4(pick % 8), uvec4(4, 5, 6, 7)));
        }
    }
}

// The first item with the cost `lowest`, which this invocation holds.
uint first_with(int lowest) {
    uint place = 0;
    [[unroll]] for (int i = int(CHUNKS) * 2 - 1; i >= 0; --i) {
        uint first = relative(uint(i));
        ivec4 costs = cost(score[i]);
        place = costs.w == lowest ? first + 3 : place;
        place = costs.z == lowest ? first + 2 : place;
        place = costs.y == lowest ? first + 1 : place;
        place = costs.x == lowest ? first : place;
    }
    return own_begin() + place;
}

// The chunk number i of this invocation; behind the row's end the last chunk is read again: those
// scores are taken.
uint chunk_of(uint i, uint row_length) {
    uint chunk = gl_LocalInvocationID.x + i * gl_WorkGroupSize.x;
    return i + 1 < CHUNKS ? chunk : min(chunk, row_length - 1);
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint lanes = gl_WorkGroupSize.x;
    uint sequence = gl_WorkGroupID.x;
    uint scores_begin = sequence * row_length * 2;
    if (first_pick >= end_pick) {
        return;
    }
    [[unroll]] for (uint i = 0; i < CHUNKS; ++i) {
        uint chunk = lane + i * lanes;
        score[i * 2] = fresh(chunk * 8);
        score[i * 2 + 1] = fresh(chunk * 8 + 4);
        if (first_pick > 1 && chunk < row_length) {
            score[i * 2] = load_scores(scores_begin + chunk * 2);
            score[i * 2 + 1] = load_scores(scores_begin + chunk * 2 + 1);
        }
    }
    uint pick = picks[sequence * length + first_pick - 1];
    begin_rounds(first_pick);
    for (uint k = first_pick; k < end_pick; ++k) {
        Row row = find_row(pick, rows_per_slab, row_length);
        uvec4 c[CHUNKS];
        [[unroll]] for (uint i = 0; i < CHUNKS; ++i) {
            c[i] = load_chunk(row, chunk_of(i, row_length));
        }
        take(pick);
        int low = HIGHEST;
        [[unroll]] for (uint i = 0; i < CHUNKS; ++i) {
            score[i * 2] = fold(score[i * 2], c[i].xy, k);
            score[i * 2 + 1] = fold(score[i * 2 + 1], c[i].zw, k);
            low = min(low, lowest(cost(score[i * 2]), cost(score[i * 2 + 1])));
        }
        int lowest_cost = lowest_of_all(low, k);
        uint item = NO_ITEM;
        if (low == lowest_cost) {
            item = first_with(low);
        }
        pick = head_or(sequence, k, first_of_all(item, k));
        if (lane == 0) {
            note(sequence, k, pick, lowest_cost);
        }
    }
    if (end_pick < length) {
        [[unroll]] for (uint i = 0; i < CHUNKS; ++i) {
            uint chunk = lane + i * lanes;
            if (chunk < row_length) {
                store_scores(scores_begin + chunk * 2, score[i * 2]);
                store_scores(scores_begin + chunk * 2 + 1, score[i * 2 + 1]);
            }
        }
    }
}
