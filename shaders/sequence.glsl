// What all sequence kernels share: bindings, push constants, the rules with what they keep of each
// item, and taken items.
//
// A workgroup continues one sequence by the picks first_pick .. end_pick. Between dispatches the
// scores lie in `scores`, the picks in `picks`; its head is there from the beginning.
//
// A score is 32 bits that a rule keeps of an item, `fold` takes a row of the matrix into it, and
// `cost` is what is compared: the lowest is picked. Taken items, and the padding behind the last
// item, have scores of their own, which cost more than any item does and stay what they are:
//
//   CENTROID  the sum of the contributions. Taken: the top bit is flipped. A contribution has a
//             magnitude of 32,767 at most, so the scores of up to 32,768 items stay within 2^30:
//             begun at -2^30 they lie below 0 as long as the item is untaken, and from 0 on when it
//             is taken, whatever is added. For more items PIN holds a taken score at 2^31 - 1,
//             which no sum reaches.
//   FARTHEST  the greatest similarity. Taken: 2^31 - 1, which no similarity reaches.
//   CHAIN     32,768 less the last similarity, so 1 to 65,535. Taken: bit 30 beside it.
//   MMR       two halves of 0 to 65,534. The upper one is q = 32,767 - r, r the similarity with the
//             first item; the lower one m, the greatest similarity with another, plus 32,767, and 0
//             while there is none. Taken: all bits, 65,535 in both. With lambda + unlike = 32,768
//             the cost is unlike * m + lambda * q: at most 65,534 * 32,768, and 65,535 * 32,768 of
//             a taken one.

layout(local_size_x_id = 0) in;

const uint CENTROID = 0;
const uint FARTHEST = 1;
const uint MMR = 2;
const uint CHAIN = 3;

layout(constant_id = 2) const bool PIN = true;
layout(constant_id = 4) const uint RULE = CENTROID;

#if TEXELS
layout(set = 0, binding = 0, rgba32i) uniform iimageBuffer scores;
ivec4 load_scores(uint at) { return imageLoad(scores, int(at)); }
void store_scores(uint at, ivec4 value) { imageStore(scores, int(at), value); }
#else
layout(set = 0, binding = 0) buffer Scores { ivec4 scores[]; };
ivec4 load_scores(uint at) { return scores[at]; }
void store_scores(uint at, ivec4 value) { scores[at] = value; }
#endif
layout(set = 0, binding = 1) buffer Picks { uint picks[]; };

layout(push_constant) uniform Push {
    uint num_items;
    uint row_length;     // chunks of 8 items in a matrix row
    uint rows_per_slab;
    uint length;         // items of a sequence
    uint first_pick;     // 1 in the first dispatch
    uint end_pick;
    uint head;           // picks that the host has written to `picks`, at least 1
    uint slots_at;       // not 0: only some rows of the matrix are there, see row_of
    uint lambda;         // of MMR: the weight of likeness to the first item, 32,768 for 1
    uint costs_at;       // not 0: where in `picks` the costs of the picks go, see note
};

const int HIGHEST = 0x7fffffff;
const int TOP_BIT = ~HIGHEST;

// Of CHAIN: what tells that an item is taken, and the cost of a similarity of 0.
const int TAKEN_BIT = 1 << 30;
const int CHAIN_ZERO = 32768;

// The score of an item before the first pick.
int first_score() {
    if (RULE == CENTROID) return PIN ? 0 : -(1 << 30);
    return RULE == FARTHEST ? -HIGHEST : 0;
}

ivec4 taken(ivec4 score) {
    if (RULE == CENTROID) return PIN ? ivec4(HIGHEST) : score ^ TOP_BIT;
    if (RULE == CHAIN) return score | TAKEN_BIT;
    return ivec4(RULE == MMR ? ~0 : HIGHEST);
}

// Four values of a row.
ivec4 unpacked(uvec2 row) {
    return ivec4(int(row.x << 16) >> 16, int(row.x) >> 16, int(row.y << 16) >> 16,
                 int(row.y) >> 16);
}

