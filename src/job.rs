//! A job: one run on its own thread, which can be watched, awaited and cancelled from any thread.
//!
//! The job owns its input (the prepared corpus) and its result, so nothing of the caller's has to
//! stay alive. Jobs on one context run one after the other: the engine is locked while one works.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::progress::Progress;

/// A running or finished computation of sequences.
#[derive(Debug)]
pub struct Job {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How a run ended, and how long it took.
type Outcome = (Arc<Result<Vec<u32>>>, Duration);

#[derive(Debug)]
struct Shared {
    progress: Progress,
    begin: Instant,
    outcome: Mutex<Option<Outcome>>,
    finished: Condvar,
}

impl Shared {
    fn outcome(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// Starts `work` on a thread of its own.
    pub(crate) fn spawn<W>(progress: Progress, work: W) -> Result<Job>
    where
        W: FnOnce(&Progress) -> Result<Vec<u32>> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            progress,
            begin: Instant::now(),
            outcome: Mutex::new(None),
            finished: Condvar::new(),
        });
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("vkd job".into()).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&worker.progress)))
                .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
            *worker.outcome() = Some((Arc::new(result), worker.begin.elapsed()));
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
    pub fn result(&self) -> Option<Arc<Result<Vec<u32>>>> {
        self.shared.outcome().as_ref().map(|(result, _)| Arc::clone(result))
    }

    /// Waits until the run has ended, at most `timeout` (`None`: for ever); then as [`Job::result`].
    pub fn wait(&self, timeout: Option<Duration>) -> Option<Arc<Result<Vec<u32>>>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut outcome = self.shared.outcome();
        loop {
            if let Some((result, _)) = outcome.as_ref() {
                return Some(Arc::clone(result));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            outcome = match left {
                Some(Duration::ZERO) => return None,
                Some(left) => {
                    let woken = self.shared.finished.wait_timeout(outcome, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.shared.finished.wait(outcome).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Asks the run to stop after its next step; does not wait for it.
    pub fn cancel(&self) {
        self.shared.progress.cancel();
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

/// A caught panic as an error.
pub(crate) fn from_panic(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::Internal { detail: text.unwrap_or_else(|| "a panic without a message".into()) }
}
