//! Farthest-first: a key is the largest similarity with one of the picked, negated.

use super::super::simd::{HalfLine, Simd};
use super::candidates::{Candidates, Cheapest, Span};
use super::narrow::Keys;
use crate::error::Result;
use crate::rule::Rule;

pub(in super::super) struct Farthest(Keys);

impl Candidates for Farthest {
    fn new(_: Rule, span: Span) -> Result<Farthest> {
        Keys::new(span).map(Farthest)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn take(&mut self, item: u32) {
        self.0.take(item);
    }

    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest {
        let keys = &mut self.0;
        simd.vectorize(
            #[inline(always)]
            || {
                keys.cheapest(
                    simd,
                    row,
                    next,
                    #[inline(always)]
                    |keys, row| {
                        let negated = simd.negate_narrow(simd.load(row));
                        let lower = simd.min_narrow(simd.load(keys), negated);
                        simd.store(lower, keys);
                        lower
                    },
                )
            },
        )
    }
}
