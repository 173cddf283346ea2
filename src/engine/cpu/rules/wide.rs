//! The pass of rules whose costs have 32 bits.
//!
//! What is known lies in blocks of 256 items with the minimum taken in the same pass; the search
//! for the item then touches one block.

use super::super::simd::{HalfLine, Line, Simd, LINE};
use super::candidates::Cheapest;

/// Items of a block.
const BLOCK: usize = 256;

/// Folds `row` into what is known, line by line, and finds the first of the lowest costs, while
/// asking for the row `next`. `fold` gives the costs of a line, `costs` the same once more.
#[inline(always)]
pub(super) fn cheapest<S: Simd>(
    simd: S,
    known: &mut [Line],
    row: &[HalfLine],
    next: &[HalfLine],
    fold: impl Fn(&mut Line, &HalfLine) -> S::Wide,
    costs: impl Fn(&Line) -> S::Wide,
) -> Cheapest {
    let highest = simd.splat(i32::MAX);
    let mut best = i32::MAX;
    let mut best_block = 0;
    let lines = BLOCK / LINE;
    for (block, (known, row)) in known.chunks_mut(lines).zip(row.chunks(lines)).enumerate() {
        let mut low = highest;
        for (at, (known, row)) in known.iter_mut().zip(row).enumerate() {
            if at % 2 == 0 {
                simd.prefetch(next, block * lines + at);
            }
            low = simd.min(low, fold(known, row));
        }
        let low = lowest(simd, low);
        if low < best {
            best = low;
            best_block = block;
        }
    }
    let block = known.chunks(lines).nth(best_block).unwrap_or_default();
    let item = (best_block * BLOCK) as u32 + first_of(simd, block, best, costs);
    Cheapest { item, cost: best }
}

#[inline(always)]
fn lowest<S: Simd>(simd: S, wide: S::Wide) -> i32 {
    let mut line = Line::default();
    simd.store(wide, &mut line);
    line.0.into_iter().fold(i32::MAX, i32::min)
}

/// The position of the first cost that equals `best`.
#[inline(always)]
fn first_of<S: Simd>(simd: S, block: &[Line], best: i32, costs: impl Fn(&Line) -> S::Wide) -> u32 {
    let best = simd.splat(best);
    let highest = simd.splat(i32::MAX);
    let mut first = highest;
    let mut position = simd.load(&POSITIONS);
    for line in block {
        let here = simd.where_equal(costs(line), best, position, highest);
        first = simd.min(first, here);
        position = simd.add(position, simd.splat(LINE as i32));
    }
    lowest(simd, first) as u32
}

const POSITIONS: Line = Line([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
