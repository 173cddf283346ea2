//! Chains: a key is the similarity with the last item. Only what is taken is known from one pick to
//! the next: a key that is the highest, or for a taken item the lowest.

use super::super::simd::{HalfLine, Simd};
use super::candidates::{Candidates, Cheapest, Span};
use super::narrow::Keys;
use crate::error::Result;
use crate::rule::Rule;

pub(in super::super) struct Chain(Keys);

impl Candidates for Chain {
    fn new(_: Rule, span: Span) -> Result<Chain> {
        Keys::new(span).map(Chain)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn take(&mut self, item: u32) {
        self.0.take(item);
    }

    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest {
        let marks = &mut self.0;
        simd.vectorize(
            #[inline(always)]
            || {
                marks.cheapest(
                    simd,
                    row,
                    next,
                    #[inline(always)]
                    |marks, row| simd.min_narrow(simd.load(row), simd.load(marks)),
                )
            },
        )
    }
}
