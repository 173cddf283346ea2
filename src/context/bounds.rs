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
    /// The most bytes that the run under way holds; where there is none, what the engine keeps.
    held: Arc<AtomicU64>,
}

impl Bounds {
    /// `limit`: the most bytes that a run may take, if less than there is.
    pub(super) fn new(limit: Option<Bytes>, device: String) -> Bounds {
        Bounds { limit, device, held: Arc::default() }
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
        // What the engine keeps is used again, or freed.
        let held = Bytes::new(self.held.load(Relaxed));
        let there = match stage {
            Stage::Asked => held,
            Stage::Prepared => held + beside.corpus,
        };
        let all = free + there;
        self.limit.map_or(all, |limit| limit.min(all))
    }

    /// Notes what the run holds that begins, until the guard is dropped.
    pub(super) fn begin(&self, plan: &RunPlan) -> Running<'_> {
        self.held.store(plan.host_bytes.get(), Relaxed);
        Running { held: &self.held, kept: Bytes::ZERO }
    }

    /// Notes that the engine keeps nothing.
    pub(super) fn nothing_kept(&self) {
        self.held.store(0, Relaxed);
    }
}

/// A run is under way.
pub(super) struct Running<'a> {
    held: &'a AtomicU64,
    /// What the engine keeps when it ends.
    pub(super) kept: Bytes,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.held.store(self.kept.get(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_keeps_counts_as_room_for_the_next_run() {
        let bounds = Bounds::new(None, "a test".into());
        let held = || bounds.held.load(Relaxed);
        let plan = RunPlan { host_bytes: Bytes::new(100), ..RunPlan::default() };
        let mut running = bounds.begin(&plan);
        assert_eq!(held(), 100);
        running.kept = Bytes::new(40);
        drop(running);
        assert_eq!(held(), 40);
        drop(bounds.begin(&plan));
        assert_eq!(held(), 0);
        // More than any machine has free.
        bounds.begin(&plan).kept = Bytes::new(1 << 60);
        let beside = Beside { corpus: Bytes::ZERO, preparing: Bytes::ZERO, held: Bytes::ZERO };
        for stage in [Stage::Asked, Stage::Prepared] {
            assert!(Bytes::new(1 << 60).fit(bounds.available(stage, beside)));
        }
        bounds.nothing_kept();
        assert!(!Bytes::new(1 << 60).fit(bounds.available(Stage::Prepared, beside)));
    }
}
