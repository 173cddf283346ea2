#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#if SUBGROUPS
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

// Sequences with the scores in registers, for drivers that run on the processor: there a register
// is a place in the first-level cache, branches are computed on both sides, and many chunks to an
// invocation are best.
//
// One workgroup a sequence; an invocation keeps the scores of CHUNKS chunks of 8 items (lane, lane
// + lanes, ...) in registers for the whole dispatch. Loops over CHUNKS are unrolled, so every
// register index is a constant. Rows are read in groups of up to 8 chunks, all loads of a group in
// flight before the first is used. Loop rounds a pick: one.

#include "sequence.glsl"
#include "matrix_slabs.glsl"
#include "winner.glsl"

layout(constant_id = 3) const uint CHUNKS = 1;
const uint GROUP = 8;

// Where a taken score is the greatest there is, it comes of the greater of two; else of bits, which
// are flipped or set. `mark` is for the place of the pick, `nothing` changes no score.
bool by_greater() { return RULE == FARTHEST || (RULE == CENTROID && PIN); }
int nothing() { return by_greater() ? -HIGHEST : 0; }
int mark() {
    if (by_greater()) return HIGHEST;
    return RULE == MMR ? ~0 : RULE == CHAIN ? TAKEN_BIT : TOP_BIT;
}
ivec4 marked(ivec4 score, ivec4 mark) {
    if (by_greater()) return max(score, mark);
    return RULE == MMR ? score | mark : score ^ mark;
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint lanes = gl_WorkGroupSize.x;
    uint sequence = gl_WorkGroupID.x;
    uint scores_begin = sequence * row_length * 2;
    if (first_pick >= end_pick) {
        return;
    }
    uint pick = picks[sequence * length + first_pick - 1];
    ivec4 score[CHUNKS * 2];
    [[unroll]] for (uint i = 0; i < CHUNKS; ++i) {
        uint chunk = lane + i * lanes;
        score[i * 2] = fresh(chunk * 8);
        score[i * 2 + 1] = fresh(chunk * 8 + 4);
        if (first_pick > 1 && chunk < row_length) {
            score[i * 2] = load_scores(scores_begin + chunk * 2);
            score[i * 2 + 1] = load_scores(scores_begin + chunk * 2 + 1);
        }
    }
    begin_rounds(first_pick);
    for (uint k = first_pick; k < end_pick; ++k) {
        Row row = find_row(pick, rows_per_slab, row_length);
        // What the pick does to its own chunk: see `marked`.
        uint pick_chunk = pick / 8;
        ivec4 untouched = ivec4(nothing());
        ivec4 marks = ivec4(mark());
        ivec4 mark_first = mix(untouched, marks, equal(uvec4(pick % 8), uvec4(0, 1, 2, 3)));
        ivec4 mark_second = mix(untouched, marks, equal(uvec4(pick % 8), uvec4(4, 5, 6, 7)));
        int best = HIGHEST;
        uint best_chunk = lane;
        ivec4 best_first = ivec4(HIGHEST);
        ivec4 best_second = ivec4(HIGHEST);
        [[unroll]] for (uint base = 0; base < CHUNKS; base += GROUP) {
            uvec4 c[GROUP];
            [[unroll]] for (uint i = 0; i < GROUP; ++i) {
                if (base + i < CHUNKS) {
                    // Behind the row's end the last chunk is read again; those scores are taken.
                    c[i] = load_chunk(row, min(lane + (base + i) * lanes, row_length - 1));
                }
            }
            [[unroll]] for (uint i = 0; i < GROUP; ++i) {
                if (base + i < CHUNKS) {
                    uint at = (base + i) * 2;
                    uint chunk = lane + (base + i) * lanes;
                    bool here = chunk == pick_chunk;
                    ivec4 first = fold(score[at], c[i].xy, k);
                    ivec4 second = fold(score[at + 1], c[i].zw, k);
                    first = marked(first, here ? mark_first : untouched);
                    second = marked(second, here ? mark_second : untouched);
                    score[at] = first;
                    score[at + 1] = second;
                    first = cost(first);
                    second = cost(second);
                    int low = lowest(first, second);
                    bool better = low < best;
                    best = better ? low : best;
                    best_chunk = better ? chunk : best_chunk;
                    best_first = better ? first : best_first;
                    best_second = better ? second : best_second;
                }
            }
        }
        int lowest_cost = lowest_of_all(best, k);
        uint item = NO_ITEM;
        if (best == lowest_cost) {
            item = best_chunk * 8 + position(best_first, best_second, best);
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
