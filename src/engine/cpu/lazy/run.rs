//! The steps of a sequence: its next row, and the cheapest item then.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Mutex;

use super::super::lockstep::{self, Steps};
use super::super::rules::Cheapest;
use super::super::segments;
use super::super::simd::Simd;
use super::super::task::Task;
use super::super::track::Track;
use super::super::workers::Workers;
use super::known::{Known, Nearest, Relevance};
use super::queries::Queries;
use super::segment::{self, lambda, Best, Look, Scratch, Segment};
use crate::contract::extra_shift;
use crate::corpus::Shape;
use crate::error::{Error, Result};
use crate::memory::{room, Bytes};
use crate::plan::PlanShape;
use crate::rule::Rule;
use crate::threads::lock;

/// Blocks that are looked at before a step, so that it knows a cheap item from its begin.
const LOOKED_AT_BEFORE: usize = 4;

/// Bytes that a run takes.
pub(in super::super) fn bytes(shape: Shape, plan: &PlanShape) -> Bytes {
    let known = segment::bytes::<Relevance>(shape.num_items);
    let track = plan.row_bytes() + Bytes::of::<u32>(plan.length.into());
    known + track + Queries::bytes(shape, plan.length)
}

/// Whether rows can wait with a rule: where costs only rise.
pub(in super::super) fn can(rule: Rule) -> bool {
    matches!(rule, Rule::Farthest | Rule::Mmr(_))
}

/// Computes all planned sequences, one after the other.
pub(in super::super) fn compute(task: Task, workers: Workers) -> Result<()> {
    match task.plan.rule() {
        Rule::Farthest => run::<Nearest>(task, workers),
        Rule::Mmr(_) => run::<Relevance>(task, workers),
        Rule::Centroid | Rule::Chain => {
            Err(Error::Internal { detail: "the rule's costs fall".into() })
        }
    }
}

fn run<K: Known>(task: Task, workers: Workers) -> Result<()> {
    let num_items = task.corpus.num_items();
    let count = segments::count(num_items);
    let mut parts = room(count, "the segments of a corpus")?;
    for number in 0..count {
        parts.push(Mutex::new(Segment::<K>::new(num_items, number)?));
    }
    let state = Sequence {
        work: Work::Clear,
        next: 0,
        track: Track::new(task.plan, extra_shift(num_items))?,
        queries: Queries::new(task.corpus, task.plan.length())?,
        best: Best::new(),
        read: AtomicU64::new(0),
    };
    let steps = OneByOne { task, known: PhantomData::<fn() -> K> };
    lockstep::run(&steps, state, parts, workers, task.progress)
}

/// What is done to every segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Everything known is forgotten.
    Clear,
    /// What may be the cheapest item is looked at.
    Look,
    /// Nothing any more.
    End,
}

/// The sequence under way.
struct Sequence {
    work: Work,
    /// The next one.
    next: u32,
    track: Track,
    queries: Queries,
    best: Best,
    /// Bytes of prepared rows that were read in this step.
    read: AtomicU64,
}

impl Sequence {
    fn look<'a>(&'a self, task: Task<'a>) -> Look<'a> {
        let Sequence { queries, best, .. } = self;
        Look { corpus: task.corpus, rule: task.plan.rule(), queries, best }
    }

    /// Begins a sequence: the rows of its head are the first.
    fn begin<K: Known>(&mut self, task: Task, segments: &[Mutex<Segment<K>>]) -> Result<()> {
        self.track.begin(task.plan, self.next)?;
        self.next += 1;
        for &item in self.track.items() {
            take(segments, item, task.plan.rule());
        }
        self.queries.clear();
        self.queries.add(task.corpus, self.track.last);
        while self.track.replays() {
            self.track.go_on(Cheapest { item: 0, cost: 0 });
            self.queries.add(task.corpus, self.track.last);
        }
        self.work = Work::Look;
        Ok(())
    }

    /// Picks the cheapest item. Returns whether the sequence goes on.
    fn pick<K: Known>(&mut self, task: Task, segments: &[Mutex<Segment<K>>]) -> Result<bool> {
        if let Some(item) = self.track.go_on(self.best.get()) {
            take(segments, item, task.plan.rule());
        }
        task.progress.add_steps(1, self.read.swap(0, Relaxed));
        if self.track.picked < task.plan.length() {
            self.queries.add(task.corpus, self.track.last);
            return Ok(true);
        }
        task.rows.put(self.track.sequence as usize, self.track.row.get())?;
        task.progress.add_rows(1);
        self.work = if self.next < task.plan.count() { Work::Clear } else { Work::End };
        Ok(false)
    }
}

/// Takes an item out.
fn take<K: Known>(parts: &[Mutex<Segment<K>>], item: u32, rule: Rule) {
    lock(&parts[segments::of(item)]).take(item, lambda(rule));
}

/// Sequences one after the other.
struct OneByOne<'a, K> {
    task: Task<'a>,
    known: PhantomData<fn() -> K>,
}

impl<K: Known> OneByOne<'_, K> {
    /// Looks at some items that were cheap before the last row.
    fn look_ahead<S: Simd>(&self, simd: S, sequence: &Sequence, segments: &[Mutex<Segment<K>>]) {
        let mut lowest = [(i32::MAX, 0); LOOKED_AT_BEFORE];
        for (number, segment) in segments.iter().enumerate() {
            let cost = lock(segment).lowest().cost;
            // The last is the highest of them.
            if cost < lowest[LOOKED_AT_BEFORE - 1].0 {
                lowest[LOOKED_AT_BEFORE - 1] = (cost, number);
                lowest.sort_unstable();
            }
        }
        for (cost, number) in lowest {
            if cost < i32::MAX {
                let look = sequence.look(self.task);
                lock(&segments[number]).look_at_lowest(simd, look);
            }
        }
    }
}

impl<K: Known> Steps for OneByOne<'_, K> {
    type Part = Segment<K>;
    type State = Sequence;
    type Scratch = Scratch;

    fn scratch(&self) -> Result<Scratch> {
        room(segments::ITEMS as usize, "the blocks to look at")
    }

    fn is_over(&self, sequence: &Sequence) -> bool {
        sequence.work == Work::End
    }

    fn work<S: Simd>(
        &self,
        simd: S,
        sequence: &Sequence,
        segment: &mut Segment<K>,
        scratch: &mut Scratch,
    ) {
        match sequence.work {
            Work::Clear => segment.clear(),
            _ => {
                let read = segment.step(simd, sequence.look(self.task), scratch);
                sequence.read.fetch_add(read, Relaxed);
            }
        }
    }

    fn advance<S: Simd>(
        &self,
        simd: S,
        sequence: &mut Sequence,
        segments: &[Mutex<Segment<K>>],
        _: &mut Scratch,
    ) -> Result<()> {
        let goes_on = match sequence.work {
            Work::Clear => sequence.begin(self.task, segments).map(|()| true)?,
            _ => sequence.pick(self.task, segments)?,
        };
        sequence.best.clear();
        if goes_on {
            self.look_ahead(simd, sequence, segments);
        }
        Ok(())
    }
}
