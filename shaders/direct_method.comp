#version 450

// The direct method, a baseline for the benchmark: every pick adds one embedding to the centroid
// and takes the dot product of every untaken item with it.
//
// One workgroup a sequence. With TEXELS it reads as the other kernels do (matrix_slabs.glsl). Loop
// rounds a pick: items per lane x (chunks + 2), the centroid's chunks per lane, and the lanes.

layout(local_size_x_id = 0) in;

#if TEXELS
layout(set = 0, binding = 0) uniform usamplerBuffer items;
layout(set = 0, binding = 1, rgba32i) uniform iimageBuffer centroids;
vec4 load_item(uint at) { return uintBitsToFloat(texelFetch(items, int(at))); }
vec4 load_centroid(uint at) { return intBitsToFloat(imageLoad(centroids, int(at))); }
void store_centroid(uint at, vec4 value) { imageStore(centroids, int(at), floatBitsToInt(value)); }
#else
layout(set = 0, binding = 0) readonly buffer Items { vec4 items[]; };
layout(set = 0, binding = 1) buffer Centroids { vec4 centroids[]; };
vec4 load_item(uint at) { return items[at]; }
vec4 load_centroid(uint at) { return centroids[at]; }
void store_centroid(uint at, vec4 value) { centroids[at] = value; }
#endif
layout(set = 0, binding = 2) buffer Picks { uint picks[]; };
layout(set = 0, binding = 3) buffer Taken { uint taken[]; };

layout(push_constant) uniform Push {
    uint num_items;
    uint chunks; // of 4 dimensions
    uint length;
    uint first_pick;
    uint end_pick;
};

shared float shared_score[gl_WorkGroupSize.x];
shared uint shared_item[gl_WorkGroupSize.x];

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint lanes = gl_WorkGroupSize.x;
    uint sequence = gl_WorkGroupID.x;
    uint own_centroid = sequence * chunks;
    uint flags = sequence * num_items;
    if (first_pick >= end_pick) {
        return;
    }
    uint pick = picks[sequence * length + first_pick - 1];
    if (first_pick == 1) {
        for (uint item = lane; item < num_items; item += lanes) {
            taken[flags + item] = 0;
        }
        for (uint d = lane; d < chunks; d += lanes) {
            store_centroid(own_centroid + d, vec4(0));
        }
        memoryBarrierBuffer();
        memoryBarrierImage();
        barrier();
    }
    for (uint k = first_pick; k < end_pick; ++k) {
        if (lane == 0) {
            taken[flags + pick] = 1;
        }
        for (uint d = lane; d < chunks; d += lanes) {
            uint at = own_centroid + d;
            store_centroid(at, load_centroid(at) + load_item(pick * chunks + d));
        }
        memoryBarrierBuffer();
        memoryBarrierImage();
        barrier();
        float best = 3.0e38;
        uint best_item = 0;
        for (uint item = lane; item < num_items; item += lanes) {
            if (taken[flags + item] == 0) {
                vec4 sum = vec4(0);
                for (uint d = 0; d < chunks; ++d) {
                    sum += load_centroid(own_centroid + d) * load_item(item * chunks + d);
                }
                float score = sum.x + sum.y + sum.z + sum.w;
                if (score < best) {
                    best = score;
                    best_item = item;
                }
            }
        }
        shared_score[lane] = best;
        shared_item[lane] = best_item;
        barrier();
        best = 3.0e38;
        for (uint i = 0; i < lanes; ++i) {
            float score = shared_score[i];
            uint item = shared_item[i];
            if (score < best || (score == best && item < best_item)) {
                best = score;
                best_item = item;
            }
        }
        pick = best_item;
        if (lane == 0) {
            picks[sequence * length + k] = pick;
        }
        barrier();
    }
}
