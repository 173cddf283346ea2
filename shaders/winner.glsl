// The reduction over a workgroup: the lowest (score, item) pair that its invocations hold.
//
// Three ways with the same answer. One subgroup: two subgroup minima, no barrier. Several subgroups of any
// size: the same, then one value per subgroup through shared memory. SUBGROUPS == 0: a tree in shared
// memory (a power of two of invocations). The shared values are kept twice, for even and odd
// rounds, so that the next round's writes cannot meet this round's reads: one barrier is enough.

const uint NO_ITEM = 0xffffffffu;

#if SUBGROUPS
// Set only where the driver guarantees that the workgroup is one full subgroup.
layout(constant_id = 1) const bool ONE_SUBGROUP = false;
#endif

shared int shared_score[2][gl_WorkGroupSize.x];
shared uint shared_item[2][gl_WorkGroupSize.x];

#if SUBGROUPS
uint subgroup_winner(inout int score, uint item) {
    int lowest = subgroupMin(score);
    item = subgroupMin(score == lowest ? item : NO_ITEM);
    score = lowest;
    return item;
}

uint winner(int score, uint item, uint round) {
    item = subgroup_winner(score, item);
    if (!ONE_SUBGROUP) {
        uint parity = round & 1;
        if (subgroupElect()) {
            shared_score[parity][gl_SubgroupID] = score;
            shared_item[parity][gl_SubgroupID] = item;
        }
        barrier();
        score = 0x7fffffff;
        item = NO_ITEM;
        for (uint i = gl_SubgroupInvocationID; i < gl_NumSubgroups; i += gl_SubgroupSize) {
            int other = shared_score[parity][i];
            uint other_item = shared_item[parity][i];
            if (other < score || (other == score && other_item < item)) {
                score = other;
                item = other_item;
            }
        }
        item = subgroup_winner(score, item);
    }
    return item;
}
#else
uint winner(int score, uint item, uint round) {
    uint parity = round & 1;
    uint lane = gl_LocalInvocationID.x;
    shared_score[parity][lane] = score;
    shared_item[parity][lane] = item;
    barrier();
    for (uint distance = gl_WorkGroupSize.x / 2; distance > 0; distance /= 2) {
        if (lane < distance) {
            int other = shared_score[parity][lane + distance];
            uint other_item = shared_item[parity][lane + distance];
            if (other < score || (other == score && other_item < item)) {
                score = other;
                item = other_item;
                shared_score[parity][lane] = score;
                shared_item[parity][lane] = item;
            }
        }
        barrier();
    }
    return shared_item[parity][0];
}
#endif
