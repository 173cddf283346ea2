//! Dot products of prepared rows, in squares of 64 x 64 items.
//!
//! The rows are packed into panels of 16 items, dimension pair after dimension pair, so that one
//! 16-bit multiply-add works on 16 items at once and no sum crosses lanes. A square is computed
//! tile by tile in registers.

use std::sync::Mutex;

use super::simd::{Line, OnSimd, Simd, LINE};
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::memory::{zeroed_of, Bytes};
use crate::threads::{self, lock};

/// Items of a panel.
const PANEL: usize = LINE;

/// Items of a band: the side of a square.
pub(super) const BAND: usize = 64;

/// Bands of so many items; the last one may have fewer than [`BAND`].
pub(super) fn num_bands(num_items: u32) -> usize {
    (num_items as usize).div_ceil(BAND)
}

/// Items of a band that are there.
pub(super) fn in_band(band: usize, num_items: u32) -> u64 {
    (num_items as usize - band * BAND).min(BAND) as u64
}

/// Bytes of the packed rows.
pub(super) fn packed_bytes(Shape { num_items, dim }: Shape) -> Bytes {
    let row = Bytes::of::<i16>(u64::from(dim).next_multiple_of(2));
    row * u64::from(num_items).next_multiple_of(BAND as u64)
}

/// Two bands of the same corpus, `i` <= `j`: a square of the symmetric half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BandPair {
    pub(super) i: usize,
    pub(super) j: usize,
}

impl BandPair {
    /// Pairs of so many bands.
    pub(super) fn count(bands: usize) -> usize {
        bands * (bands + 1) / 2
    }

    /// The pair of a task: tasks run through the triangle, column of bands by column.
    pub(super) fn of_task(task: usize) -> BandPair {
        let j = ((8 * task + 1).isqrt() - 1) / 2;
        BandPair { i: task - j * (j + 1) / 2, j }
    }
}

/// Room for the dot products of two bands: 64 rows of 64.
pub(super) fn new_square() -> Vec<[i32; BAND]> {
    vec![[0; BAND]; BAND]
}

/// The prepared rows in panels.
pub(super) struct Packed {
    words: Vec<Line>,
    pairs: usize,
}

impl Packed {
    pub(super) fn new(corpus: &Corpus, num_threads: usize) -> Result<Packed> {
        let pairs = (corpus.dim() as usize).div_ceil(2);
        let items = (corpus.num_items() as usize).next_multiple_of(BAND);
        let panels = (items / PANEL) as u64;
        let mut words = zeroed_of::<Line>(panels * pairs as u64, "the packed rows")?;
        let panels =
            Mutex::new((0..corpus.num_items()).step_by(PANEL).zip(words.chunks_mut(pairs)));
        let next = || lock(&panels).next();
        threads::run(num_threads.min(items / PANEL), |_| {
            while let Some((first, panel)) = next() {
                pack(corpus, first, panel);
            }
            Ok(())
        })?;
        Ok(Packed { words, pairs })
    }

    pub(super) fn band(&self, number: usize) -> Band<'_> {
        Band { packed: self, number }
    }

    fn panel(&self, index: usize) -> &[Line] {
        &self.words[index * self.pairs..][..self.pairs]
    }
}

/// 64 items of packed rows.
#[derive(Clone, Copy)]
pub(super) struct Band<'a> {
    packed: &'a Packed,
    number: usize,
}

/// Packs the items from `first` into their panel.
fn pack(corpus: &Corpus, first: u32, panel: &mut [Line]) {
    let end = corpus.num_items().min(first.saturating_add(PANEL as u32));
    for (lane, item) in (first..end).enumerate() {
        for (pair, word) in corpus.row(item).chunks(2).zip(panel.iter_mut()) {
            let high = pair.get(1).copied().unwrap_or(0);
            word.0[lane] = i32::from(high) << 16 | i32::from(pair[0] as u16);
        }
    }
}

/// The dot products of the items of two bands.
#[inline(always)]
pub(super) fn multiply<S: Simd>(simd: S, rows: Band, columns: Band, dots: &mut [[i32; BAND]]) {
    let panels = BAND / PANEL;
    for b in 0..panels {
        let columns = columns.packed.panel(columns.number * panels + b);
        for a in 0..panels {
            let rows = rows.packed.panel(rows.number * panels + a);
            let dots = dots[a * PANEL..][..PANEL].chunks_mut(S::TILE_ROWS);
            for (first, dots) in dots.enumerate() {
                tile(simd, rows, first * S::TILE_ROWS, columns, b * PANEL, dots);
            }
        }
    }
}

/// A tile: items `first..` of the panel `rows` with the 16 items of the panel `columns`.
#[inline(always)]
fn tile<S: Simd>(
    simd: S,
    rows: &[Line],
    first: usize,
    columns: &[Line],
    at: usize,
    dots: &mut [[i32; BAND]],
) {
    // The number of rows is a constant of the level; one array for all, the compiler drops the
    // rest.
    let mut sums = [simd.splat(0); 8];
    for (a, b) in rows.iter().zip(columns) {
        let b = simd.load(b);
        for (row, sum) in sums[..S::TILE_ROWS].iter_mut().enumerate() {
            let a = simd.splat(a.0[(first + row) % PANEL]);
            *sum = simd.multiply_add(*sum, a, b);
        }
    }
    for (dots, sum) in dots.iter_mut().zip(sums) {
        let mut line = Line::default();
        simd.store(sum, &mut line);
        dots[at..at + PANEL].copy_from_slice(&line.0);
    }
}

/// [`multiply`] as work of its own.
pub(super) struct SquareOfDots<'a> {
    pub(super) rows: Band<'a>,
    pub(super) columns: Band<'a>,
    pub(super) dots: &'a mut [[i32; BAND]],
}

impl OnSimd for SquareOfDots<'_> {
    type Output = ();

    fn run<S: Simd>(self, simd: S) {
        let SquareOfDots { rows, columns, dots } = self;
        simd.vectorize(
            #[inline(always)]
            || {
                multiply(simd, rows, columns, dots);
            },
        );
    }
}

/// Swaps rows and columns of a square.
#[inline(always)]
pub(super) fn transpose(square: &mut [[i32; BAND]]) {
    for i in 0..BAND {
        let (above, below) = square.split_at_mut(i + 1);
        for (j, row) in below.iter_mut().enumerate() {
            std::mem::swap(&mut above[i][i + 1 + j], &mut row[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_cover_the_triangle_once() {
        let mut expected = Vec::new();
        for j in 0..40 {
            expected.extend((0..=j).map(|i| BandPair { i, j }));
        }
        assert_eq!(expected.len(), BandPair::count(40));
        let tasks: Vec<_> = (0..expected.len()).map(BandPair::of_task).collect();
        assert_eq!(tasks, expected);
    }
}
