//! What the rest of the library knows of an engine: what it computes, and what that takes.

use super::device::DeviceInfo;
use super::neighbors::{Neighbors, Query, QueryShape};
use super::rows::{MemoryNeighbors, MemorySequences, Pairs, PutDots, PutNeighbors, PutSequences};
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::plan::Plan;
use crate::progress::Progress;

/// Computes sequences, neighbours and similarities. One call at a time.
pub trait Engine: Send {
    /// The device it works on.
    fn info(&self) -> &DeviceInfo;

    /// What a run of `plan` over a corpus of this size takes, or why this device cannot do it.
    fn needs(&self, shape: Shape, plan: &Plan) -> Result<Needs>;

    /// Computes the planned sequences of `corpus`, with one pick at least, and puts them into
    /// `rows`. Every sequence begins with its head; each further item is the untaken one with the
    /// lowest score, on equal scores the lowest number.
    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()>;

    /// What a search of this shape takes, or why this device cannot do it.
    fn search_needs(&self, shape: &QueryShape) -> Result<Needs>;

    /// Finds the nearest items of every query (see [`super::neighbors`]) and puts them into `rows`.
    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()>;

    /// What [`Engine::dots`] takes.
    fn dots_needs(&self, shape: Shape) -> Result<Needs>;

    /// Puts the dot products of every item with all items into `rows`; of [`Pairs::Upper`] at least
    /// those with later items.
    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        rows: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()>;

    /// [`Engine::neighbors`] into memory.
    fn neighbors_in_memory(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        progress: &Progress,
    ) -> Result<Neighbors> {
        let rows = MemoryNeighbors::new(query.rows(corpus).num_items(), query.k)?;
        self.neighbors(corpus, query, &rows, progress)?;
        Ok(rows.into_neighbors())
    }

    /// [`Engine::sequences`] into memory.
    fn sequences_in_memory(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        progress: &Progress,
    ) -> Result<Vec<u32>> {
        let rows = MemorySequences::new(plan)?;
        self.sequences(corpus, plan, &rows, progress)?;
        Ok(rows.into_values())
    }
}

/// What a run takes, beside the prepared corpus and the sequences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The most bytes of the host's memory that the engine holds at once.
    pub host_bytes: u64,
    /// The most bytes of the device's memory that it holds at once; 0 for the built-in engines. All
    /// counts here are sums over several engines, as if each did the whole run, but for
    /// `held_rows`, which is the lowest.
    pub device_bytes: u64,
    /// Groups of sequences or queries that are computed side by side, one after the other; finished
    /// ones are kept after each.
    pub groups: u64,
    /// Submissions to the device, at least; 0 for the built-in engines.
    pub dispatches: u64,
    /// Rows of the contribution matrix that the engine holds at once. Fewer than there are items:
    /// the others are computed when they are needed, and a run takes longer. 0 where there is no
    /// matrix.
    pub held_rows: u64,
}
