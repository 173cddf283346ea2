//! The pass of rules whose costs have 32 bits, 32 items at a time.
//!
//! What is known lies in blocks of 256 items with the minimum taken in the same pass; the search
//! for the item then touches one block.

use super::super::simd::{HalfLine, Line, Simd, LINE};
use super::candidates::Cheapest;

/// Items of a block.
const BLOCK: usize = 256;

/// Items of [`Known`].
pub(super) const ITEMS: usize = 2 * LINE;

/// What is known of 32 items.
pub(super) type Known = [Line; 2];

/// Costs in the order of the items.
pub(super) const IN_ORDER: [Line; 2] = [
    Line([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    Line([16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]),
];

/// How costs come from rows and from what is known.
pub(super) trait Costs {
    /// Which items the costs are of.
    const ITEMS: [Line; 2];

    /// Folds a row into what is known of 32 items and gives their costs.
    fn fold<S: Simd>(&self, simd: S, known: &mut Known, row: &Line) -> [S::Wide; 2];

    /// The same costs once more.
    fn again<S: Simd>(&self, simd: S, known: &Known) -> [S::Wide; 2];
}

/// Folds `row` into what is known and finds the first of the lowest costs, while asking for the row
/// `next`.
#[inline(always)]
pub(super) fn cheapest<S: Simd>(
    simd: S,
    known: &mut [Known],
    row: &[HalfLine],
    next: &[HalfLine],
    costs: &impl Costs,
) -> Cheapest {
    // Rows begin at whole cache lines.
    let row: &[Line] = bytemuck::cast_slice(row);
    let highest = simd.splat(i32::MAX);
    let mut best = i32::MAX;
    let mut best_block = 0;
    let size = BLOCK / ITEMS;
    for (block, (known, row)) in known.chunks_mut(size).zip(row.chunks(size)).enumerate() {
        let mut lows = [highest; 2];
        for (at, (known, row)) in known.iter_mut().zip(row).enumerate() {
            simd.prefetch(next, (block * size + at) * 2);
            let [a, b] = costs.fold(simd, known, row);
            lows = [simd.min(lows[0], a), simd.min(lows[1], b)];
        }
        let low = lowest(simd, simd.min(lows[0], lows[1]));
        if low < best {
            best = low;
            best_block = block;
        }
    }
    let block = known.chunks(size).nth(best_block).unwrap_or_default();
    let item = (best_block * BLOCK) as u32 + first_of(simd, block, best, costs);
    Cheapest { item, cost: best }
}

#[inline(always)]
fn lowest<S: Simd>(simd: S, wide: S::Wide) -> i32 {
    let mut line = Line::default();
    simd.store(wide, &mut line);
    line.0.into_iter().fold(i32::MAX, i32::min)
}

/// The number of the first item of a block whose cost equals `best`.
#[inline(always)]
fn first_of<S: Simd, C: Costs>(simd: S, block: &[Known], best: i32, costs: &C) -> u32 {
    let best = simd.splat(best);
    let highest = simd.splat(i32::MAX);
    let mut first = highest;
    let mut numbers = [simd.load(&C::ITEMS[0]), simd.load(&C::ITEMS[1])];
    for known in block {
        for (cost, number) in costs.again(simd, known).into_iter().zip(&mut numbers) {
            first = simd.min(first, simd.where_equal(cost, best, *number, highest));
            *number = simd.add(*number, simd.splat(ITEMS as i32));
        }
    }
    lowest(simd, first) as u32
}
