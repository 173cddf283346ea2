// The contribution matrix as the sequence kernels read it: rows of 16-bit contributions, 8 in a
// uvec4, spread over SLABS bindings where one binding cannot span it.
//
// Which slab holds a row is the same for the whole workgroup; the switch over constant bindings
// needs no descriptor indexing feature.

layout(set = 0, binding = 3) readonly buffer Slab0 { uvec4 slab_0[]; };
#if SLABS > 1
layout(set = 0, binding = 4) readonly buffer Slab1 { uvec4 slab_1[]; };
layout(set = 0, binding = 5) readonly buffer Slab2 { uvec4 slab_2[]; };
layout(set = 0, binding = 6) readonly buffer Slab3 { uvec4 slab_3[]; };
#endif
#if SLABS > 4
layout(set = 0, binding = 7) readonly buffer Slab4 { uvec4 slab_4[]; };
layout(set = 0, binding = 8) readonly buffer Slab5 { uvec4 slab_5[]; };
layout(set = 0, binding = 9) readonly buffer Slab6 { uvec4 slab_6[]; };
layout(set = 0, binding = 10) readonly buffer Slab7 { uvec4 slab_7[]; };
layout(set = 0, binding = 11) readonly buffer Slab8 { uvec4 slab_8[]; };
layout(set = 0, binding = 12) readonly buffer Slab9 { uvec4 slab_9[]; };
layout(set = 0, binding = 13) readonly buffer Slab10 { uvec4 slab_10[]; };
layout(set = 0, binding = 14) readonly buffer Slab11 { uvec4 slab_11[]; };
layout(set = 0, binding = 15) readonly buffer Slab12 { uvec4 slab_12[]; };
layout(set = 0, binding = 16) readonly buffer Slab13 { uvec4 slab_13[]; };
layout(set = 0, binding = 17) readonly buffer Slab14 { uvec4 slab_14[]; };
layout(set = 0, binding = 18) readonly buffer Slab15 { uvec4 slab_15[]; };
#endif

// A row of the matrix: its slab, and where it begins there.
struct Row {
    uint slab;
    uint begin;
};

Row find_row(uint item, uint rows_per_slab, uint row_length) {
#if SLABS == 1
    return Row(0, item * row_length);
#else
    uint slab = item / rows_per_slab;
    return Row(slab, (item - slab * rows_per_slab) * row_length);
#endif
}

// Contributions to the 8 candidates of `chunk`.
uvec4 load_chunk(Row row, uint chunk) {
    uint at = row.begin + chunk;
#if SLABS > 1
    switch (row.slab) {
        case 1: return slab_1[at];
        case 2: return slab_2[at];
        case 3: return slab_3[at];
#if SLABS > 4
        case 4: return slab_4[at];
        case 5: return slab_5[at];
        case 6: return slab_6[at];
        case 7: return slab_7[at];
        case 8: return slab_8[at];
        case 9: return slab_9[at];
        case 10: return slab_10[at];
        case 11: return slab_11[at];
        case 12: return slab_12[at];
        case 13: return slab_13[at];
        case 14: return slab_14[at];
        case 15: return slab_15[at];
#endif
    }
#endif
    return slab_0[at];
}
