#version 450
#extension GL_GOOGLE_include_directive : require
#if SUBGROUPS
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

// Sequences with the scores in a storage buffer: any number of items.
//
// One workgroup a sequence. Every invocation owns the chunks lane, lane + lanes, ... of 8 items, in
// this and in every later dispatch, so scores need no barrier. Loop rounds a pick: one per owned
// chunk, and one for the pick itself; the reduction has no loop.

#include "sequence.glsl"
#include "matrix_slabs.glsl"
#include "winner.glsl"

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint sequence = gl_WorkGroupID.x;
    uint scores_begin = sequence * row_length * 2;
    if (first_pick >= end_pick) {
        return;
    }
    uint pick = picks[sequence * length + first_pick - 1];
    if (first_pick == 1) {
        for (uint chunk = lane; chunk < row_length; chunk += gl_WorkGroupSize.x) {
            store_scores(scores_begin + chunk * 2, fresh(chunk * 8));
            store_scores(scores_begin + chunk * 2 + 1, fresh(chunk * 8 + 4));
        }
    }
    begin_rounds(first_pick);
    for (uint k = first_pick; k < end_pick; ++k) {
        if ((pick / 8) % gl_WorkGroupSize.x == lane) {
            uint at = scores_begin + pick / 4;
            ivec4 score = load_scores(at);
            bvec4 here = equal(uvec4(pick % 4), uvec4(0, 1, 2, 3));
            store_scores(at, mix(score, taken(score), here));
        }
        Row row = find_row(row_of(pick, sequence), rows_per_slab, row_length);
        int best = HIGHEST;
        uint best_chunk = lane;
        for (uint chunk = lane; chunk < row_length; chunk += gl_WorkGroupSize.x) {
            uvec4 c = load_chunk(row, chunk);
            uint at = scores_begin + chunk * 2;
            ivec4 first = fold(load_scores(at), c.xy, k);
            ivec4 second = fold(load_scores(at + 1), c.zw, k);
            store_scores(at, first);
            store_scores(at + 1, second);
            int low = lowest(cost(first), cost(second));
            if (low < best) {
                best = low;
                best_chunk = chunk;
            }
        }
        int lowest_cost = lowest_of_all(best, k);
        uint item = NO_ITEM;
        if (best == lowest_cost) {
            uint at = scores_begin + best_chunk * 2;
            ivec4 first = cost(load_scores(at));
            ivec4 second = cost(load_scores(at + 1));
            item = best_chunk * 8 + position(first, second, best);
        }
        pick = head_or(sequence, k, first_of_all(item, k));
        if (lane == 0) {
            note(sequence, k, pick, lowest_cost);
            report(pick, sequence);
        }
    }
}
