//! Where finished rows go: memory here, files in the store.
//!
//! Engines put each row as soon as it is finished, in any order and from any thread. These traits
//! are all they know of the place: `PutSequences` for sequences, `PutNeighbors` for neighbours,
//! `PutDots` for dot products.

use std::sync::Mutex;

use super::neighbors::Neighbors;
use crate::contract::similarity;
use crate::error::Result;
use crate::memory::zeroed_of;
use crate::plan::Plan;
use crate::sequence::{Sequence, SequenceMut, Sequences};
use crate::threads::{lock, unlocked};

/// Takes finished sequences, numbered as in the plan.
pub trait PutSequences: Sync {
    /// Takes sequence `index`, whole, with its values where the plan has some.
    fn put(&self, index: usize, row: Sequence) -> Result<()>;

    /// Gives back a sequence that was put.
    fn get(&self, index: usize, to: SequenceMut) -> Result<()>;
}

/// The rows from one on.
pub(super) struct Offset<'a> {
    pub(super) rows: &'a dyn PutSequences,
    pub(super) first: usize,
}

impl PutSequences for Offset<'_> {
    fn put(&self, index: usize, row: Sequence) -> Result<()> {
        self.rows.put(self.first + index, row)
    }

    fn get(&self, index: usize, to: SequenceMut) -> Result<()> {
        self.rows.get(self.first + index, to)
    }
}

/// All sequences in memory, row after row.
#[derive(Debug)]
pub struct MemorySequences {
    sequences: Mutex<Sequences>,
}

impl MemorySequences {
    /// Room for all sequences of `plan`.
    pub fn new(plan: &Plan) -> Result<MemorySequences> {
        let items = zeroed_of(plan.output_len(), "the sequences")?;
        let values = zeroed_of(plan.shape().values_len(), "the values of the sequences")?;
        Ok(MemorySequences { sequences: Mutex::new(Sequences { items, values }) })
    }

    /// The sequences.
    pub fn into_sequences(self) -> Sequences {
        unlocked(self.sequences)
    }
}

impl PutSequences for MemorySequences {
    fn put(&self, index: usize, row: Sequence) -> Result<()> {
        let mut sequences = lock(&self.sequences);
        let Sequence { items, values } = row;
        sequences.items[index * items.len()..][..items.len()].copy_from_slice(items);
        sequences.values[index * values.len()..][..values.len()].copy_from_slice(values);
        Ok(())
    }

    fn get(&self, index: usize, mut to: SequenceMut) -> Result<()> {
        let sequences = lock(&self.sequences);
        let (items, values) = (to.items.len(), to.values.len());
        let items = &sequences.items[index * items..][..items];
        to.copy_from(Sequence { items, values: &sequences.values[index * values..][..values] });
        Ok(())
    }
}

/// Takes the neighbours of finished queries.
pub trait PutNeighbors: Sync {
    /// Takes the neighbours of query `row`, nearest first: their numbers and dot products, k of
    /// each.
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()>;
}

/// All neighbours in memory.
#[derive(Debug)]
pub struct MemoryNeighbors {
    values: Mutex<Neighbors>,
}

impl MemoryNeighbors {
    /// Room for the `k` neighbours of each of `num_rows` queries.
    pub fn new(num_rows: u32, k: u32) -> Result<MemoryNeighbors> {
        Ok(MemoryNeighbors { values: Mutex::new(Neighbors::new(num_rows, k)?) })
    }

    /// The neighbours.
    pub fn into_neighbors(self) -> Neighbors {
        unlocked(self.values)
    }
}

impl PutNeighbors for MemoryNeighbors {
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()> {
        let mut values = lock(&self.values);
        let begin = row as usize * indices.len();
        values.indices[begin..][..indices.len()].copy_from_slice(indices);
        values.dots[begin..][..dots.len()].copy_from_slice(dots);
        Ok(())
    }
}

/// Which pairs of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Every item with every item: N x N.
    All,
    /// Each pair once, what is above the diagonal: N x (N - 1) / 2, items i < j at
    /// i x N - i x (i + 1) / 2 + j - i - 1.
    Upper,
}

impl Pairs {
    /// How many pairs there are of `num_items` items.
    pub fn count(self, num_items: u32) -> u64 {
        let n = u64::from(num_items);
        match self {
            Pairs::All => n * n,
            Pairs::Upper => n * n.saturating_sub(1) / 2,
        }
    }
}

/// Takes rows of dot products.
pub trait PutDots: Sync {
    /// Takes the dot products of item `row` with the items from `first` to the last.
    fn put(&self, row: u32, first: u32, dots: &[i32]) -> Result<()>;
}

/// The similarities of all pairs in memory: N rows of N, or of each row what is right of the
/// diagonal.
#[derive(Debug)]
pub struct MemorySimilarities {
    num_items: usize,
    pairs: Pairs,
    values: Mutex<Vec<f32>>,
}

impl MemorySimilarities {
    /// Room for the pairs of `num_items` items.
    pub fn new(num_items: u32, pairs: Pairs) -> Result<MemorySimilarities> {
        let values = Mutex::new(zeroed_of(pairs.count(num_items), "the similarities")?);
        Ok(MemorySimilarities { num_items: num_items as usize, pairs, values })
    }

    /// The similarities.
    pub fn into_values(self) -> Vec<f32> {
        unlocked(self.values)
    }
}

impl PutDots for MemorySimilarities {
    fn put(&self, row: u32, first: u32, dots: &[i32]) -> Result<()> {
        let (n, row) = (self.num_items, row as usize);
        let (begin, skipped) = match self.pairs {
            Pairs::Upper => (row * n - row * (row + 1) / 2, row + 1 - first as usize),
            Pairs::All => (row * n, 0),
        };
        let mut values = lock(&self.values);
        let row = values[begin..].iter_mut().zip(&dots[skipped..]);
        row.for_each(|(value, &dot)| *value = similarity(dot));
        Ok(())
    }
}
