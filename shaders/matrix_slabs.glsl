// The contribution matrix as the sequence kernels read it: rows of 16-bit contributions, 8 in a
// uvec4, spread over SLABS bindings where one binding cannot span it.
//
// Which slab holds a row is the same for the whole workgroup; the switch over constant bindings
// needs no descriptor indexing feature. With TEXELS the slabs are texel buffers: the same bytes,
// but llvmpipe fetches texels with vector loads, where it goes through a storage buffer lane by
// lane.

#if TEXELS
#define SLAB(number, at) layout(set = 0, binding = at) uniform usamplerBuffer slab_##number
#define LOAD(number, at) texelFetch(slab_##number, int(at))
#else
#define SLAB(number, at) \
    layout(set = 0, binding = at) readonly buffer Slab##number { uvec4 slab_##number[]; }
#define LOAD(number, at) slab_##number[at]
#endif

SLAB(0, 2);
#if SLABS > 1
SLAB(1, 3);
SLAB(2, 4);
SLAB(3, 5);
#endif
#if SLABS > 4
SLAB(4, 6);
SLAB(5, 7);
SLAB(6, 8);
SLAB(7, 9);
SLAB(8, 10);
SLAB(9, 11);
SLAB(10, 12);
SLAB(11, 13);
SLAB(12, 14);
SLAB(13, 15);
SLAB(14, 16);
SLAB(15, 17);
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
        case 1: return LOAD(1, at);
        case 2: return LOAD(2, at);
        case 3: return LOAD(3, at);
#if SLABS > 4
        case 4: return LOAD(4, at);
        case 5: return LOAD(5, at);
        case 6: return LOAD(6, at);
        case 7: return LOAD(7, at);
        case 8: return LOAD(8, at);
        case 9: return LOAD(9, at);
        case 10: return LOAD(10, at);
        case 11: return LOAD(11, at);
        case 12: return LOAD(12, at);
        case 13: return LOAD(13, at);
        case 14: return LOAD(14, at);
        case 15: return LOAD(15, at);
#endif
    }
#endif
    return LOAD(0, at);
}
