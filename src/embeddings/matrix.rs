//! Rows of parsed values, which grow in one vector.
//!
//! Parsed embeddings take no more than the vector: it is made as large as the first row says that
//! all will be, and grows by an eighth where that was too little.

use super::stop::{Read, Stop};
use crate::corpus::{Shape, MAX_DIM};
use crate::error::Error;
use crate::flaw::Flaw;
use crate::memory::reserve;

/// The least number of values that the vector grows by.
const LEAST_GROWTH: usize = 1 << 12;

/// Rows of equal length.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    values: Vec<f32>,
    /// Dimensions, once the first row is whole.
    dim: u32,
    num_items: u32,
    /// Where the row that grows begins.
    begin: usize,
}

impl Matrix {
    /// The rows that are whole.
    pub(super) fn shape(&self) -> Shape {
        Shape::new(self.num_items, self.dim)
    }

    /// The number of the row that grows.
    pub(super) fn item(&self) -> u32 {
        self.num_items
    }

    /// The dimension of the next value.
    pub(super) fn dimension(&self) -> u32 {
        (self.values.len() - self.begin) as u32
    }

    /// Adds a value to the row that grows.
    #[inline]
    pub(super) fn push(&mut self, value: f32) -> Read<()> {
        if self.values.len() == self.values.capacity() {
            self.grow()?;
        }
        self.values.push(value);
        Ok(())
    }

    /// Makes room for `more` values at once.
    pub(super) fn expect(&mut self, more: u64) -> Read<()> {
        let what = "the embeddings";
        let more = usize::try_from(more).map_err(|_| Error::HostMemory { what, bytes: more })?;
        if self.values.capacity() - self.values.len() < more {
            reserve(&mut self.values, more, what)?;
        }
        Ok(())
    }

    #[cold]
    fn grow(&mut self) -> Read<()> {
        let row = self.values.len() - self.begin;
        if row > MAX_DIM as usize {
            return Err(Stop::file(Flaw::DimTooLarge { dim: row as u64, limit: MAX_DIM }));
        }
        let more = (self.values.len() / 8).max(LEAST_GROWTH);
        Ok(reserve(&mut self.values, more, "the embeddings")?)
    }

    /// Ends the row. Whether it is the first one.
    pub(super) fn end_row(&mut self) -> Result<bool, Flaw> {
        let (item, length) = (self.num_items, (self.values.len() - self.begin) as u64);
        let is_first = item == 0;
        if is_first {
            if length == 0 {
                return Err(Flaw::Empty);
            }
            if length > MAX_DIM.into() {
                return Err(Flaw::DimTooLarge { dim: length, limit: MAX_DIM });
            }
            self.dim = length as u32;
        }
        if length != u64::from(self.dim) {
            return Err(Flaw::Ragged { item, length, dim: self.dim });
        }
        self.num_items = item.checked_add(1).ok_or(Flaw::TooManyItems)?;
        self.begin = self.values.len();
        Ok(is_first)
    }

    /// Puts the row of item i to place `places[i]`; `places` holds each place once, and is used up.
    pub(super) fn permute(&mut self, places: &mut [u32]) {
        let dim = self.dim as usize;
        for item in 0..places.len() {
            while places[item] as usize != item {
                let to = places[item] as usize;
                let (low, high) = (item.min(to), item.max(to));
                let (before, behind) = self.values.split_at_mut(high * dim);
                before[low * dim..][..dim].swap_with_slice(&mut behind[..dim]);
                places.swap(item, to);
            }
        }
    }

    /// All values, in no more memory than they need.
    pub(super) fn into_values(mut self) -> Vec<f32> {
        self.values.shrink_to_fit();
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_equally_long_and_can_be_put_in_order() {
        let mut matrix = Matrix::default();
        for item in [2, 0, 3, 1] {
            for value in 0..3 {
                matrix.push((item * 10 + value) as f32).unwrap();
            }
            assert_eq!(matrix.end_row(), Ok(matrix.item() == 1));
        }
        matrix.permute(&mut [2, 0, 3, 1]);
        assert_eq!(matrix.shape(), Shape::new(4, 3));
        matrix.push(1.0).unwrap();
        assert_eq!(matrix.end_row(), Err(Flaw::Ragged { item: 4, length: 1, dim: 3 }));
        let values = matrix.into_values();
        assert_eq!(values[..4], [0.0, 1.0, 2.0, 10.0]);
        assert_eq!(values[9..12], [30.0, 31.0, 32.0]);
    }
}
