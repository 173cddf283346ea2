//! What a run takes, and whether there is memory for it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use crate::engine::Needs;
use crate::error::{Error, Result};
use crate::memory::{self, Bytes};
use crate::rule::Weighing;

/// What a run takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunPlan {
    /// What the engine takes.
    pub engine: Needs,
    /// Bytes of the prepared rows and weights, on the host during the whole run.
    pub corpus_bytes: Bytes,
    /// Bytes of the result: in memory, or in the file. 0 for a site, whose files depend on its ids
    /// and metadata.
    pub output_bytes: Bytes,
    /// Bytes of the host's memory at the most: prepared rows, engine, and what of the result is in
    /// memory.
    pub host_bytes: Bytes,
    /// Rows of the result: sequences, or those of neighbours or similarities.
    pub rows: u64,
    /// Steps of the work: picks, or dot products.
    pub steps: u64,
    /// What the rows of the matrix hold; `None` where there is none: only sequences have one.
    pub weighing: Option<Weighing>,
}

/// What a run has on the host beside what the engine takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    /// The prepared rows and weights.
    pub(super) corpus: Bytes,
    /// What it takes to prepare them, before the engine works.
    pub(super) preparing: Bytes,
    /// What of the result is in memory, and lists.
    pub(super) held: Bytes,
}

/// How far a run is that is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing of it is there. Another run may be under way; what that holds is free afterwards.
    Asked,
    /// Its rows are prepared, and it has the engine.
    Prepared,
}

/// What bounds the host's memory of a run.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    limit: Option<Bytes>,
    /// Who has the memory, for messages.
    device: String,
    /// The most bytes that the run under way holds; 0 where there is none.
    running: Arc<AtomicU64>,
}

impl Bounds {
    /// `limit`: the most bytes that a run may take, if less than there is.
    pub(super) fn new(limit: Option<Bytes>, device: String) -> Bounds {
        Bounds { limit, device, running: Arc::default() }
    }

    /// Plans a run whose engine needs what `needs` says, given the bytes that are left for it.
    /// Refuses what does not fit. `plan` has the other numbers.
    pub(super) fn plan(
        &self,
        stage: Stage,
        beside: Beside,
        needs: impl FnOnce(Bytes) -> Result<Needs>,
        plan: RunPlan,
    ) -> Result<RunPlan> {
        let available = self.available(stage, beside);
        let engine = needs(available.less(beside.corpus + beside.held))?;
        let work = beside.held + engine.host_bytes;
        let needed = beside.corpus + beside.preparing.max(work);
        if !needed.fit(available) {
            let (needed, available) = (needed.get(), available.get());
            let device = self.device.clone();
            return Err(Error::TooLarge { what: "the run", needed, available, device });
        }
        Ok(RunPlan { engine, corpus_bytes: beside.corpus, host_bytes: needed, ..plan })
    }

    /// Bytes that the whole run may take.
    fn available(&self, stage: Stage, beside: Beside) -> Bytes {
        let free = memory::available_bytes().unwrap_or(Bytes::UNCOUNTABLE);
        let there = match stage {
            Stage::Asked => Bytes::new(self.running.load(Relaxed)),
            Stage::Prepared => beside.corpus,
        };
        let all = free + there;
        self.limit.map_or(all, |limit| limit.min(all))
    }

    /// Notes what the run holds that begins, until the guard is dropped.
    pub(super) fn begin(&self, plan: &RunPlan) -> Running<'_> {
        self.running.store(plan.host_bytes.get(), Relaxed);
        Running(&self.running)
    }
}

/// A run is under way.
pub(super) struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(0, Relaxed);
    }
}
