//! What the rest of the library knows of an engine: what it computes, and what that takes.
//!
//! An `Engine` works for one caller at a time; its `Planner` says at any time what a run would
//! take.

use std::sync::Arc;

use super::device::DeviceInfo;
use super::neighbors::{Neighbors, Query, QueryShape};
use super::rows::{MemoryNeighbors, MemorySequences, Pairs, PutDots, PutNeighbors, PutSequences};
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::memory::Bytes;
use crate::plan::{Plan, PlanShape};
use crate::progress::Progress;
use crate::sequence::Sequences;

/// Says what runs on an engine take, also while the engine works. Takes no memory that grows with
/// what is planned.
pub trait Planner: Send + Sync {
    /// What a run of this shape over a corpus of this size takes, or why the device cannot do it.
    fn needs(&self, shape: Shape, plan: &PlanShape) -> Result<Needs>;

    /// What a search of this shape takes, or why the device cannot do it.
    fn search_needs(&self, shape: &QueryShape) -> Result<Needs>;

    /// What [`Engine::dots`] takes.
    fn dots_needs(&self, shape: Shape) -> Result<Needs>;
}

/// Computes sequences, neighbours and similarities. One call at a time.
pub trait Engine: Send {
    /// The device it works on.
    fn info(&self) -> &DeviceInfo;

    /// Who plans for it.
    fn planner(&self) -> Arc<dyn Planner>;

    /// Computes the planned sequences of `corpus`, with one pick at least, and puts them into
    /// `rows`. Every sequence begins with its head; each further item is the untaken one with the
    /// lowest cost (see [`crate::rule`]), on equal costs the lowest number.
    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()>;

    /// Finds the nearest items of every query (see [`super::neighbors`]) and puts them into `rows`.
    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()>;

    /// Puts the dot products of every item with all items into `rows`; of [`Pairs::Upper`] at least
    /// those with later items.
    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        rows: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()>;

    /// From now on, the matrix of a run over `corpus` may stay for the next one over it, on the
    /// host or on the device. A run that has no use for it frees it. An engine may keep nothing.
    fn keep(&mut self, corpus: &Arc<Corpus>) {
        let _ = corpus;
    }

    /// Frees what is kept.
    fn free_kept(&mut self) {}

    /// Bytes of the host's memory that are kept between runs.
    fn kept_bytes(&self) -> Bytes {
        Bytes::ZERO
    }

    /// [`Planner::needs`].
    fn needs(&self, shape: Shape, plan: &PlanShape) -> Result<Needs> {
        self.planner().needs(shape, plan)
    }

    /// [`Planner::search_needs`].
    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        self.planner().search_needs(shape)
    }

    /// [`Planner::dots_needs`].
    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        self.planner().dots_needs(shape)
    }

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
    ) -> Result<Sequences> {
        let rows = MemorySequences::new(plan)?;
        self.sequences(corpus, plan, &rows, progress)?;
        Ok(rows.into_sequences())
    }
}

/// How the rows come that picks add. Whichever it is, the bits are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowSource {
    /// All of them are computed before the first pick.
    Matrix,
    /// A row is computed when it is first needed, on the CPU engine with some that the next steps
    /// likely need, and kept as long as there is room.
    Cache,
    /// Rows are computed in every step, and none is kept.
    Direct,
    /// Rows wait for the items: one is looked at again only when it may be the next pick. With
    /// rules whose costs only rise, farthest and mmr.
    Lazy,
}

/// What a run takes, beside the prepared corpus and the sequences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The most bytes of the host's memory that the engine holds at once.
    pub host_bytes: Bytes,
    /// The most bytes of the device's memory that it holds at once; 0 for the built-in engines. All
    /// counts here are sums over several engines, as if each did the whole run, but for
    /// `held_rows`, which is the lowest.
    pub device_bytes: Bytes,
    /// Groups of sequences or queries that are computed side by side, one after the other; finished
    /// ones are kept after each.
    pub groups: u64,
    /// Submissions to the device, at least; 0 for the built-in engines.
    pub dispatches: u64,
    /// Rows of the contribution matrix that the engine holds at once. Fewer than there are items:
    /// the others are computed when they are needed. 0 where none is kept.
    pub held_rows: u64,
    /// How rows come; `None` where a run needs none. Of several engines the one that keeps least.
    pub row_source: Option<RowSource>,
    /// Multiply-adds of the rows of a run: where rows are kept, or wait, about.
    pub multiply_adds: u64,
}
