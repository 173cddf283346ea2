//! A sequence under way, on one thread.

use super::merge::SetHash;
use super::scores::Scores;
use crate::error::{zeroed, Result};

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
pub(super) fn bytes(stride: usize, length: u32, num_threads: usize) -> u64 {
    (num_threads * count(stride)) as u64 * (stride as u64 * 4 + u64::from(length) * 4)
}

/// What a sequence begins with.
pub(super) struct Start<'a> {
    pub(super) sequence: u32,
    pub(super) head: &'a [u32],
    /// It is to be computed without a look at others: see `Meetings::next_alone`.
    pub(super) alone: bool,
}

/// Room for a sequence, which one after the other has.
pub(super) struct Slot {
    pub(super) sequence: u32,
    pub(super) row: Vec<u32>,
    pub(super) picked: u32,
    /// Rows of the head that wait to be added, the next one last.
    pub(super) replay: Vec<u32>,
    /// The item whose row is added next.
    pub(super) last: u32,
    pub(super) hash: SetHash,
    /// See [`Start::alone`].
    pub(super) alone: bool,
    pub(super) scores: Scores,
}

impl Slot {
    pub(super) fn new(scores: Scores, length: u32) -> Result<Slot> {
        let row = zeroed(length as usize, "a sequence")?;
        let hash = SetHash::default();
        let (replay, alone) = (Vec::new(), false);
        Ok(Slot { sequence: 0, row, picked: 0, replay, last: 0, hash, alone, scores })
    }

    pub(super) fn begin(&mut self, start: Start) {
        let Start { sequence, head, alone } = start;
        (self.sequence, self.picked, self.alone) = (sequence, 0, alone);
        self.hash = SetHash::default();
        self.scores.clear();
        head.iter().for_each(|&item| self.take(item));
        self.replay.clear();
        self.replay.extend(head);
        self.replay.sort_unstable_by(|a, b| b.cmp(a));
        self.last = self.replay.pop().unwrap_or_default();
    }

    pub(super) fn take(&mut self, item: u32) {
        self.scores.take(item);
        self.row[self.picked as usize] = item;
        self.picked += 1;
        self.last = item;
        self.hash.add(item);
    }
}
