//! The contribution matrix: a product of the prepared rows with themselves, its symmetric half only.
//!
//! A task is a square of 64 x 64 items, I <= J: its dot products are computed once and written twice, as rows of I and as
//! rows of J. Each band of 64 matrix rows has a lock that is held only for that copy (128 bytes a row).

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::pages::Pages;
use super::product::{multiply, task_bands, transpose, Packed, BAND};
use super::simd::{dispatch, HalfLine, Level, OnSimd, Simd};
use crate::contract::{contribution, extra_shift};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::progress::Progress;
use crate::threads;

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
                multiply(simd, (self.packed, self.i), (self.packed, self.j), dots);
                finish(self.corpus, dots, own, self.i);
                if self.i != self.j {
                    transpose(dots);
                    finish(self.corpus, dots, mirrored, self.j);
                }
            },
        );
    }
}

/// Contributions from dot products: the rows are the items of band `band`.
#[inline(always)]
fn finish(corpus: &Corpus, dots: &[[i32; BAND]], values: &mut [[i16; BAND]], band: usize) {
    let shift = extra_shift(corpus.num_items());
    let weights = corpus.weights()[band * BAND..].iter();
    for ((dots, values), &weight) in dots.iter().zip(values).zip(weights) {
        for (value, &dot) in values.iter_mut().zip(dots) {
            *value = contribution(dot, weight, shift);
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
    fn rows_do_not_share_the_same_sets_of_the_caches() {
        assert_eq!(stride(1), 64);
        assert_eq!(stride(2048), 2112);
        assert_eq!(stride(7797), 7808);
    }
}
