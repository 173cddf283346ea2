//! A sequence under way: its items so far, and whose row is added next.
//!
//! Knows nothing of rows or costs. A sequence with a longer head first adds the rows of its head.

use super::merge::SetHash;
use super::rules::Cheapest;
use crate::contract::value;
use crate::error::Result;
use crate::memory::room;
use crate::plan::Plan;
use crate::rule::Rule;
use crate::sequence::SequenceRow;

/// Room for a sequence, which one after the other has.
pub(super) struct Track {
    pub(super) sequence: u32,
    pub(super) row: SequenceRow,
    pub(super) picked: u32,
    /// Rows of the head that wait to be added, the next one last.
    replay: Vec<u32>,
    /// The item whose row is added next.
    pub(super) last: u32,
    pub(super) hash: SetHash,
    rule: Rule,
    extra_shift: u32,
}

impl Track {
    /// Room for sequences of `plan`.
    pub(super) fn new(plan: &Plan, extra_shift: u32) -> Result<Track> {
        let row = plan.row()?;
        let replay = room(plan.head() as usize, "the head of a sequence")?;
        let (hash, rule) = (SetHash::default(), plan.rule());
        Ok(Track { sequence: 0, row, picked: 0, replay, last: 0, hash, rule, extra_shift })
    }

    /// Begins a sequence with its head.
    pub(super) fn begin(&mut self, plan: &Plan, sequence: u32) -> Result<()> {
        (self.sequence, self.picked) = (sequence, 0);
        self.hash = SetHash::default();
        let head = plan.head() as usize;
        plan.read_head(sequence, self.row.begin_mut(head))?;
        (0..head).for_each(|place| self.take(self.row.items[place]));
        self.replay_head(head);
        self.last = self.replay.pop().unwrap_or_default();
        Ok(())
    }

    /// Which rows of the head are added, the next one last: in the order of their numbers, so that
    /// sequences side by side, whose heads have much in common, find each other's rows in the
    /// caches. Mmr needs the first item's row first, a chain only the last one's.
    fn replay_head(&mut self, head: usize) {
        let items = &self.row.items[..head];
        self.replay.clear();
        match self.rule {
            Rule::Centroid | Rule::Farthest => self.replay.extend(items),
            Rule::Mmr(_) => self.replay.extend(&items[1..]),
            Rule::Chain => self.replay.extend(items.last()),
        }
        self.replay.sort_unstable_by(|a, b| b.cmp(a));
        if let Rule::Mmr(_) = self.rule {
            self.replay.extend(items.first());
        }
    }

    /// The items so far.
    pub(super) fn items(&self) -> &[u32] {
        &self.row.items[..self.picked as usize]
    }

    /// The row of the head that is added `later` rows after the next one of it.
    pub(super) fn replay(&self, later: usize) -> Option<u32> {
        self.replay.iter().rev().nth(later).copied()
    }

    /// Whether rows of the head are still to be added.
    pub(super) fn replays(&self) -> bool {
        !self.replay.is_empty()
    }

    /// Goes on after the row of `last` was added and `cheapest` found: to the next row of the head,
    /// else to that item, which it returns.
    pub(super) fn go_on(&mut self, cheapest: Cheapest) -> Option<u32> {
        if let Some(next) = self.replay.pop() {
            self.last = next;
            return None;
        }
        if let Some(to) = self.row.values.get_mut(self.picked as usize) {
            *to = value(self.rule, cheapest.cost, self.picked, self.extra_shift);
        }
        self.take(cheapest.item);
        Some(cheapest.item)
    }

    fn take(&mut self, item: u32) {
        self.row.items[self.picked as usize] = item;
        self.picked += 1;
        self.last = item;
        self.hash.add(item);
    }
}
