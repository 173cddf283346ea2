// What all sequence kernels share: bindings, push constants, the packed contributions and taken
// items.
//
// A workgroup continues one sequence by the picks first_pick .. end_pick. Between dispatches the
// scores lie in `scores`, the picks in `picks`; its head is there from the beginning.
//
// Taken items, and the padding behind the last item, have the top bit of their score flipped. A
// contribution has a magnitude of 32,767 at most, so the scores of up to 32,768 items stay within
// 2^30: begun at -2^30 they lie below 0 as long as the item is untaken, and from 0 on when it is
// taken, whatever is added. For more items PIN holds a taken score at 2^31 - 1, which no sum
// reaches.

layout(local_size_x_id = 0) in;

layout(constant_id = 2) const bool PIN = true;

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
};

const int HIGHEST = 0x7fffffff;
const int TOP_BIT = ~HIGHEST;

// The score of an item before the first pick.
int first_score() { return PIN ? 0 : -(1 << 30); }

ivec4 taken(ivec4 score) { return PIN ? ivec4(HIGHEST) : score ^ TOP_BIT; }

// The 8 contributions of a chunk: items 0..3 and 4..7.
ivec4 first_half(uvec4 c) {
    return ivec4(int(c.x << 16) >> 16, int(c.x) >> 16, int(c.y << 16) >> 16, int(c.y) >> 16);
}
ivec4 second_half(uvec4 c) {
    return ivec4(int(c.z << 16) >> 16, int(c.z) >> 16, int(c.w << 16) >> 16, int(c.w) >> 16);
}

ivec4 add(ivec4 score, ivec4 c) {
    return PIN ? mix(score + c, ivec4(HIGHEST), equal(score, ivec4(HIGHEST))) : score + c;
}

// The numbers of four items.
uvec4 items_from(uint item) { return uvec4(item) + uvec4(0, 1, 2, 3); }

// Scores before the first pick: taken where there is no item.
ivec4 fresh(uint item) {
    ivec4 score = ivec4(first_score());
    return mix(score, taken(score), greaterThanEqual(items_from(item), uvec4(num_items)));
}

int lowest(ivec4 first, ivec4 second) {
    ivec4 m = min(first, second);
    return min(min(m.x, m.y), min(m.z, m.w));
}

// Position of the first of 8 scores that equals `score`.
uint position(ivec4 first, ivec4 second, int score) {
    if (first.x == score) return 0;
    if (first.y == score) return 1;
    if (first.z == score) return 2;
    if (first.w == score) return 3;
    if (second.x == score) return 4;
    if (second.y == score) return 5;
    if (second.z == score) return 6;
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
