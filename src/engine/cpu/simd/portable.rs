//! Plain loops: for processors other than x86-64 and ARM of 64 bits.

use pulp::NullaryFnOnce;

use super::operations::{HalfLine, Line, Simd, INTERLEAVED};

/// Plain loops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

impl Simd for Portable {
    type Wide = [i32; 16];
    const TILE_ROWS: usize = 2;

    #[inline(always)]
    fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R {
        work.call()
    }

    #[inline(always)]
    fn splat(self, value: i32) -> [i32; 16] {
        [value; 16]
    }

    #[inline(always)]
    fn load(self, from: &Line) -> [i32; 16] {
        from.0
    }

    #[inline(always)]
    fn load_values(self, from: &[i16; 32]) -> [i32; 16] {
        bytemuck::must_cast(*from)
    }

    #[inline(always)]
    fn sum(self, of: [i32; 16]) -> i32 {
        of.into_iter().fold(0, i32::wrapping_add)
    }

    #[inline(always)]
    fn store(self, from: [i32; 16], to: &mut Line) {
        to.0 = from;
    }

    #[inline(always)]
    fn widen(self, from: &HalfLine) -> [i32; 16] {
        let mut wide = [0; 16];
        for (to, &from) in wide.iter_mut().zip(&from.0) {
            *to = from.into();
        }
        wide
    }

    #[inline(always)]
    fn add(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        each(a, b, i32::wrapping_add)
    }

    #[inline(always)]
    fn min(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        each(a, b, i32::min)
    }

    #[inline(always)]
    fn interleave(self, low: [i32; 16], high: [i32; 16]) -> [[i32; 16]; 2] {
        let (low, high): ([i16; 32], [i16; 32]) = (bytemuck::cast(low), bytemuck::cast(high));
        let pair = |item: i32| {
            let (low, high) = (low[item as usize], high[item as usize]);
            i32::from(high) << 16 | i32::from(low as u16)
        };
        INTERLEAVED.map(|items| items.0.map(pair))
    }

    #[inline(always)]
    fn add_narrow(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        each_narrow(a, b, i16::wrapping_add)
    }

    #[inline(always)]
    fn negate_narrow(self, a: [i32; 16]) -> [i32; 16] {
        each_narrow([0; 16], a, i16::wrapping_sub)
    }

    #[inline(always)]
    fn min_narrow(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        each_narrow(a, b, i16::min)
    }

    #[inline(always)]
    fn max_narrow(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        each_narrow(a, b, i16::max)
    }

    #[inline(always)]
    fn where_equal_narrow(
        self,
        a: [i32; 16],
        b: [i32; 16],
        yes: [i32; 16],
        no: [i32; 16],
    ) -> [i32; 16] {
        let equal = each_narrow(a, b, |a, b| if a == b { -1 } else { 0 });
        let mut chosen = no;
        for lane in 0..16 {
            chosen[lane] = yes[lane] & equal[lane] | no[lane] & !equal[lane];
        }
        chosen
    }

    #[inline(always)]
    fn where_equal(self, a: [i32; 16], b: [i32; 16], yes: [i32; 16], no: [i32; 16]) -> [i32; 16] {
        let mut chosen = no;
        for lane in 0..16 {
            chosen[lane] = if a[lane] == b[lane] { yes[lane] } else { no[lane] };
        }
        chosen
    }

    #[inline(always)]
    fn multiply_add(self, sum: [i32; 16], a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        // Sums of some dimensions may wrap; the sum of all fits.
        self.add(sum, self.multiply_pairs(a, b))
    }

    #[inline(always)]
    fn multiply_pairs(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        let low = |pair: i32| i32::from(pair as i16);
        each(a, b, |a, b| (low(a) * low(b)).wrapping_add((a >> 16) * (b >> 16)))
    }

    #[inline(always)]
    fn prefetch_values(self, _: &[i16; 32], _: usize) {}

    #[inline(always)]
    fn prefetch(self, _: &[HalfLine], _: usize) {}
}

#[inline(always)]
fn each_narrow(a: [i32; 16], b: [i32; 16], of: impl Fn(i16, i16) -> i16) -> [i32; 16] {
    let mut results: [i16; 32] = bytemuck::cast(a);
    let b: [i16; 32] = bytemuck::cast(b);
    for (result, b) in results.iter_mut().zip(b) {
        *result = of(*result, b);
    }
    bytemuck::cast(results)
}

// A loop: the steps of `array::from_fn` are functions, which the compiler may not inline here.
#[inline(always)]
fn each(a: [i32; 16], b: [i32; 16], of: impl Fn(i32, i32) -> i32) -> [i32; 16] {
    let mut results = a;
    for (result, b) in results.iter_mut().zip(b) {
        *result = of(*result, b);
    }
    results
}
