//! Sequences under way on one thread, each with what it knows of all items.

use super::rules::{self, Candidates};
use super::track::Track;
use crate::error::Result;
use crate::memory::Bytes;
use crate::plan::{Plan, PlanShape};
use crate::rule::Rule;

/// Sequences that a thread works on in turn. Two, while what they know of the items stays in 24 of
/// the 32 KiB of a first-level cache; if it does not, four: the rows then come from memory and need
/// more time to arrive.
pub(super) fn count(rule: Rule, stride: usize) -> usize {
    if 2 * stride * rules::item_bytes(rule) <= 24 * 1024 {
        2
    } else {
        4
    }
}

/// Bytes that `num_threads` threads hold for their sequences.
pub(super) fn bytes(plan: &PlanShape, stride: usize, num_threads: usize) -> Bytes {
    let candidates = Bytes::new(rules::item_bytes(plan.rule) as u64) * stride as u64;
    // A row, and as much again for the items of a head.
    let rows = plan.row_bytes() + Bytes::of::<u32>(plan.length.into());
    (candidates + rows) * (num_threads * count(plan.rule, stride)) as u64
}

/// A sequence of a plan to begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) sequence: u32,
    /// It is to be computed without a look at others: see `Meetings::next_alone`.
    pub(super) alone: bool,
}

/// A sequence and what it knows of the items.
pub(super) struct Slot<C> {
    pub(super) track: Track,
    pub(super) candidates: C,
    /// See `Start::alone`.
    pub(super) alone: bool,
}

impl<C: Candidates> Slot<C> {
    pub(super) fn begin(&mut self, plan: &Plan, start: Start) -> Result<()> {
        self.alone = start.alone;
        self.track.begin(plan, start.sequence)?;
        self.candidates.clear();
        self.track.items().iter().for_each(|&item| self.candidates.take(item));
        Ok(())
    }
}
