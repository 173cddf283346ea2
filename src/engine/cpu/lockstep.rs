//! Work that all threads do step by step: every step goes over all parts of something, and what the
//! next step is depends on all of them.
//!
//! Threads take one part after the other. Who finishes the last one goes on to the next step; the
//! others wait for it. However many threads there are, and whoever takes which part, the result is
//! the same. Knows nothing of what the parts are.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::simd::{OnSimd, Simd};
use super::workers::Workers;
use crate::error::Result;
use crate::progress::Progress;
use crate::threads::{self, lock, Failure};

/// Looks at the next step before a thread that waits for it lets others have the processor: some
/// 10 us.
const SPINS: u32 = 1000;

/// What is done in steps.
pub(super) trait Steps: Sync {
    /// What a thread works on at a time.
    type Part: Send;
    /// What a step is; all read it, and who goes on writes.
    type State: Send + Sync;
    /// Room that each thread has for itself.
    type Scratch;

    fn scratch(&self) -> Result<Self::Scratch>;

    /// Whether there is no further step.
    fn is_over(&self, state: &Self::State) -> bool;

    /// What a step does with a part.
    fn work<S: Simd>(
        &self,
        simd: S,
        state: &Self::State,
        part: &mut Self::Part,
        scratch: &mut Self::Scratch,
    );

    /// Goes on after all parts are done.
    fn advance<S: Simd>(
        &self,
        simd: S,
        state: &mut Self::State,
        parts: &[Mutex<Self::Part>],
        scratch: &mut Self::Scratch,
    ) -> Result<()>;
}

/// Does all steps.
pub(super) fn run<T: Steps>(
    steps: &T,
    state: T::State,
    parts: Vec<Mutex<T::Part>>,
    workers: Workers,
    progress: &Progress,
) -> Result<()> {
    let num_threads = workers.num_threads.min(parts.len());
    let (next, done, epoch) = Default::default();
    let run = Run { steps, state: RwLock::new(state), parts, progress, next, done, epoch };
    threads::run(num_threads, |failure| workers.dispatch(Thread { run: &run, failure }))
}

/// What the threads share.
struct Run<'a, T: Steps> {
    steps: &'a T,
    state: RwLock<T::State>,
    parts: Vec<Mutex<T::Part>>,
    progress: &'a Progress,
    /// The first part that nobody has taken.
    next: AtomicUsize,
    /// Parts that are done.
    done: AtomicUsize,
    /// Steps that are done.
    epoch: AtomicU64,
}

struct Thread<'a, 'b, T: Steps> {
    run: &'a Run<'b, T>,
    failure: &'a Failure,
}

impl<T: Steps> OnSimd for Thread<'_, '_, T> {
    type Output = Result<()>;

    fn run<S: Simd>(self, simd: S) -> Result<()> {
        let Thread { run, failure } = self;
        let mut scratch = run.steps.scratch()?;
        while !failure.is_seen() {
            match run.work(simd, failure, &mut scratch)? {
                Share::Last => run.advance(simd, &mut scratch)?,
                Share::Some { epoch } => run.wait(epoch, failure),
                Share::End => break,
            }
        }
        Ok(())
    }
}

/// What a thread had of a step.
enum Share {
    /// The last part to be done: it goes on.
    Last,
    /// Other parts, or none, of the step of this number.
    Some { epoch: u64 },
    /// There are no more steps.
    End,
}

impl<T: Steps> Run<'_, T> {
    /// Works on parts until all are taken.
    fn work<S: Simd>(&self, simd: S, failure: &Failure, scratch: &mut T::Scratch) -> Result<Share> {
        let state = self.read();
        if self.steps.is_over(&state) {
            return Ok(Share::End);
        }
        let mut share = Share::Some { epoch: self.epoch.load(Relaxed) };
        while !failure.is_seen() {
            let Some(part) = self.parts.get(self.next.fetch_add(1, Relaxed)) else { break };
            self.progress.check()?;
            self.steps.work(simd, &state, &mut lock(part), scratch);
            if self.done.fetch_add(1, AcqRel) + 1 == self.parts.len() {
                share = Share::Last;
            }
        }
        Ok(share)
    }

    /// Goes on, once nobody reads the state.
    fn advance<S: Simd>(&self, simd: S, scratch: &mut T::Scratch) -> Result<()> {
        let mut state = self.write();
        self.steps.advance(simd, &mut state, &self.parts, scratch)?;
        self.done.store(0, Relaxed);
        self.next.store(0, Relaxed);
        self.epoch.fetch_add(1, Release);
        Ok(())
    }

    /// Waits until the next step is there, or something has failed.
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

    fn read(&self) -> RwLockReadGuard<'_, T::State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, T::State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
