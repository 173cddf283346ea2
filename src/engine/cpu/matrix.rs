//! The contribution matrix: a product of the prepared rows with themselves, its symmetric half
//! only.
//!
//! A task is a square of 64 x 64 items, I <= J: its dot products are computed once and written
//! twice, as rows of I and as rows of J. Each band of 64 matrix rows has a lock that is held only
//! for that copy (128 bytes a row). This is the source of the rows that `sequences` adds.

use std::sync::Mutex;

use super::product::{multiply, new_square, transpose, BandPair, Packed, BAND};
use super::simd::{HalfLine, OnSimd, Simd};
use super::workers::Workers;
use crate::contract::{contribution, extra_shift, similarity_q15};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::memory::{collected, Bytes, Pages};
use crate::progress::Progress;
use crate::rule::Weighing;
use crate::threads::lock;

/// The matrix: row s holds what picking s adds to the score of every item.
#[derive(Debug)]
pub(super) struct Matrix {
    pages: Pages,
    num_items: u32,
    stride: usize,
}

/// Values from one row to the next: whole cache lines, and not a multiple of 4 KiB, which would map
/// all rows to the same few sets of the caches.
pub(super) fn stride(num_items: u32) -> usize {
    let stride = (num_items as usize).next_multiple_of(BAND);
    if stride.is_multiple_of(2048) {
        stride + BAND
    } else {
        stride
    }
}

impl Matrix {
    pub(super) fn num_items(&self) -> u32 {
        self.num_items
    }

    pub(super) fn bytes(&self) -> Bytes {
        Bytes::of::<i16>(self.pages.get().len() as u64)
    }

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
        weighing: Weighing,
        workers: Workers,
        progress: &Progress,
    ) -> Result<Matrix> {
        let num_items = corpus.num_items();
        let stride = stride(num_items);
        // Beyond 2^64 bytes, which no system gives, the product need not be exact.
        let values = u64::from(num_items).saturating_mul(stride as u64);
        let mut pages = Pages::zeroed(values, "the contribution matrix")?;
        let packed = Packed::new(corpus, workers.num_threads)?;
        let bands = pages.get_mut()[..values as usize].chunks_mut(BAND * stride);
        let bands: Vec<Mutex<&mut [i16]>> = collected(bands.map(Mutex::new), "the bands")?;
        let scratch = || Ok(Contributions::new());
        workers.each(BandPair::count(bands.len()), scratch, |task, scratch| {
            progress.check()?;
            let BandPair { i, j } = BandPair::of_task(task);
            workers.dispatch(Task { corpus, weighing, packed: &packed, i, j, scratch });
            copy(&bands[i], stride, j, &scratch.own);
            if i != j {
                copy(&bands[j], stride, i, &scratch.mirrored);
            }
            Ok(())
        })?;
        drop(bands);
        Ok(Matrix { pages, num_items, stride })
    }
}

/// The dot products of two bands, and what they contribute: as rows of the one and as rows of the
/// other.
struct Contributions {
    dots: Vec<[i32; BAND]>,
    own: Vec<[i16; BAND]>,
    mirrored: Vec<[i16; BAND]>,
}

impl Contributions {
    fn new() -> Contributions {
        let values = vec![[0; BAND]; BAND];
        Contributions { dots: new_square(), own: values.clone(), mirrored: values }
    }
}

/// Computes the contributions of band `i` and band `j`.
struct Task<'a> {
    corpus: &'a Corpus,
    weighing: Weighing,
    packed: &'a Packed,
    i: usize,
    j: usize,
    scratch: &'a mut Contributions,
}

impl OnSimd for Task<'_> {
    type Output = ();

    fn run<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || {
                let Contributions { dots, own, mirrored } = self.scratch;
                multiply(simd, self.packed.band(self.i), self.packed.band(self.j), dots);
                finish(self.corpus, self.weighing, dots, own, self.i);
                if self.i != self.j {
                    transpose(dots);
                    finish(self.corpus, self.weighing, dots, mirrored, self.j);
                }
            },
        );
    }
}

/// Contributions, or similarities, from dot products: the rows are the items of band `band`.
#[inline(always)]
fn finish(
    corpus: &Corpus,
    weighing: Weighing,
    dots: &[[i32; BAND]],
    values: &mut [[i16; BAND]],
    band: usize,
) {
    let shift = extra_shift(corpus.num_items());
    let weights = corpus.weights()[band * BAND..].iter();
    for ((dots, values), &weight) in dots.iter().zip(values).zip(weights) {
        let places = values.iter_mut().zip(dots);
        match weighing {
            Weighing::Weighted => {
                places.for_each(|(value, &dot)| *value = contribution(dot, weight, shift));
            }
            Weighing::Plain => places.for_each(|(value, &dot)| *value = similarity_q15(dot)),
        }
    }
}

/// Writes `values` into the rows of a band, as its columns of another.
fn copy(band: &Mutex<&mut [i16]>, stride: usize, columns: usize, values: &[[i16; BAND]]) {
    let mut rows = lock(band);
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
