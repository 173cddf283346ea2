//! The corpus: embeddings checked and turned into the integers that every engine works on.
//!
//! This is the only place with floating point. `Elements` is the caller's matrix in its own element
//! type; `Corpus::prepare` applies steps 1 and 2 of the arithmetic contract in f64:
//! `q = round(x / norm * 32767)` for every value and `w = round(norm / max norm * 32768)` for every
//! row, halves away from zero. Nothing here knows of engines or devices.

mod elements;
mod prepare;

pub use elements::Elements;
pub(crate) use prepare::check_shape;

/// The most dimensions an embedding may have. The dot product of two prepared rows stays below
/// (32767 + sqrt(65536) / 2)^2 < 2^31 and a device loop over a row below 65,535 rounds.
pub const MAX_DIM: u32 = 65_536;

/// A prepared corpus: unit rows in Q15 and their weights. Immutable, shared by all workers.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    num_items: u32,
    dim: u32,
    rows: Vec<i16>,
    weights: Vec<u16>,
    /// What was subtracted from every embedding.
    mean: Option<Vec<f64>>,
}

impl Corpus {
    /// How many items there are (N).
    pub fn num_items(&self) -> u32 {
        self.num_items
    }

    /// How many dimensions an item has (D).
    pub fn dim(&self) -> u32 {
        self.dim
    }

    /// The unit row of `item`, D values in -32767..=32767.
    pub fn row(&self, item: u32) -> &[i16] {
        let dim = self.dim as usize;
        &self.rows[item as usize * dim..][..dim]
    }

    /// The weight of every row, 0..=32768: its length over the longest length.
    pub fn weights(&self) -> &[u16] {
        &self.weights
    }

    /// The extra shift `e` of the contract: the smallest with N <= 65536 * 2^e, so that a sum of N
    /// contributions fits an i32.
    pub fn extra_shift(&self) -> u32 {
        extra_shift(self.num_items)
    }
}

/// See [`Corpus::extra_shift`].
pub fn extra_shift(num_items: u32) -> u32 {
    num_items.div_ceil(65_536).next_power_of_two().trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::extra_shift;

    #[test]
    fn extra_shift_grows_where_a_sum_would_overflow() {
        let cases = [(1, 0), (65_536, 0), (65_537, 1), (131_072, 1), (131_073, 2), (u32::MAX, 16)];
        for (num_items, shift) in cases {
            assert_eq!(extra_shift(num_items), shift, "{num_items} items");
        }
    }
}
