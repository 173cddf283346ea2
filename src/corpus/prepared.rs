//! The prepared corpus, as all engines read it.

use super::shape::Shape;
use super::zero_rows::ZeroRows;
use crate::memory::Pages;

/// A prepared corpus: unit rows in Q15 and their weights. Immutable, shared by all workers.
#[derive(Debug, PartialEq)]
pub struct Corpus {
    pub(super) shape: Shape,
    /// All rows, and [`SLACK`](super::shape::SLACK) zeros.
    pub(super) rows: Pages,
    pub(super) weights: Vec<u16>,
    /// What was subtracted from every embedding.
    pub(super) mean: Option<Vec<f64>>,
    /// Whether rows of zeros were admitted.
    pub(super) zero_rows: ZeroRows,
}

impl Corpus {
    /// Items and dimensions.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How many items there are (N).
    pub fn num_items(&self) -> u32 {
        self.shape.num_items
    }

    /// How many dimensions an item has (D).
    pub fn dim(&self) -> u32 {
        self.shape.dim
    }

    /// The unit row of `item`, D values in -32767..=32767.
    pub fn row(&self, item: u32) -> &[i16] {
        &self.rows_from(item)[..self.shape.dim as usize]
    }

    /// The unit row of `item` and all behind it, also the zeros behind the last one: a reader may
    /// take the values by 32, and what it reads too many of the last row is there.
    pub(crate) fn rows_from(&self, item: u32) -> &[i16] {
        &self.rows.get()[item as usize * self.shape.dim as usize..]
    }

    /// The weight of every row, 0..=32768: its length over the longest length.
    pub fn weights(&self) -> &[u16] {
        &self.weights
    }
}
