//! The sequences that go in step, and what the next step is.

use std::sync::Mutex;

use super::super::rules::{Candidates, Cheapest};
use super::super::segments;
use super::super::task::Task;
use super::super::track::Track;
use super::ahead::{self, Ahead};
use super::layout::Layout;
use super::segment::Segment;
use super::wanted::Wanted;
use crate::contract::extra_shift;
use crate::error::Result;
use crate::memory::{filled, room};
use crate::threads::lock;

/// What is done to every segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Everything known is forgotten.
    Clear,
    /// The wanted rows are added.
    Step,
    /// Nothing any more.
    End,
}

/// The sequences that go in step.
pub(super) struct Group {
    pub(super) work: Work,
    pub(super) wanted: Wanted,
    tracks: Vec<Track>,
    /// How many of the tracks have a sequence.
    active: usize,
    /// The first sequence that was not begun.
    next: u32,
    best: Vec<Cheapest>,
    ahead: Ahead,
}

/// The cheapest item that there could be, and not an item.
const NONE: Cheapest = Cheapest { item: u32::MAX, cost: i32::MAX };

impl Group {
    pub(super) fn new(task: Task, layout: Layout) -> Result<Group> {
        let mut tracks = room(layout.group as usize, "the sequences in step")?;
        for _ in 0..layout.group {
            tracks.push(Track::new(task.plan, extra_shift(task.corpus.num_items()))?);
        }
        let best = filled(layout.group as usize, NONE, "the picks of a step")?;
        let wanted = Wanted::new(task.corpus, layout)?;
        let ahead = Ahead::new(layout.group)?;
        Ok(Group { work: Work::Clear, wanted, tracks, active: 0, next: 0, best, ahead })
    }

    /// Goes on after all segments are done: to what is to be done with them next.
    pub(super) fn advance<C: Candidates>(
        &mut self,
        task: Task,
        segments: &[Mutex<Segment<'_, C>>],
    ) -> Result<()> {
        let done = self.work;
        match done {
            Work::Clear => self.begin(task, segments)?,
            Work::Step => {
                self.compare(segments);
                self.pick(task, segments);
                if self.tracks[0].picked == task.plan.length() {
                    self.finish(task)?;
                }
            }
            Work::End => {}
        }
        if task.plan.count() == 1 {
            // One sequence adds each row once.
            self.wanted.retire();
        }
        if self.work == Work::Step {
            let tracks = &self.tracks[..self.active];
            self.wanted.want(tracks.iter().map(|track| track.last));
            if self.wanted.passes() {
                self.wanted.add(ahead::of_heads(tracks));
                // Before the first step nothing is known.
                if done == Work::Step {
                    self.wanted.add(self.ahead.likely(segments, self.active));
                }
            }
            self.wanted.find(task.corpus);
        }
        Ok(())
    }

    /// Begins the next sequences.
    fn begin<C: Candidates>(
        &mut self,
        task: Task,
        segments: &[Mutex<Segment<'_, C>>],
    ) -> Result<()> {
        let left = (task.plan.count() - self.next) as usize;
        self.active = self.tracks.len().min(left);
        for (number, track) in self.tracks[..self.active].iter_mut().enumerate() {
            track.begin(task.plan, self.next)?;
            self.next += 1;
            track.items().iter().for_each(|&item| take(segments, number, item));
        }
        self.work = Work::Step;
        Ok(())
    }

    /// Finds the cheapest item of all segments for each sequence.
    fn compare<C>(&mut self, segments: &[Mutex<Segment<'_, C>>]) {
        self.best.fill(NONE);
        for segment in segments {
            let segment = lock(segment);
            for (best, found) in self.best[..self.active].iter_mut().zip(&segment.found) {
                // Segments are in the order of the items: on equal costs the earlier stays.
                if found.cost < best.cost {
                    *best = *found;
                }
            }
        }
    }

    fn pick<C: Candidates>(&mut self, task: Task, segments: &[Mutex<Segment<'_, C>>]) {
        let mut picks = 0;
        for (number, track) in self.tracks[..self.active].iter_mut().enumerate() {
            if let Some(item) = track.go_on(self.best[number]) {
                take(segments, number, item);
                picks += 1;
            }
        }
        let corpus = u64::from(task.corpus.num_items()) * u64::from(task.corpus.dim()) * 2;
        let read = if self.wanted.passes() { corpus } else { 0 };
        task.progress.add_steps(picks, read);
    }

    /// Puts the sequences, which are as long as each other; then others have their places.
    fn finish(&mut self, task: Task) -> Result<()> {
        for track in &self.tracks[..self.active] {
            task.rows.put(track.sequence as usize, track.row.get())?;
        }
        task.progress.add_rows(self.active as u64);
        self.work = if self.next < task.plan.count() { Work::Clear } else { Work::End };
        Ok(())
    }
}

/// Takes an item out for one sequence.
fn take<C: Candidates>(parts: &[Mutex<Segment<'_, C>>], sequence: usize, item: u32) {
    lock(&parts[segments::of(item)]).take(sequence, item);
}
