//! The sum of contributions: a row of the matrix is added to the scores.
//!
//! A taken item gets a score above all others. Up to 21,845 items it may go on receiving
//! contributions: 2^31 - 1 - N 2^15 stays above N 2^15 by whatever is added. With more items (PIN)
//! it is held at the top.

use super::super::simd::{HalfLine, Line, Simd};
use super::candidates::{Candidates, Cheapest, Span};
use super::wide::{cheapest, Costs, Known, IN_ORDER, ITEMS};
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
    known: Vec<Known>,
    num_items: usize,
    taken: i32,
}

impl<const PIN: bool> Candidates for Centroid<PIN> {
    fn new(_: Rule, span: Span) -> Result<Self> {
        let known = zeroed::<Known>(span.stride / ITEMS, "the scores of a sequence")?;
        Ok(Centroid { known, num_items: span.num_items as usize, taken: taken_score(span.of) })
    }

    fn clear(&mut self) {
        let scores: &mut [i32] = bytemuck::cast_slice_mut(&mut self.known);
        scores[..self.num_items].fill(0);
        scores[self.num_items..].fill(self.taken);
    }

    fn take(&mut self, item: u32) {
        let scores: &mut [i32] = bytemuck::cast_slice_mut(&mut self.known);
        scores[item as usize] = self.taken;
    }

    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest {
        let scores = &mut self.known;
        simd.vectorize(
            #[inline(always)]
            || cheapest(simd, scores, row, next, &Sums::<PIN>),
        )
    }
}

/// Scores are costs.
struct Sums<const PIN: bool>;

impl<const PIN: bool> Costs for Sums<PIN> {
    const ITEMS: [Line; 2] = IN_ORDER;

    #[inline(always)]
    fn fold<S: Simd>(&self, simd: S, [a, b]: &mut Known, row: &Line) -> [S::Wide; 2] {
        let [low, high]: &[HalfLine; 2] = bytemuck::must_cast_ref(row);
        [add::<S, PIN>(simd, a, low), add::<S, PIN>(simd, b, high)]
    }

    #[inline(always)]
    fn again<S: Simd>(&self, simd: S, [a, b]: &Known) -> [S::Wide; 2] {
        [simd.load(a), simd.load(b)]
    }
}

/// Adds contributions to scores.
#[inline(always)]
fn add<S: Simd, const PIN: bool>(simd: S, scores: &mut Line, row: &HalfLine) -> S::Wide {
    let old = simd.load(scores);
    let mut sum = simd.add(old, simd.widen(row));
    if PIN {
        let highest = simd.splat(i32::MAX);
        sum = simd.where_equal(old, highest, highest, sum);
    }
    simd.store(sum, scores);
    sum
}
