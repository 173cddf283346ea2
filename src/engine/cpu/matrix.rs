//! The contribution matrix: a product of the prepared rows with themselves, its symmetric half only.
//!
//! The rows are packed into panels of 16 items, dimension pair after dimension pair, so that one 16-bit multiply-add works
//! on 16 items at once and no sum crosses lanes. A task is a square of 64 x 64 items, I <= J: its dot products are
//! computed once, tile by tile in registers, and written twice, as rows of I and as rows of J. Each band of 64 matrix rows
//! has a lock that is held only for that copy (128 bytes a row).

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::pages::Pages;
use super::simd::{dispatch, HalfLine, Level, Line, OnSimd, Simd};
use super::threads;
use crate::corpus::Corpus;
use crate::engine::reference::contribution;
use crate::error::{zeroed, Result};
use crate::progress::Progress;

/// Items of a panel.
const PANEL: usize = 16;

/// Items of a band: the side of a task's square.
const BAND: usize = 64;

/// The matrix: row s holds what picking s adds to the score of every item.
#[derive(Debug)]
pub(super) struct Matrix {
    pages: Pages,
    stride: usize,
}

/// Values from one row to the next: whole cache lines, and not a multiple of 4 KiB, which would map all
/// rows to the same few sets of the caches.
pub(super) fn stride(num_items: u32) -> usize {
    let stride = (num_items as usize).next_multiple_of(BAND);
    if stride.is_multiple_of(2048) {
        stride + BAND
    } else {
        stride
    }
}

/// Bytes of the packed rows.
pub(super) fn packed_bytes(num_items: u32, dim: u32) -> u64 {
    u64::from(num_items).next_multiple_of(BAND as u64) * u64::from(dim).next_multiple_of(2) * 2
}

impl Matrix {
    /// Values of a row; those behind the last item are 0.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    pub(super) fn row(&self, item: u32) -> &[HalfLine] {
        let row = &self.pages.get()[item as usize * self.stride..][..self.stride];
        // Pages are aligned, and so is every row of them.
        bytemuck::cast_slice(row)
    }

    pub(super) fn compute(
        corpus: &Corpus,
        level: Level,
        num_threads: usize,
        progress: &Progress,
    ) -> Result<Matrix> {
        let num_items = corpus.num_items() as usize;
        let stride = stride(corpus.num_items());
        let mut pages = Pages::zeroed(num_items * stride, "the contribution matrix")?;
        let packed = Packed::new(corpus, num_threads)?;
        let bands = pages.get_mut()[..num_items * stride].chunks_mut(BAND * stride);
        let bands: Vec<Mutex<&mut [i16]>> = bands.map(Mutex::new).collect();
        let tasks = bands.len() * (bands.len() + 1) / 2;
        let next = AtomicUsize::new(0);
        threads::run(num_threads.min(tasks), || {
            let mut square = Square::new();
            loop {
                progress.check()?;
                let task = next.fetch_add(1, Relaxed);
                if task >= tasks {
                    return Ok(());
                }
                let (i, j) = task_bands(task);
                dispatch(level, Task { corpus, packed: &packed, i, j, square: &mut square });
                copy(&bands[i], stride, j, &square.own);
                if i != j {
                    copy(&bands[j], stride, i, &square.mirrored);
                }
            }
        })?;
        drop(bands);
        Ok(Matrix { pages, stride })
    }
}

/// The pair of bands (i <= j) of a task: tasks run through the triangle, column of bands by column.
fn task_bands(task: usize) -> (usize, usize) {
    let j = ((8 * task + 1).isqrt() - 1) / 2;
    (task - j * (j + 1) / 2, j)
}

/// The prepared rows in panels.
struct Packed {
    words: Vec<Line>,
    pairs: usize,
}

impl Packed {
    fn new(corpus: &Corpus, num_threads: usize) -> Result<Packed> {
        let pairs = (corpus.dim() as usize).div_ceil(2);
        let items = (corpus.num_items() as usize).next_multiple_of(BAND);
        let mut words = zeroed::<Line>(items / PANEL * pairs, "the packed rows")?;
        let panels =
            Mutex::new((0..corpus.num_items()).step_by(PANEL).zip(words.chunks_mut(pairs)));
        let next = || panels.lock().unwrap_or_else(PoisonError::into_inner).next();
        threads::run(num_threads.min(items / PANEL), || {
            while let Some((first, panel)) = next() {
                pack(corpus, first, panel);
            }
            Ok(())
        })?;
        Ok(Packed { words, pairs })
    }

