//! The pass of rules whose costs fit 16 bits, 32 items to a line.
//!
//! It works on keys, costs negated, so that the highest wins and -32,768 is free for what is
//! taken: similarities lie within -32,767..=32,767. What is known lies in blocks of 1,024 items
//! with the maximum taken in the same pass; the search for the item then touches one block.

use super::super::simd::{HalfLine, Line, Simd};
use super::candidates::{Cheapest, Span};
use crate::error::Result;
use crate::memory::zeroed;

/// Items of a line.
const LANES: usize = 32;

/// Items of a block: its positions fit 16 bits.
const BLOCK: usize = 1024;

/// The key of a taken item, below all others.
pub(super) const TAKEN: i16 = i16::MIN;

/// The key of an item that nothing is known of, above all others.
pub(super) const FRESH: i16 = i16::MAX;

/// A key for each item.
pub(super) struct Keys {
    lines: Vec<Line>,
    num_items: usize,
}

impl Keys {
    pub(super) fn new(span: Span) -> Result<Keys> {
        let lines = zeroed::<Line>(span.stride / LANES, "the scores of a sequence")?;
        Ok(Keys { lines, num_items: span.num_items as usize })
    }

    pub(super) fn clear(&mut self) {
        let keys: &mut [i16] = bytemuck::cast_slice_mut(&mut self.lines);
        keys[..self.num_items].fill(FRESH);
        keys[self.num_items..].fill(TAKEN);
    }

    pub(super) fn take(&mut self, item: u32) {
        let keys: &mut [i16] = bytemuck::cast_slice_mut(&mut self.lines);
        keys[item as usize] = TAKEN;
    }

    /// Folds `row` into the keys, line by line, and finds the first of the highest, while asking
    /// for the row `next`. `fold` gives the keys of a line; done twice it gives the same.
    #[inline(always)]
    pub(super) fn cheapest<S: Simd>(
        &mut self,
        simd: S,
        row: &[HalfLine],
        next: &[HalfLine],
        fold: impl Fn(&mut Line, &Line) -> S::Wide,
    ) -> Cheapest {
        // Rows begin at whole cache lines.
        let row: &[Line] = bytemuck::cast_slice(row);
        let lowest = simd.splat(both(TAKEN));
        let mut best = TAKEN;
        let mut best_block = 0;
        let lines = BLOCK / LANES;
        let blocks = self.lines.chunks_mut(lines).zip(row.chunks(lines));
        for (block, (keys, row)) in blocks.enumerate() {
            let mut high = lowest;
            for (at, (keys, row)) in keys.iter_mut().zip(row).enumerate() {
                simd.prefetch(next, (block * lines + at) * 2);
                high = simd.max_narrow(high, fold(keys, row));
            }
            let high = highest(simd, high);
            if high > best {
                best = high;
                best_block = block;
            }
        }
        let mut block = self.lines.chunks_mut(lines).zip(row.chunks(lines)).skip(best_block);
        let (keys, row) = block.next().unwrap_or_default();
        let item = (best_block * BLOCK) as u32 + first_of(simd, keys, row, best, fold);
        Cheapest { item, cost: -i32::from(best) }
    }
}

/// A number of 16 bits twice in one of 32.
const fn both(number: i16) -> i32 {
    (number as u16 as u32 * 0x1_0001) as i32
}

#[inline(always)]
fn highest<S: Simd>(simd: S, wide: S::Wide) -> i16 {
    let mut line = Line::default();
    simd.store(wide, &mut line);
    let keys: [i16; LANES] = bytemuck::cast(line);
    keys.into_iter().fold(TAKEN, i16::max)
}

/// The position of the first key that equals `best`.
#[inline(always)]
fn first_of<S: Simd>(
    simd: S,
    keys: &mut [Line],
    row: &[Line],
    best: i16,
    fold: impl Fn(&mut Line, &Line) -> S::Wide,
) -> u32 {
    let best = simd.splat(both(best));
    // Positions negated: of the keys that equal the best the highest is the first.
    let none = simd.splat(both(TAKEN));
    let mut first = none;
    let mut position = simd.load(&POSITIONS);
    for (keys, row) in keys.iter_mut().zip(row) {
        let here = simd.where_equal_narrow(fold(keys, row), best, position, none);
        first = simd.max_narrow(first, here);
        position = simd.add_narrow(position, simd.splat(both(-(LANES as i16))));
    }
    -i32::from(highest(simd, first)) as u32
}

/// 0, -1, -2, ... in 16 bits each.
const POSITIONS: Line = {
    let mut words = [0; 16];
    let mut at = 0;
    while at < 16 {
        let (even, odd) = (-2 * at as i16, -2 * at as i16 - 1);
        words[at as usize] = (odd as i32) << 16 | even as u16 as i32;
        at += 1;
    }
    Line(words)
};
