//! A sequence under way, on one thread.

use super::merge::SetHash;
use super::rules::{self, Candidates};
use crate::error::Result;
use crate::memory::{room, Bytes};
use crate::plan::{Plan, PlanShape};
use crate::rule::Rule;
use crate::sequence::SequenceRow;

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

/// Room for a sequence, which one after the other has.
pub(super) struct Slot<C> {
    pub(super) sequence: u32,
    pub(super) row: SequenceRow,
    pub(super) picked: u32,
    /// Rows of the head that wait to be added, the next one last.
    pub(super) replay: Vec<u32>,
    /// The item whose row is added next.
    pub(super) last: u32,
    pub(super) hash: SetHash,
    /// See `Start::alone`.
    pub(super) alone: bool,
    pub(super) candidates: C,
}

impl<C: Candidates> Slot<C> {
    /// Room for sequences of `plan`.
    pub(super) fn new(candidates: C, plan: &Plan) -> Result<Slot<C>> {
        let row = plan.row()?;
        let replay = room(plan.head() as usize, "the head of a sequence")?;
        let (hash, alone) = (SetHash::default(), false);
        Ok(Slot { sequence: 0, row, picked: 0, replay, last: 0, hash, alone, candidates })
    }

    pub(super) fn begin(&mut self, plan: &Plan, start: Start) -> Result<()> {
        let Start { sequence, alone } = start;
        (self.sequence, self.picked, self.alone) = (sequence, 0, alone);
        self.hash = SetHash::default();
        self.candidates.clear();
        let head = plan.head() as usize;
        plan.read_head(sequence, self.row.begin_mut(head))?;
        (0..head).for_each(|place| self.take(self.row.items[place]));
        self.replay_head(plan.rule(), head);
        self.last = self.replay.pop().unwrap_or_default();
        Ok(())
    }

    /// Which rows of the head are added, the next one last: in the order of their numbers, so that
    /// the sequences of a thread, whose heads have much in common, find each other's rows in the
    /// caches. Mmr needs the first item's row first, a chain only the last one's.
    fn replay_head(&mut self, rule: Rule, head: usize) {
        let items = &self.row.items[..head];
        self.replay.clear();
        match rule {
            Rule::Centroid | Rule::Farthest => self.replay.extend(items),
            Rule::Mmr(_) => self.replay.extend(&items[1..]),
            Rule::Chain => self.replay.extend(items.last()),
        }
        self.replay.sort_unstable_by(|a, b| b.cmp(a));
        if let Rule::Mmr(_) = rule {
            self.replay.extend(items.first());
        }
    }

    pub(super) fn take(&mut self, item: u32) {
        self.candidates.take(item);
        self.row.items[self.picked as usize] = item;
        self.picked += 1;
        self.last = item;
        self.hash.add(item);
    }
}