ivec4 add(ivec4 score, ivec4 c) {
    return PIN ? mix(score + c, ivec4(HIGHEST), equal(score, ivec4(HIGHEST))) : score + c;
}

// The first row of MMR gives q, each other one may raise m. Of both halves of a word at once: by
// its top bits flipped a value v becomes v + 32,768, by all others flipped 32,767 - v.
ivec4 fold_mmr(ivec4 score, uvec2 row, bool first) {
    uvec2 halves = (row ^ (first ? 0x7fff7fffu : 0x80008000u)) - (first ? 0u : 0x00010001u);
    uvec4 values = uvec4(halves.x & 0xffffu, halves.x >> 16, halves.y & 0xffffu, halves.y >> 16);
    uvec4 old = uvec4(score);
    return ivec4(max(old, (old & 0xffff0000u) | (values << (first ? 16 : 0))));
}

// The scores of four items with the row of the pick before number k.
ivec4 fold(ivec4 score, uvec2 row, uint k) {
    if (RULE == MMR) return fold_mmr(score, row, k == 1);
    if (RULE == FARTHEST) return max(score, unpacked(row));
    if (RULE == CHAIN) return (score & TAKEN_BIT) | (CHAIN_ZERO - unpacked(row));
    return add(score, unpacked(row));
}

// What is compared. Factors below 2^16, which the compiler can see to be: see tile.glsl.
ivec4 cost(ivec4 score) {
    if (RULE != MMR) return score;
    uvec4 m = uvec4(score) & 0xffffu;
    uvec4 q = uvec4(score) >> 16;
    return ivec4(m * ((32768 - lambda) & 0xffffu) + q * (lambda & 0xffffu));
}

// The cost of the pick number k as the contract has it.
int contract_cost(int lowest, uint k) {
    if (RULE == CHAIN) return lowest - CHAIN_ZERO;
    if (RULE == CENTROID) return lowest - first_score();
    if (RULE == FARTHEST) return lowest;
    // While there is no m it counts as 0, and 0 is 32,767.
    int none = k == 1 ? int(32768 - lambda) * 32767 : 0;
    return lowest + none - 32768 * 32767;
}

// The numbers of four items.
uvec4 items_from(uint item) { return uvec4(item) + uvec4(0, 1, 2, 3); }

// Scores before the first pick: taken where there is no item.
ivec4 fresh(uint item) {
    ivec4 score = ivec4(first_score());
    return mix(score, taken(score), greaterThanEqual(items_from(item), uvec4(num_items)));
}

// The lowest of 8 costs.
int lowest(ivec4 first, ivec4 second) {
    ivec4 m = min(first, second);
    return min(min(m.x, m.y), min(m.z, m.w));
}

// Position of the first of 8 costs that equals `lowest`.
uint position(ivec4 first, ivec4 second, int lowest) {
    if (first.x == lowest) return 0;
    if (first.y == lowest) return 1;
    if (first.z == lowest) return 2;
    if (first.w == lowest) return 3;
    if (second.x == lowest) return 4;
    if (second.y == lowest) return 5;
    if (second.z == lowest) return 6;
    return 7;
}

// The row of the matrix to read for `pick`. Where only some rows are there, a dispatch makes one
// pick: behind all picks the host has written for each sequence in which slot its row is, and finds
// there what was picked.
uint row_of(uint pick, uint sequence) {
    return slots_at == 0 ? pick : picks[slots_at + sequence];
}
void report(uint pick, uint sequence) {
    if (slots_at != 0) {
        picks[slots_at + sequence] = pick;
    }
}

// The pick number k: from the head, or the one that the scores say.
uint head_or(uint sequence, uint k, uint pick) {
    return k < head ? picks[sequence * length + k] : pick;
}

// Writes down the pick number k, with what it cost where that is asked for.
void note(uint sequence, uint k, uint pick, int lowest) {
    picks[sequence * length + k] = pick;
    if (costs_at != 0) {
        picks[costs_at + sequence * length + k] = uint(contract_cost(lowest, k));
    }
}
