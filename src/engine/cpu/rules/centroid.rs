//! The sum of contributions: a row of the matrix is added to the scores.
//!
//! A taken item gets a score above all others. Up to 21,845 items it may go on receiving
//! contributions: 2^31 - 1 - N 2^15 stays above N 2^15 by whatever is added. With more items (PIN)
//! it is held at the top.

use super::super::simd::{HalfLine, Line, Simd, LINE};
use super::candidates::{Candidates, Cheapest};
use super::wide;
use crate::error::Result;
use crate::memory::zeroed;
use crate::rule::Rule;

/// The most items whose taken scores need no pinning.
const UNPINNED_ITEMS: u32 = 21_845;

/// Whether taken scores have to be pinned.
pub(in super::super) fn pins(num_items: u32) -> bool {
    num_items > UNPINNED_ITEMS
}

/// The score of a taken item.
fn taken_score(num_items: u32) -> i32 {
    if pins(num_items) {
        i32::MAX
    } else {
        i32::MAX - ((num_items as i32) << 15)
    }
}

/// The scores.
pub(in super::super) struct Centroid<const PIN: bool> {
    lines: Vec<Line>,
    num_items: usize,
    taken: i32,
}

impl<const PIN: bool> Candidates for Centroid<PIN> {
    fn new(_: Rule, stride: usize, num_items: u32) -> Result<Self> {
        let lines = zeroed::<Line>(stride / LINE, "the scores of a sequence")?;
        Ok(Centroid { lines, num_items: num_items as usize, taken: taken_score(num_items) })
    }

    fn clear(&mut self) {
        let scores: &mut [i32] = bytemuck::cast_slice_mut(&mut self.lines);
        scores[..self.num_items].fill(0);
        scores[self.num_items..].fill(self.taken);
    }

    fn take(&mut self, item: u32) {
        self.lines[item as usize / LINE].0[item as usize % LINE] = self.taken;
    }

    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest {
        let scores = &mut self.lines;
        simd.vectorize(
            #[inline(always)]
            || {
                let highest = simd.splat(i32::MAX);
                wide::cheapest(
                    simd,
                    scores,
                    row,
                    next,
                    #[inline(always)]
                    |scores, row| {
                        let old = simd.load(scores);
                        let mut sum = simd.add(old, simd.widen(row));
                        if PIN {
                            sum = simd.where_equal(old, highest, highest, sum);
                        }
                        simd.store(sum, scores);
                        sum
                    },
                    #[inline(always)]
                    |scores| simd.load(scores),
                )
            },
        )
    }
}
