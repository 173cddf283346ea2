//! A sequence under way, on one thread.

use super::merge::SetHash;
use super::scores::Scores;
use crate::error::Result;
use crate::memory::{room, Bytes};
use crate::plan::Plan;
use crate::sequence::SequenceRow;

/// Sequences that a thread works on in turn. Two, while their scores stay in 24 of the 32 KiB of a
/// first-level cache; with scores that do not, four: the rows then come from memory and need more
/// time to arrive.
pub(super) fn count(stride: usize) -> usize {
    if 2 * stride * size_of::<i32>() <= 24 * 1024 {
        2
    } else {
        4
    }
}

/// Bytes that `num_threads` threads hold for their sequences.
pub(super) fn bytes(stride: usize, length: u32, num_threads: usize) -> Bytes {
    let scores = Bytes::of::<i32>(stride as u64);
    // A row, and as much again for those of a head.
    let rows = Bytes::of::<u32>(length.into()) * 2;
    (scores + rows) * (num_threads * count(stride)) as u64
}

/// A sequence of a plan to begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) sequence: u32,
    /// It is to be computed without a look at others: see `Meetings::next_alone`.
    pub(super) alone: bool,
}

/// Room for a sequence, which one after the other has.
pub(super) struct Slot {
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
    pub(super) scores: Scores,
}

impl Slot {
    /// Room for sequences of `plan`.
    pub(super) fn new(scores: Scores, plan: &Plan) -> Result<Slot> {
        let row = plan.row()?;
        let replay = room(plan.head() as usize, "the head of a sequence")?;
        let (hash, alone) = (SetHash::default(), false);
        Ok(Slot { sequence: 0, row, picked: 0, replay, last: 0, hash, alone, scores })
    }

    pub(super) fn begin(&mut self, plan: &Plan, start: Start) -> Result<()> {
        let Start { sequence, alone } = start;
        (self.sequence, self.picked, self.alone) = (sequence, 0, alone);
        self.hash = SetHash::default();
        self.scores.clear();
        let head = plan.head() as usize;
        plan.read_head(sequence, self.row.begin_mut(head))?;
        self.replay.clear();
        self.replay.extend(&self.row.items[..head]);
        (0..head).for_each(|place| self.take(self.row.items[place]));
        self.replay.sort_unstable_by(|a, b| b.cmp(a));
        self.last = self.replay.pop().unwrap_or_default();
        Ok(())
    }

    pub(super) fn take(&mut self, item: u32) {
        self.scores.take(item);
        self.row.items[self.picked as usize] = item;
        self.picked += 1;
        self.last = item;
        self.hash.add(item);
    }
}
