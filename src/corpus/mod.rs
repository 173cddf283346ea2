//! The corpus: embeddings checked and turned into the integers that every engine works on.
//!
//! This is the only place with floating point. `Elements` is the caller's matrix in its own element
//! type; `Corpus::prepare` applies steps 1 and 2 of the arithmetic contract in f64:
//! `q = round(x / norm * 32767)` for every value and `w = round(norm / max norm * 32768)` for every
//! row, halves away from zero. Nothing here knows of engines or devices.

mod elements;
mod input;
mod prepare;

pub use elements::Elements;
pub use input::{Input, Shape};

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

    /// Items and dimensions.
    pub fn shape(&self) -> Shape {
        Shape::new(self.num_items, self.dim)
    }
}
