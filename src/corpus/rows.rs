//! Rows of embeddings in f64, less what is subtracted from each, some values at a time.

use super::elements::Elements;
use super::zero_rows::ZeroRows;
use crate::error::Error;

/// Values of a row that are worked on at a time: with so few a thread needs no more scratch than
/// its stack has room for, and they stay in the nearest cache. With fewer the rows of common models
/// would not be read from one end to the other, and memory would be slower.
pub(super) const WIDTH: usize = 512;

/// Embeddings, and what is subtracted from each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) elements: Elements<'a>,
    pub(super) dim: usize,
    pub(super) mean: Option<&'a [f64]>,
    pub(super) zero_rows: ZeroRows,
}

impl Rows<'_> {
    /// Writes values of row `item`, from dimension `first` on, to all of `to`.
    pub(super) fn load(&self, item: usize, first: usize, to: &mut [f64]) {
        self.elements.widen(item * self.dim + first, to);
        if let Some(mean) = self.mean {
            to.iter_mut().zip(&mean[first..]).for_each(|(value, mean)| *value -= mean);
        }
    }

    /// The first value of row `item` that is not finite, before anything is subtracted.
    pub(super) fn not_finite(&self, item: usize) -> Option<Error> {
        let all = Rows { mean: None, ..*self };
        let (dimension, value) = all.find(item, |value| !value.is_finite())?;
        let value = if value.is_nan() { "a NaN" } else { "an infinity" };
        Some(Error::NotFinite { item: item as u32, dimension: dimension as u32, value })
    }

    /// The first value of row `item` that is `wanted`, with its dimension.
    pub(super) fn find(&self, item: usize, wanted: impl Fn(f64) -> bool) -> Option<(usize, f64)> {
        let mut wide = [0.0; WIDTH];
        (0..self.dim).step_by(WIDTH).find_map(|first| {
            let wide = &mut wide[..WIDTH.min(self.dim - first)];
            self.load(item, first, wide);
            let at = wide.iter().position(|&value| wanted(value))?;
            Some((first + at, wide[at]))
        })
    }
}
