#version 450

// The k nearest items of each query of a block: step 6 of the arithmetic contract.
//
// One workgroup a query. A histogram of its dot products tells how many of them lie above each of
// 2,048 bounds (0.001 in similarity), and so a bound with at least k items above it, the
// candidates. Up to RANKED candidates are gathered and each finds its rank by comparing with the
// others. More of them (large k, many equal items) are sorted by radix, least significant digit
// first: a stable sort, which keeps equal dot products in the order of the items.
//
// Loop rounds: the histogram and the gathering take 3 for each item of a lane's share; a pass of
// the sort 3 for each digit value and 2 for each item of the share. `rounds` in search/nearest.rs
// adds them up. The keys stay where they are, the sort moves item numbers.

layout(local_size_x_id = 0) in;

layout(constant_id = 1) const uint BITS = 4;      // of a digit
layout(constant_id = 2) const uint RANKED = 256;

layout(set = 0, binding = 0) readonly buffer Dots { int dots[]; };
// Two lists of item numbers for every query of the block.
layout(set = 0, binding = 1) buffer Lists { uint lists[]; };
// k item numbers, then their k dot products, for every query of the block.
layout(set = 0, binding = 2) writeonly buffer Nearest { uint nearest[]; };

layout(push_constant) uniform Push {
    uint num_items;
    uint stride;     // of a row of dot products
    uint k;
    uint first_row;  // number of the block's first query
    uint done_rows;  // queries of the block that earlier dispatches have done
    uint own;        // 1: query i is item i, which is no neighbour of its own
};

const uint LANES = gl_WorkGroupSize.x;
const uint BINS = 2048;
const uint DIGITS = 1u << BITS;
const uint NO_ITEM = 0xffffffffu;

// No dot product is greater: (32767 + 128)^2, rounded up.
const int GREATEST = (1 << 30) + (1 << 24);

shared uint counts[DIGITS * LANES]; // at least BINS
shared uint sums[LANES];
shared uint last_bin;
shared uint num_candidates;
shared uint gathered;
shared uint near_key[RANKED];
shared uint near_item[RANKED];

uint lane() { return gl_LocalInvocationID.x; }

// Smaller is nearer.
uint key_of(int dot) { return uint(GREATEST - dot); }
uint bin_of(uint key) { return min(key >> 20, BINS - 1); }

// The sum of `value` over all lanes before this one.
uint sum_before(uint value) {
    sums[lane()] = value;
    barrier();
    for (uint distance = 1; distance < LANES; distance *= 2) {
        uint before = lane() >= distance ? sums[lane() - distance] : 0;
        barrier();
        sums[lane()] += before;
        barrier();
    }
    uint before = sums[lane()] - value;
    barrier();
    return before;
}

// Everything that lanes wrote to lists and shared memory can be read by the others.
void meet() {
    memoryBarrierBuffer();
    barrier();
}

void main() {
    uint row = gl_WorkGroupID.x + done_rows;
    uint dots_begin = row * stride;
    uint out_begin = row * 2 * k;
    uint itself = own == 1 ? first_row + row : NO_ITEM;

    for (uint bin = lane(); bin < BINS; bin += LANES) {
        counts[bin] = 0;
    }
    barrier();
    for (uint item = lane(); item < num_items; item += LANES) {
        if (item != itself) {
            atomicAdd(counts[bin_of(key_of(dots[dots_begin + item]))], 1);
        }
    }
    barrier();

    // The first bin with which there are k: the one lane in whose share of the bins the count
    // passes k finds it.
    uint share = (BINS + LANES - 1) / LANES;
    uint end = min((lane() + 1) * share, BINS);
    uint in_share = 0;
    for (uint bin = lane() * share; bin < end; ++bin) {
        in_share += counts[bin];
    }
    uint before = sum_before(in_share);
    if (before < k && before + in_share >= k) {
        uint bin = lane() * share;
        uint total = before + counts[bin];
        while (total < k) {
            total += counts[++bin];
        }
        last_bin = bin;
        num_candidates = total;
    }
    if (lane() == 0) {
        gathered = 0;
    }
    barrier();
    uint bound = last_bin;
    uint candidates = num_candidates;

    if (candidates <= RANKED) {
        for (uint item = lane(); item < num_items; item += LANES) {
            uint key = key_of(dots[dots_begin + item]);
            if (item != itself && bin_of(key) <= bound) {
                uint place = atomicAdd(gathered, 1);
                near_key[place] = key;
                near_item[place] = item;
            }
        }
        barrier();
        for (uint own_place = lane(); own_place < candidates; own_place += LANES) {
            uint key = near_key[own_place];
            uint item = near_item[own_place];
            uint rank = 0;
            for (uint place = 0; place < candidates; ++place) {
                uint other = near_key[place];
                rank += other < key || (other == key && near_item[place] < item) ? 1 : 0;
            }
            if (rank < k) {
                nearest[out_begin + rank] = item;
                nearest[out_begin + k + rank] = uint(GREATEST - int(key));
            }
        }
        return;
    }

    // Gather in the order of the items: each lane its own stretch of them.
    uint list = row * 2 * num_items;
    uint other_list = list + num_items;
    uint stretch = (num_items + LANES - 1) / LANES;
    uint first = min(lane() * stretch, num_items);
    uint last = min(first + stretch, num_items);
    uint mine = 0;
    for (uint item = first; item < last; ++item) {
        mine += item != itself && bin_of(key_of(dots[dots_begin + item])) <= bound ? 1 : 0;
    }
    uint place = list + sum_before(mine);
    for (uint item = first; item < last; ++item) {
        if (item != itself && bin_of(key_of(dots[dots_begin + item])) <= bound) {
            lists[place++] = item;
        }
    }
    meet();

    stretch = (candidates + LANES - 1) / LANES;
    first = min(lane() * stretch, candidates);
    last = min(first + stretch, candidates);
    for (uint shift = 0; shift < 32; shift += BITS) {
        for (uint digit = 0; digit < DIGITS; ++digit) {
            counts[digit * LANES + lane()] = 0;
        }
        for (uint at = first; at < last; ++at) {
            uint key = key_of(dots[dots_begin + lists[list + at]]);
            counts[(key >> shift & DIGITS - 1) * LANES + lane()] += 1;
        }
        barrier();
        // Where each lane's items with each digit go: digit by digit, within one lane by lane.
        uint total = 0;
        for (uint i = 0; i < DIGITS; ++i) {
            total += counts[lane() * DIGITS + i];
        }
        uint to = sum_before(total);
        for (uint i = 0; i < DIGITS; ++i) {
            uint count = counts[lane() * DIGITS + i];
            counts[lane() * DIGITS + i] = to;
            to += count;
        }
        barrier();
        for (uint at = first; at < last; ++at) {
            uint item = lists[list + at];
            uint key = key_of(dots[dots_begin + item]);
            uint count = (key >> shift & DIGITS - 1) * LANES + lane();
            lists[other_list + counts[count]] = item;
            counts[count] += 1;
        }
        meet();
        uint swap = list;
        list = other_list;
        other_list = swap;
    }
    for (uint rank = lane(); rank < k; rank += LANES) {
        uint item = lists[list + rank];
        nearest[out_begin + rank] = item;
        nearest[out_begin + k + rank] = uint(dots[dots_begin + item]);
    }
}
