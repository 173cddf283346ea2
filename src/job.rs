//! A job: one run on its own thread, which can be watched, awaited and cancelled from any thread.
//!
//! The job owns its input (the prepared corpus) and its result, so nothing of the caller's has to
//! stay alive. Jobs on one context run one after the other: the engine is locked while one works. A cancelled job ends for
//! its watchers at once or after `GRACE`; what a driver still does then (compiling a kernel takes some of them seconds)
//! goes on behind it, and freeing the job waits for that.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::neighbors::Neighbors;
use crate::error::{from_panic, Error, Result};
use crate::progress::Progress;

/// A running or finished computation of sequences.
#[derive(Debug)]
pub struct Job {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What a job leaves.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// The sequences, row after row.
    Memory(Vec<u32>),
    /// The file that holds them.
    File(PathBuf),
    /// Neighbours, of a run that was asked for them.
    Neighbors(Neighbors),
    /// Nothing: the files of a site were written.
    Site,
    /// Similarities of all pairs.
    Similarities(Vec<f32>),
}

/// How a run ended, and how long it took.
type Outcome = (Arc<Result<Output>>, Duration);

#[derive(Debug)]
struct Shared {
    progress: Progress,
    begin: Instant,
    outcome: Mutex<Option<Outcome>>,
    finished: Condvar,
    cancelled: Mutex<Option<Instant>>,
}

/// How long a cancelled run may take to notice, for those who wait for it.
const GRACE: Duration = Duration::from_millis(100);

impl Shared {
    /// When the job was cancelled. The guard shows that the caller holds `outcome`, so that no wake-up is missed.
    fn cancelled_at(&self, _: &MutexGuard<'_, Option<Outcome>>) -> Option<Instant> {
        *self.cancelled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// Starts `work` on a thread of its own.
    pub(crate) fn spawn<W>(progress: Progress, work: W) -> Result<Job>
    where
        W: FnOnce(&Progress) -> Result<Output> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            progress,
            begin: Instant::now(),
            outcome: Mutex::new(None),
            finished: Condvar::new(),
            cancelled: Mutex::default(),
        });
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("vkd job".into()).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&worker.progress)))
                .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
            // One that was cancelled may have been given up already.
            worker.outcome().get_or_insert((Arc::new(result), worker.begin.elapsed()));
            worker.finished.notify_all();
        });
        match thread {
            Ok(thread) => Ok(Job { shared, thread: Some(thread) }),
            Err(error) => Err(Error::Internal { detail: format!("no thread for a job: {error}") }),
        }
    }

    /// The counters and times of the run.
    pub fn progress(&self) -> &Progress {
        &self.shared.progress
    }

    /// Seconds since the start, or that the whole run took.
    pub fn seconds(&self) -> f64 {
        let outcome = self.shared.outcome();
        outcome
            .as_ref()
            .map_or_else(|| self.shared.begin.elapsed(), |(_, took)| *took)
            .as_secs_f64()
    }

    /// The result, if the run has ended.
    pub fn result(&self) -> Option<Arc<Result<Output>>> {
        self.wait(Some(Duration::ZERO))
    }

    /// Waits until the run has ended, at most `timeout` (`None`: for ever); then as [`Job::result`].
    pub fn wait(&self, timeout: Option<Duration>) -> Option<Arc<Result<Output>>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut outcome = self.shared.outcome();
        loop {
            if let Some((result, _)) = outcome.as_ref() {
                return Some(Arc::clone(result));
            }
            let now = Instant::now();
            let patience = self.shared.cancelled_at(&outcome).map(|at| at + GRACE);
            if patience.is_some_and(|patience| patience <= now) {
                let took = self.shared.begin.elapsed();
                *outcome = Some((Arc::new(Err(Error::Cancelled)), took));
                self.shared.finished.notify_all();
                continue;
            }
            if deadline.is_some_and(|deadline| deadline <= now) {
                return None;
            }
            let until = [deadline, patience].into_iter().flatten().min();
            outcome = match until {
                Some(until) => {
                    let woken = self.shared.finished.wait_timeout(outcome, until - now);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.shared.finished.wait(outcome).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Asks the run to stop after its next step; does not wait for it.
    pub fn cancel(&self) {
        self.shared.progress.cancel();
        let mut cancelled = self.shared.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        cancelled.get_or_insert_with(Instant::now);
        drop(cancelled);
        // Whoever waits has to count from now.
        drop(self.shared.outcome());
        self.shared.finished.notify_all();
    }
}

impl Drop for Job {
    /// Cancels the run and waits for its thread, so that nothing outlives the job.
    fn drop(&mut self) {
        self.cancel();
        if let Some(thread) = self.thread.take() {
            // The worker catches every panic of the work itself.
            let _ = thread.join();
        }
    }
}
