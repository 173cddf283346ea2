//! Where finished sequences go: memory here, a file in the store.
//!
//! Engines put each sequence as soon as it is finished, in any order and from any thread. `Rows` is all they know of the
//! place.

use std::sync::{Mutex, PoisonError};

use crate::error::{zeroed, Result};
use crate::plan::Plan;

/// Takes finished sequences, numbered as in the plan.
pub trait Rows: Sync {
    /// Takes sequence `index`, whole.
    fn put(&self, index: usize, row: &[u32]) -> Result<()>;

    /// Gives back a sequence that was put.
    fn get(&self, index: usize, row: &mut [u32]) -> Result<()>;
}

/// All sequences in memory, row after row.
#[derive(Debug)]
pub struct MemoryRows {
    values: Mutex<Vec<u32>>,
}

impl MemoryRows {
    /// Room for all sequences of `plan`.
    pub fn new(plan: &Plan) -> Result<MemoryRows> {
        Ok(MemoryRows { values: Mutex::new(zeroed(plan.output_len(), "the sequences")?) })
    }

    /// The sequences.
    pub fn into_values(self) -> Vec<u32> {
        self.values.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows for MemoryRows {
    fn put(&self, index: usize, row: &[u32]) -> Result<()> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values[index * row.len()..][..row.len()].copy_from_slice(row);
        Ok(())
    }

    fn get(&self, index: usize, row: &mut [u32]) -> Result<()> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        row.copy_from_slice(&values[index * row.len()..][..row.len()]);
        Ok(())
    }
}
