// Step 4 of the arithmetic contract: from dot products to contributions.

// g of the contract: the dot product in Q15.
ivec4 rounded(ivec4 dots) { return clamp((dots + 16384) >> 15, -32767, 32767); }

// Four contributions in two words. `extra_shift`: e of the contract.
uvec2 weighted(ivec4 g, ivec4 weight, uint extra_shift) {
    int shift = 15 + int(extra_shift);
    uvec4 c = uvec4((weight * g + (1 << (shift - 1))) >> shift);
    return (c.xz & 0xffffu) | (c.yw << 16);
}
