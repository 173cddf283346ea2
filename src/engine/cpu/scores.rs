//! The scores of a sequence: a row of the matrix is added and the lowest score found in one pass.
//!
//! Scores are kept in blocks of 256 with the minimum taken in the same pass; the search for the
//! index then touches one block.
//!
//! A taken item gets a score above all others. Up to 21,845 items it may go on receiving
//! contributions: 2^31 - 1 - N 2^15 stays above N 2^15 by whatever is added. With more items (PIN)
//! it is held at the top.

use super::simd::{HalfLine, Line, Simd, LINE};
use crate::error::Result;
use crate::memory::zeroed;

/// Scores of a block.
const BLOCK: usize = 256;

/// The most items whose taken scores need no pinning.
const UNPINNED_ITEMS: u32 = 21_845;

/// Whether taken scores have to be pinned.
pub(super) fn pins(num_items: u32) -> bool {
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

/// The scores of all items, and of padding, which counts as taken.
pub(super) struct Scores {
    lines: Vec<Line>,
    num_items: usize,
    taken: i32,
}

impl Scores {
    /// For rows of `stride` values.
    pub(super) fn new(stride: usize, num_items: u32) -> Result<Scores> {
        let lines = zeroed::<Line>(stride / LINE, "the scores of a sequence")?;
        Ok(Scores { lines, num_items: num_items as usize, taken: taken_score(num_items) })
    }

    /// Back to where nothing is picked.
    pub(super) fn clear(&mut self) {
        self.lines.fill(Line([0; LINE]));
        for padding in self.num_items..self.lines.len() * LINE {
            self.lines[padding / LINE].0[padding % LINE] = self.taken;
        }
    }

    pub(super) fn take(&mut self, item: u32) {
        self.lines[item as usize / LINE].0[item as usize % LINE] = self.taken;
    }

    /// Adds `row` to the scores and returns the first of the lowest, while asking for the row
    /// `next`.
    pub(super) fn step<S: Simd, const PIN: bool>(
        &mut self,
        simd: S,
        row: &[HalfLine],
        next: &[HalfLine],
    ) -> u32 {
        let scores = &mut self.lines;
        simd.vectorize(
            #[inline(always)]
            || step::<S, PIN>(simd, scores, row, next),
        )
    }
}

/// Adds `row` to the scores and finds the first of the lowest, while asking for the row `next`.
#[inline(always)]
fn step<S: Simd, const PIN: bool>(
    simd: S,
    scores: &mut [Line],
    row: &[HalfLine],
    next: &[HalfLine],
) -> u32 {
    let highest = simd.splat(i32::MAX);
    let mut best = i32::MAX;
    let mut best_block = 0;
    let lines = BLOCK / LINE;
    for (block, (scores, row)) in scores.chunks_mut(lines).zip(row.chunks(lines)).enumerate() {
        let mut low = highest;
        for (at, (score, row)) in scores.iter_mut().zip(row).enumerate() {
            if at % 2 == 0 {
                simd.prefetch(next, block * lines + at);
            }
            let old = simd.load(score);
            let mut sum = simd.add(old, simd.widen(row));
            if PIN {
                sum = simd.where_equal(old, highest, highest, sum);
            }
            simd.store(sum, score);
            low = simd.min(low, sum);
        }
        let low = lowest(simd, low);
        if low < best {
            best = low;
            best_block = block;
        }
    }
    let block = scores.chunks(lines).nth(best_block).unwrap_or_default();
    (best_block * BLOCK) as u32 + first_of(simd, block, best)
}

#[inline(always)]
fn lowest<S: Simd>(simd: S, wide: S::Wide) -> i32 {
    let mut line = Line::default();
    simd.store(wide, &mut line);
    line.0.into_iter().fold(i32::MAX, i32::min)
}

/// The position of the first score that equals `best`.
#[inline(always)]
fn first_of<S: Simd>(simd: S, block: &[Line], best: i32) -> u32 {
    let best = simd.splat(best);
    let highest = simd.splat(i32::MAX);
    let mut first = highest;
    let mut position = simd.load(&POSITIONS);
    for line in block {
        let here = simd.where_equal(simd.load(line), best, position, highest);
        first = simd.min(first, here);
        position = simd.add(position, simd.splat(LINE as i32));
    }
    lowest(simd, first) as u32
}

const POSITIONS: Line = Line([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
