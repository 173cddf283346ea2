//! The threads of a run without a matrix.
//!
//! They take one segment after the other. Who finishes the last one goes on with the group; the
//! others wait for it. However many threads there are, the picks are the same.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::super::rules::{pins, Candidates, Centroid, Chain, Farthest, Mmr};
use super::super::simd::{OnSimd, Simd};
use super::super::workers::Workers;
use super::group::{Group, Task, Work};
use super::segment::{self, Scratch, Segment};
use super::Layout;
use crate::corpus::Corpus;
use crate::engine::rows::PutSequences;
use crate::error::Result;
use crate::memory::room;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::rule::Rule;
use crate::threads::{self, lock, Failure};

/// Looks at the next step before a thread that waits for it lets others have the processor: some
/// 10 us.
const SPINS: u32 = 1000;

/// Computes all planned sequences.
pub(in super::super) fn compute(
    corpus: &Corpus,
    plan: &Plan,
    layout: Layout,
    workers: Workers,
    rows: &dyn PutSequences,
    progress: &Progress,
) -> Result<()> {
    let task = Task { corpus, plan, rows, progress };
    match plan.rule() {
        Rule::Centroid if pins(corpus.num_items()) => run::<Centroid<true>>(task, layout, workers),
        Rule::Centroid => run::<Centroid<false>>(task, layout, workers),
        Rule::Farthest => run::<Farthest>(task, layout, workers),
        Rule::Mmr(_) => run::<Mmr>(task, layout, workers),
        Rule::Chain => run::<Chain>(task, layout, workers),
    }
}

fn run<C: Candidates>(task: Task, layout: Layout, workers: Workers) -> Result<()> {
    let num_items = task.corpus.num_items();
    let count = segment::count(num_items);
    let mut segments = room(count, "the segments of a corpus")?;
    for number in 0..count {
        segments.push(Mutex::new(Segment::<C>::new(task.plan.rule(), num_items, number, layout)?));
    }
    let group = RwLock::new(Group::new(task, layout)?);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run = Run { task, layout, segments, group, next, done, epoch: AtomicU64::new(0) };
    threads::run(workers.num_threads.min(count), |failure| {
        workers.dispatch(Thread { run: &run, failure })
    })
}

/// What the threads share.
struct Run<'a, C> {
    task: Task<'a>,
    layout: Layout,
    segments: Vec<Mutex<Segment<C>>>,
    /// Whoever works on segments reads it; who goes on with it writes.
    group: RwLock<Group>,
    /// The first segment that nobody has taken.
    next: AtomicUsize,
    /// Segments that are done.
    done: AtomicUsize,
    /// How often the group has gone on.
    epoch: AtomicU64,
}

struct Thread<'a, 'b, C> {
    run: &'a Run<'b, C>,
    failure: &'a Failure,
}

impl<C: Candidates> OnSimd for Thread<'_, '_, C> {
    type Output = Result<()>;

    fn run<S: Simd>(self, simd: S) -> Result<()> {
        let Thread { run, failure } = self;
        let mut scratch = Scratch::new(run.layout)?;
        while !failure.is_seen() {
            match run.work(simd, failure, &mut scratch)? {
                Share::Last => run.advance()?,
                Share::Some { epoch } => run.wait(epoch, failure),
                Share::End => break,
            }
        }
        Ok(())
    }
}

/// What a thread had of a step.
enum Share {
    /// The last segment to be done: it goes on with the group.
    Last,
    /// Other segments, or none, of the step of this number.
    Some { epoch: u64 },
    /// There are no more steps.
    End,
}

impl<C: Candidates> Run<'_, C> {
    /// Works on segments until all are taken.
    fn work<S: Simd>(&self, simd: S, failure: &Failure, scratch: &mut Scratch) -> Result<Share> {
        let group = self.read();
        if group.work == Work::End {
            return Ok(Share::End);
        }
        let epoch = self.epoch.load(Relaxed);
        let mut share = Share::Some { epoch };
        while !failure.is_seen() {
            let Some(segment) = self.segments.get(self.next.fetch_add(1, Relaxed)) else { break };
            self.task.progress.check()?;
            let mut segment = lock(segment);
            match group.work {
                Work::Clear => segment.clear(),
                _ => {
                    let Task { corpus, plan, .. } = self.task;
                    segment.step(simd, corpus, plan.rule(), &group.wanted, scratch);
                }
            }
            drop(segment);
            if self.done.fetch_add(1, AcqRel) + 1 == self.segments.len() {
                share = Share::Last;
            }
        }
        Ok(share)
    }

    /// Goes on with the group, once nobody reads it.
    fn advance(&self) -> Result<()> {
        let mut group = self.write();
        group.advance(self.task, &self.segments)?;
        self.done.store(0, Relaxed);
        self.next.store(0, Relaxed);
        self.epoch.fetch_add(1, Release);
        Ok(())
    }

    /// Waits until the group has gone on, or something has failed.
    fn wait(&self, epoch: u64, failure: &Failure) {
        let mut spins = 0;
        while self.epoch.load(Acquire) == epoch && !failure.is_seen() {
            match spins < SPINS {
                true => spin_loop(),
                false => std::thread::yield_now(),
            }
            spins += 1;
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Group> {
        self.group.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Group> {
        self.group.write().unwrap_or_else(PoisonError::into_inner)
    }
}
