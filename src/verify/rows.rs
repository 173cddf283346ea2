//! The embeddings in f64, centred if the results are; a row at a time.

use crate::corpus::{Input, Shape};
use crate::error::Result;
use crate::memory::{zeroed, Bytes};

/// Rows, and one of them or the sum of some to compare others with: the anchor.
pub(super) struct Rows<'a> {
    input: &'a Input<'a>,
    /// What is subtracted from every row.
    mean: Option<Vec<f64>>,
    norms: Vec<f64>,
    anchor: Vec<f64>,
    /// Its length.
    length: f64,
    /// The row that was loaded last.
    row: Vec<f64>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Result<Rows<'a>> {
        let (count, dim) = (input.num_items as usize, input.dim as usize);
        let zeros = |len: usize| zeroed::<f64>(len, "the check of picks");
        let (norms, anchor, row) = (zeros(count)?, zeros(dim)?, zeros(dim)?);
        let mut rows = Rows { input, mean: None, norms, anchor, length: 0.0, row };
        if input.center {
            rows.mean = Some(rows.mean(zeros(dim)?));
        }
        for item in 0..input.num_items {
            rows.load(item);
            rows.norms[item as usize] = dot(&rows.row, &rows.row).sqrt();
        }
        Ok(rows)
    }

    /// What they hold.
    pub(super) fn bytes(shape: Shape) -> Bytes {
        Bytes::of::<f64>(shape.num_items.into()) + Bytes::of::<f64>(shape.dim.into()) * 3
    }

    pub(super) fn num_items(&self) -> u32 {
        self.input.num_items
    }

    /// The mean of all rows, into `sum`.
    fn mean(&mut self, mut sum: Vec<f64>) -> Vec<f64> {
        for item in 0..self.input.num_items {
            self.load(item);
            add(&mut sum, &self.row);
        }
        sum.iter_mut().for_each(|sum| *sum /= f64::from(self.input.num_items));
        sum
    }

    fn load(&mut self, item: u32) {
        self.input.elements.widen_row(item as usize, &mut self.row);
        if let Some(mean) = &self.mean {
            self.row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
        }
    }

    /// Nothing is the anchor.
    pub(super) fn clear_anchor(&mut self) {
        self.anchor.fill(0.0);
        self.length = 0.0;
    }

    /// The anchor becomes this item.
    pub(super) fn anchor_at(&mut self, item: u32) {
        self.clear_anchor();
        self.add_to_anchor(item);
    }

    /// The anchor becomes the sum of itself and this item.
    pub(super) fn add_to_anchor(&mut self, item: u32) {
        self.load(item);
        add(&mut self.anchor, &self.row);
        self.length = dot(&self.anchor, &self.anchor).sqrt();
    }

    /// Whether the anchor has a direction.
    pub(super) fn has_direction(&self) -> bool {
        self.length > 0.0
    }

    /// The cosine similarity of an item with the anchor; 0 where one of them has no direction.
    pub(super) fn cosine(&mut self, item: u32) -> f64 {
        let lengths = self.norms[item as usize] * self.length;
        if lengths == 0.0 {
            return 0.0;
        }
        self.load(item);
        dot(&self.row, &self.anchor) / lengths
    }
}

fn add(sum: &mut [f64], row: &[f64]) {
    sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums at once, for the vector registers.
    let mut sums = [0.0; 4];
    let (chunks_a, chunks_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in chunks_a.zip(chunks_b) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}
