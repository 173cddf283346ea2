// The reduction over a workgroup: its lowest score, then the first item with that score.
//
// Where the workgroup is one subgroup: two subgroup minima and no barrier. Else each subgroup
// (SUBGROUPS == 0: each invocation) brings its minimum to shared memory by an atomic, so a pick
// takes two barriers, and only invocations that hold the lowest score look for its item. Every
// invocation reads the same word, which no bank conflict can slow down. The words are kept twice,
// for even and odd rounds: those of the next round are cleared between the two barriers of this
// one, when nobody uses them.

const uint NO_ITEM = 0xffffffffu;

#if SUBGROUPS
// Set only where the driver guarantees that the workgroup is one full subgroup.
layout(constant_id = 1) const bool ONE_SUBGROUP = false;
#else
const bool ONE_SUBGROUP = false;
#endif

shared int shared_score[2];
shared uint shared_item[2];

// To be called by all before the first round.
void begin_rounds(uint round) {
    if (!ONE_SUBGROUP) {
        if (gl_LocalInvocationID.x == 0) {
            shared_score[round & 1] = 0x7fffffff;
            shared_item[round & 1] = NO_ITEM;
        }
        barrier();
    }
}

// The lowest `score` of the workgroup.
int lowest_of_all(int score, uint round) {
#if SUBGROUPS
    score = subgroupMin(score);
    if (ONE_SUBGROUP) {
        return score;
    }
    if (subgroupElect())
#endif
    {
        atomicMin(shared_score[round & 1], score);
    }
    barrier();
    return shared_score[round & 1];
}

// The lowest `item` of those that hold one. Follows lowest_of_all in every round.
uint first_of_all(uint item, uint round) {
#if SUBGROUPS
    if (ONE_SUBGROUP) {
        return subgroupMin(item);
    }
#endif
    if (item != NO_ITEM) {
        atomicMin(shared_item[round & 1], item);
    }
    if (gl_LocalInvocationID.x == 0) {
        shared_score[(round + 1) & 1] = 0x7fffffff;
        shared_item[(round + 1) & 1] = NO_ITEM;
    }
    barrier();
    return shared_item[round & 1];
}