    fn panel(&self, index: usize) -> &[Line] {
        &self.words[index * self.pairs..][..self.pairs]
    }
}

/// Packs the items from `first` into their panel.
fn pack(corpus: &Corpus, first: u32, panel: &mut [Line]) {
    let end = corpus.num_items().min(first + PANEL as u32);
    for (lane, item) in (first..end).enumerate() {
        for (pair, word) in corpus.row(item).chunks(2).zip(panel.iter_mut()) {
            let high = pair.get(1).copied().unwrap_or(0);
            word.0[lane] = i32::from(high) << 16 | i32::from(pair[0] as u16);
        }
    }
}

/// The dot products of two bands, and what they contribute: as rows of the one and as rows of the other.
struct Square {
    dots: Vec<[i32; BAND]>,
    own: Vec<[i16; BAND]>,
    mirrored: Vec<[i16; BAND]>,
}

impl Square {
    fn new() -> Square {
        let values = vec![[0; BAND]; BAND];
        Square { dots: vec![[0; BAND]; BAND], own: values.clone(), mirrored: values }
    }
}

/// Computes the square of band `i` and band `j`.
struct Task<'a> {
    corpus: &'a Corpus,
    packed: &'a Packed,
    i: usize,
    j: usize,
    square: &'a mut Square,
}

impl OnSimd for Task<'_> {
    type Output = ();

    fn run<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || {
                let Square { dots, own, mirrored } = self.square;
                multiply(simd, self.packed, self.i, self.j, dots);
                finish(self.corpus, dots, own, self.i);
                if self.i != self.j {
                    transpose(dots);
                    finish(self.corpus, dots, mirrored, self.j);
                }
            },
        );
    }
}

#[inline(always)]
fn multiply<S: Simd>(simd: S, packed: &Packed, i: usize, j: usize, dots: &mut [[i32; BAND]]) {
    let panels = BAND / PANEL;
    for b in 0..panels {
        let columns = packed.panel(j * panels + b);
        for a in 0..panels {
            let rows = packed.panel(i * panels + a);
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
    // The number of rows is a constant of the level; one array for all, the compiler drops the rest.
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

/// Contributions from dot products: the rows are the items of band `band`.
#[inline(always)]
fn finish(corpus: &Corpus, dots: &[[i32; BAND]], values: &mut [[i16; BAND]], band: usize) {
    let shift = corpus.extra_shift();
    let weights = corpus.weights()[band * BAND..].iter();
    for ((dots, values), &weight) in dots.iter().zip(values).zip(weights) {
        for (value, &dot) in values.iter_mut().zip(dots) {
            *value = contribution(dot, weight, shift);
        }
    }
}

#[inline(always)]
fn transpose(square: &mut [[i32; BAND]]) {
    for i in 0..BAND {
        let (above, below) = square.split_at_mut(i + 1);
        for (j, row) in below.iter_mut().enumerate() {
            std::mem::swap(&mut above[i][i + 1 + j], &mut row[i]);
        }
    }
}

/// Writes `values` into the rows of a band, as its columns of another.
fn copy(band: &Mutex<&mut [i16]>, stride: usize, columns: usize, values: &[[i16; BAND]]) {
    let mut rows = band.lock().unwrap_or_else(PoisonError::into_inner);
    for (row, values) in rows.chunks_exact_mut(stride).zip(values) {
        row[columns * BAND..][..BAND].copy_from_slice(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_cover_the_triangle_once() {
        let mut expected = Vec::new();
        for j in 0..40 {
            expected.extend((0..=j).map(|i| (i, j)));
        }
        let tasks: Vec<_> = (0..expected.len()).map(task_bands).collect();
        assert_eq!(tasks, expected);
    }

    #[test]
    fn rows_do_not_share_the_same_sets_of_the_caches() {
        assert_eq!(stride(1), 64);
        assert_eq!(stride(2048), 2112);
        assert_eq!(stride(7797), 7808);
    }
}
