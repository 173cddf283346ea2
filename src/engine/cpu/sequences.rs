//! The picks: for each, one row of the matrix is added to what is known of the candidates, and the
//! cheapest of them is found. What is known, and what is cheap, says the rule (`rules`); these
//! loops are compiled for each.
//!
//! A thread works on a few sequences in turn, one pick each. While it adds a row for one, it
//! prefetches the row of the next into the second-level cache (the first is full of scores), so
//! that the memory's latency hides behind work.
//!
//! A sequence with a longer head first adds the rows of its head, see `track`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::matrix::Matrix;
use super::merge::{Meetings, Prefix};
use super::rules::{pins, Candidates, Centroid, Chain, Farthest, Mmr, Span};
use super::simd::{HalfLine, OnSimd, Simd};
use super::slot::{self, Slot, Start};
use super::track::Track;
use super::workers::Workers;
use crate::contract::extra_shift;
use crate::engine::rows::PutSequences;
use crate::error::Result;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::rule::Rule;
use crate::threads::{self, Failure};

/// Rounds between two looks at the wish to stop, and reports of progress: some 100 us.
const ROUNDS: u32 = 64;

/// Computes all planned sequences; with `meetings`, equal sets share their rest.
pub(super) fn compute(
    matrix: &Matrix,
    plan: &Plan,
    meetings: Option<Meetings>,
    workers: Workers,
    rows: &dyn PutSequences,
    progress: &Progress,
) -> Result<()> {
    let next = AtomicU64::new(0);
    threads::run(workers.num_threads, |failure| {
        let (meetings, next) = (meetings.as_ref(), &next);
        workers.dispatch(Picks { matrix, plan, meetings, rows, progress, failure, next })
    })
}

/// The picks of a run, as all threads share them.
struct Picks<'a> {
    matrix: &'a Matrix,
    plan: &'a Plan,
    meetings: Option<&'a Meetings>,
    rows: &'a dyn PutSequences,
    progress: &'a Progress,
    failure: &'a Failure,
    /// The first sequence that no thread has begun.
    next: &'a AtomicU64,
}

/// What one thread does.
impl OnSimd for Picks<'_> {
    type Output = Result<()>;

    fn run<S: Simd>(self, simd: S) -> Result<()> {
        match self.plan.rule() {
            Rule::Centroid if pins(self.matrix.num_items()) => self.work::<S, Centroid<true>>(simd),
            Rule::Centroid => self.work::<S, Centroid<false>>(simd),
            Rule::Farthest => self.work::<S, Farthest>(simd),
            Rule::Mmr(_) => self.work::<S, Mmr>(simd),
            Rule::Chain => self.work::<S, Chain>(simd),
        }
    }
}

impl Picks<'_> {
    fn work<S: Simd, C: Candidates>(&self, simd: S) -> Result<()> {
        let (stride, num_items) = (self.matrix.stride(), self.matrix.num_items());
        let mut slots = Vec::new();
        let rule = self.plan.rule();
        for _ in 0..slot::count(rule, stride) {
            let track = Track::new(self.plan, extra_shift(num_items))?;
            let candidates = C::new(rule, Span { stride, num_items, of: num_items })?;
            let mut slot = Slot { track, candidates, alone: false };
            if self.refill(&mut slot)? {
                slots.push(slot);
            }
        }
        while !slots.is_empty() && !self.failure.is_seen() {
            self.progress.check()?;
            let mut picks = 0;
            for _ in 0..ROUNDS {
                let mut at = 0;
                while at < slots.len() {
                    let next = self.matrix.row(slots[(at + 1) % slots.len()].track.last);
                    picks += self.pick(simd, &mut slots[at], next);
                    if self.goes_on(&mut slots[at])? || self.refill(&mut slots[at])? {
                        at += 1;
                    } else {
                        slots.swap_remove(at);
                    }
                }
            }
            self.progress.add_steps(picks, picks * u64::from(num_items) * 2);
        }
        Ok(())
    }

    /// Gives a slot the next sequence, if there is one.
    fn refill<C: Candidates>(&self, slot: &mut Slot<C>) -> Result<bool> {
        let next = self.next.fetch_add(1, Relaxed);
        let start = match u32::try_from(next) {
            Ok(sequence) if sequence < self.plan.count() => Some(Start { sequence, alone: false }),
            _ => {
                let alone = self.meetings.and_then(Meetings::next_alone);
                alone.map(|sequence| Start { sequence, alone: true })
            }
        };
        match start {
            Some(start) => slot.begin(self.plan, start).map(|()| true),
            None => Ok(false),
        }
    }

    /// Whether a sequence needs more picks of its own.
    fn goes_on<C: Candidates>(&self, slot: &mut Slot<C>) -> Result<bool> {
        let (length, track) = (self.plan.length(), &slot.track);
        if track.picked == length {
            let finished = match self.meetings {
                Some(meetings) => meetings.finish(track.sequence, track.row.get(), self.rows)?,
                None => self.rows.put(track.sequence as usize, track.row.get()).map(|()| 1)?,
            };
            self.progress.add_rows(finished);
            return Ok(false);
        }
        let Some(meetings) = self.meetings else { return Ok(true) };
        if slot.alone || track.replays() || !meetings.is_checkpoint(track.picked) {
            return Ok(true);
        }
        let begin = track.row.get().part(0, track.picked as usize);
        let Some(target) = meetings.meet(track.hash, track.picked, track.sequence) else {
            return Ok(true);
        };
        let prefix = Prefix { sequence: track.sequence, begin };
        let Some(finished) = meetings.wait_for(target, prefix, self.rows)? else {
            return Ok(true);
        };
        self.progress.add_steps(u64::from(length - track.picked), 0);
        self.progress.add_rows(finished);
        Ok(false)
    }

    /// Adds a row; returns the number of picks made, which is none while the head is added.
    fn pick<S: Simd, C: Candidates>(&self, simd: S, slot: &mut Slot<C>, next: &[HalfLine]) -> u64 {
        let Slot { track, candidates, .. } = slot;
        let cheapest = candidates.step(simd, self.matrix.row(track.last), next);
        match track.go_on(cheapest) {
            Some(item) => candidates.take(item),
            None => return 0,
        }
        1
    }
}
