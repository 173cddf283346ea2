#version 450

// Plain reads, for the bandwidth of the device: every invocation adds up its words, as often as it
// is told to. The total of all proves that every word was read.
//
// Neighbouring invocations read neighbouring chunks of 16 bytes, four chunks before the first is
// used. With TEXELS the words are a texel buffer (matrix_slabs.glsl says why). Loop rounds of an
// invocation: passes x (loops + 1).

layout(local_size_x_id = 0) in;

#if TEXELS
layout(set = 0, binding = 0) uniform usamplerBuffer words;
uvec4 load(uint at) { return texelFetch(words, int(at)); }
#else
layout(set = 0, binding = 0) readonly buffer Words { uvec4 words[]; };
uvec4 load(uint at) { return words[at]; }
#endif
layout(set = 0, binding = 1) buffer Total { uint total; };

layout(push_constant) uniform Push {
    uint loops; // of four chunks each
    uint passes;
};

void main() {
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    uvec4 sum = uvec4(0);
    for (uint pass = 0; pass < passes; ++pass) {
        uint at = gl_GlobalInvocationID.x;
        for (uint i = 0; i < loops; ++i) {
            uvec4 a = load(at);
            uvec4 b = load(at + stride);
            uvec4 c = load(at + 2 * stride);
            uvec4 d = load(at + 3 * stride);
            sum += (a + b) + (c + d);
            at += 4 * stride;
        }
    }
    atomicAdd(total, sum.x + sum.y + sum.z + sum.w);
}
