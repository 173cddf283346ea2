//! The level of ARM processors of 64 bits: four registers of 128 bits hold a line.

use core::arch::aarch64::{int16x8_t, int32x4_t};

use bytemuck::{must_cast, must_cast_mut, must_cast_ref};
use pulp::aarch64::Neon;
use pulp::NullaryFnOnce;

use super::operations::{HalfLine, Line, Simd, LINE};

/// Registers of a line.
const PARTS: usize = 4;

type Wide = [int32x4_t; PARTS];
type Narrow = [int16x8_t; PARTS];

impl Simd for Neon {
    type Wide = Wide;
    const TILE_ROWS: usize = 4;

    #[inline(always)]
    fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R {
        Neon::vectorize(self, work)
    }

    #[inline(always)]
    fn splat(self, value: i32) -> Wide {
        [self.neon.vdupq_n_s32(value); PARTS]
    }

    #[inline(always)]
    fn load(self, from: &Line) -> Wide {
        *must_cast_ref(from)
    }

    #[inline(always)]
    fn load_values(self, from: &[i16; 2 * LINE]) -> Wide {
        must_cast(*from)
    }

    #[inline(always)]
    fn store(self, from: Wide, to: &mut Line) {
        *must_cast_mut(to) = from;
    }

    #[inline(always)]
    fn sum(self, [a, b, c, d]: Wide) -> i32 {
        let sum = |a, b| self.neon.vaddq_s32(a, b);
        self.neon.vaddvq_s32(sum(sum(a, b), sum(c, d)))
    }

    #[inline(always)]
    fn widen(self, from: &HalfLine) -> Wide {
        let &[a, b]: &[int16x8_t; 2] = must_cast_ref(from);
        let low = |half| self.neon.vmovl_s16(self.neon.vget_low_s16(half));
        let high = |half| self.neon.vmovl_high_s16(half);
        [low(a), high(a), low(b), high(b)]
    }

    #[inline(always)]
    fn add(self, a: Wide, b: Wide) -> Wide {
        std::array::from_fn(
            #[inline(always)]
            |part| self.neon.vaddq_s32(a[part], b[part]),
        )
    }

    #[inline(always)]
    fn min(self, a: Wide, b: Wide) -> Wide {
        std::array::from_fn(
            #[inline(always)]
            |part| self.neon.vminq_s32(a[part], b[part]),
        )
    }

    #[inline(always)]
    fn multiply_pairs(self, a: Wide, b: Wide) -> Wide {
        self.multiply_add(self.splat(0), a, b)
    }

    #[inline(always)]
    fn interleave(self, low: Wide, high: Wide) -> [Wide; 2] {
        let (low, high): (Narrow, Narrow) = (must_cast(low), must_cast(high));
        let lower: Narrow = std::array::from_fn(
            #[inline(always)]
            |part| self.neon.vzip1q_s16(low[part], high[part]),
        );
        let upper: Narrow = std::array::from_fn(
            #[inline(always)]
            |part| self.neon.vzip2q_s16(low[part], high[part]),
        );
        [must_cast(lower), must_cast(upper)]
    }

    #[inline(always)]
    fn add_narrow(self, a: Wide, b: Wide) -> Wide {
        each_narrow(
            a,
            b,
            #[inline(always)]
            |a, b| self.neon.vaddq_s16(a, b),
        )
    }

    #[inline(always)]
    fn negate_narrow(self, a: Wide) -> Wide {
        each_narrow(
            a,
            a,
            #[inline(always)]
            |a, _| self.neon.vnegq_s16(a),
        )
    }

    #[inline(always)]
    fn min_narrow(self, a: Wide, b: Wide) -> Wide {
        each_narrow(
            a,
            b,
            #[inline(always)]
            |a, b| self.neon.vminq_s16(a, b),
        )
    }

    #[inline(always)]
    fn max_narrow(self, a: Wide, b: Wide) -> Wide {
        each_narrow(
            a,
            b,
            #[inline(always)]
            |a, b| self.neon.vmaxq_s16(a, b),
        )
    }

    #[inline(always)]
    fn where_equal_narrow(self, a: Wide, b: Wide, yes: Wide, no: Wide) -> Wide {
        let (a, b): (Narrow, Narrow) = (must_cast(a), must_cast(b));
        let (yes, no): (Narrow, Narrow) = (must_cast(yes), must_cast(no));
        let chosen: Narrow = std::array::from_fn(
            #[inline(always)]
            |part| {
                let equal = self.neon.vceqq_s16(a[part], b[part]);
                self.neon.vbslq_s16(equal, yes[part], no[part])
            },
        );
        must_cast(chosen)
    }

    #[inline(always)]
    fn where_equal(self, a: Wide, b: Wide, yes: Wide, no: Wide) -> Wide {
        std::array::from_fn(
            #[inline(always)]
            |part| {
                let equal = self.neon.vceqq_s32(a[part], b[part]);
                self.neon.vbslq_s32(equal, yes[part], no[part])
            },
        )
    }

    /// There is no sum of the products of a pair: the first values of eight pairs are gathered,
    /// then their second ones, and each product goes to its pair's sum. What is gathered of a line
    /// that meets several others is gathered once.
    #[inline(always)]
    fn multiply_add(self, sum: Wide, a: Wide, b: Wide) -> Wide {
        let (a, b): (Narrow, Narrow) = (must_cast(a), must_cast(b));
        let mut sums = sum;
        for (half, sums) in sums.chunks_exact_mut(2).enumerate() {
            let (a0, a1, b0, b1) = (a[2 * half], a[2 * half + 1], b[2 * half], b[2 * half + 1]);
            let first = |x, y| self.neon.vuzp1q_s16(x, y);
            let second = |x, y| self.neon.vuzp2q_s16(x, y);
            for (a, b) in [(first(a0, a1), first(b0, b1)), (second(a0, a1), second(b0, b1))] {
                let (low_a, low_b) = (self.neon.vget_low_s16(a), self.neon.vget_low_s16(b));
                sums[0] = self.neon.vmlal_s16(sums[0], low_a, low_b);
                sums[1] = self.neon.vmlal_high_s16(sums[1], a, b);
            }
        }
        sums
    }

    /// Nothing: stable Rust has no prefetching for this processor.
    #[inline(always)]
    fn prefetch_values(self, _: &[i16; 2 * LINE], _: usize) {}

    /// As above.
    #[inline(always)]
    fn prefetch(self, _: &[HalfLine], _: usize) {}
}

#[inline(always)]
fn each_narrow(a: Wide, b: Wide, of: impl Fn(int16x8_t, int16x8_t) -> int16x8_t) -> Wide {
    let (a, b): (Narrow, Narrow) = (must_cast(a), must_cast(b));
    let results: Narrow = std::array::from_fn(
        #[inline(always)]
        |part| of(a[part], b[part]),
    );
    must_cast(results)
}
