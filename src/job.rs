//! A job: one run on its own thread, which can be watched, awaited and cancelled from any thread.
//!
//! The job owns its input (the prepared corpus) and its result, so nothing of the caller's has to
//! stay alive. A cancelled job ends for its watchers at once or after `GRACE`; what a driver still
//! does then (compiling a kernel takes some of them seconds) goes on behind it, and freeing the job
//! waits for that. A job that waits for its turn does not wait any longer.
//!
//! A job belongs to the process that started it: in a child after a fork its thread is not there.
//!
//! What a job gives is its type: `Job<Vec<f32>>` for similarities, `Job<()>` for the files of a
//! site. Runs that end in memory or in a file give an [`Output`]. [`Watch`] is what all jobs have
//! in common.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::panics;
use crate::process::Home;
use crate::progress::Progress;
use crate::threads::{self, lock};

/// A running or finished computation of a `T`.
#[derive(Debug)]
pub struct Job<T> {
    shared: Arc<Shared<T>>,
    thread: Option<JoinHandle<()>>,
}

/// Where the result of a run is.
#[derive(Debug, Clone, PartialEq)]
pub enum Output<T> {
    /// Here.
    Memory(T),
    /// In this file.
    File(PathBuf),
}

/// What can be seen and asked of a job, whatever it computes.
pub trait Watch: Send + Sync {
    /// The counters and times of the run.
    fn progress(&self) -> &Progress;

    /// Seconds since the start, or that the whole run took.
    fn seconds(&self) -> f64;

    /// Waits until the run has ended, at most `timeout` (`None`: for ever). Returns how it ended,
    /// or `None` while it is at work.
    fn ended(&self, timeout: Option<Duration>) -> Option<Result<()>>;

    /// Asks the run to stop after its next step; does not wait for it.
    fn cancel(&self);

    /// Refuses a job of another process (see the head of this file).
    fn check_process(&self) -> Result<()>;
}

/// How a run ended, and how long it took.
#[derive(Debug)]
struct End<T> {
    result: Arc<Result<T>>,
    took: Duration,
}

struct Shared<T> {
    home: Home,
    progress: Progress,
    /// Wakes the run where it waits.
    wake: Box<dyn Fn() + Send + Sync>,
    begin: Instant,
    end: Mutex<Option<End<T>>>,
    finished: Condvar,
    cancelled: Mutex<Option<Instant>>,
}

impl<T> std::fmt::Debug for Shared<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("progress", &self.progress).finish_non_exhaustive()
    }
}

/// How long a cancelled run may take to notice, for those who wait for it.
const GRACE: Duration = Duration::from_millis(100);

impl<T> Shared<T> {
    /// When the job was cancelled. The guard shows that the caller holds `end`, so that no wake-up
    /// is missed.
    fn cancelled_at(&self, _: &MutexGuard<'_, Option<End<T>>>) -> Option<Instant> {
        *lock(&self.cancelled)
    }

    /// Ends the job with `result`, unless it was given up before.
    fn finish(&self, end: &mut Option<End<T>>, result: Result<T>) {
        let took = self.begin.elapsed();
        end.get_or_insert_with(|| End { result: Arc::new(result), took });
        self.finished.notify_all();
    }
}

impl<T: Send + Sync + 'static> Job<T> {
    /// Starts `work` on a thread of its own.
    pub(crate) fn spawn<W>(progress: Progress, work: W) -> Result<Job<T>>
    where
        W: FnOnce(&Progress) -> Result<T> + Send + 'static,
    {
        Job::spawn_waiting(progress, || (), work)
    }

    /// The same for work that may wait for its turn: `wake` lets it look at the wish to stop.
    pub(crate) fn spawn_waiting<W>(
        progress: Progress,
        wake: impl Fn() + Send + Sync + 'static,
        work: W,
    ) -> Result<Job<T>>
    where
        W: FnOnce(&Progress) -> Result<T> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            home: Home::here(),
            progress,
            wake: Box::new(wake),
            begin: Instant::now(),
            end: Mutex::new(None),
            finished: Condvar::new(),
            cancelled: Mutex::default(),
        });
        let worker = Arc::clone(&shared);
        let thread = threads::start("vkd job", "a job", move || {
            let result = panics::caught(|| work(&worker.progress)).flatten();
            worker.finish(&mut lock(&worker.end), result);
        })?;
        Ok(Job { shared, thread: Some(thread) })
    }
}

impl<T> Job<T> {
    /// The counters and times of the run.
    pub fn progress(&self) -> &Progress {
        &self.shared.progress
    }

    /// Seconds since the start, or that the whole run took.
    pub fn seconds(&self) -> f64 {
        if !self.shared.home.is_here() {
            return self.shared.begin.elapsed().as_secs_f64();
        }
        let end = lock(&self.shared.end);
        let took = end.as_ref().map_or_else(|| self.shared.begin.elapsed(), |end| end.took);
        took.as_secs_f64()
    }

    /// The result, if the run has ended.
    pub fn result(&self) -> Option<Arc<Result<T>>> {
        self.wait(Some(Duration::ZERO))
    }

    /// Waits until the run has ended, at most `timeout` (`None`: for ever); then as
    /// [`Job::result`]. In another process than the one that started it: [`Error::OtherProcess`].
    pub fn wait(&self, timeout: Option<Duration>) -> Option<Arc<Result<T>>> {
        if let Err(error) = self.check_process() {
            return Some(Arc::new(Err(error)));
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut end = lock(&self.shared.end);
        loop {
            if let Some(End { result, .. }) = end.as_ref() {
                return Some(Arc::clone(result));
            }
            let now = Instant::now();
            let patience = self.shared.cancelled_at(&end).map(|at| at + GRACE);
            if patience.is_some_and(|patience| patience <= now) {
                self.shared.finish(&mut end, Err(Error::Cancelled));
                continue;
            }
            if deadline.is_some_and(|deadline| deadline <= now) {
                return None;
            }
            let until = [deadline, patience].into_iter().flatten().min();
            end = match until {
                Some(until) => {
                    let woken = self.shared.finished.wait_timeout(end, until - now);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.shared.finished.wait(end).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Waits for the end and takes the result, which nobody else may hold.
    pub fn into_result(self) -> Result<T> {
        let result = self.wait(None);
        drop(self);
        match result.map(Arc::try_unwrap) {
            Some(Ok(result)) => result,
            _ => Err(Error::Internal { detail: "the result of a job is held elsewhere".into() }),
        }
    }

    /// Refuses a job of another process.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.shared.home.check("this job")
    }

    /// Asks the run to stop after its next step; does not wait for it.
    pub fn cancel(&self) {
        if !self.shared.home.is_here() {
            return;
        }
        self.shared.progress.cancel();
        (self.shared.wake)();
        lock(&self.shared.cancelled).get_or_insert_with(Instant::now);
        // Whoever waits has to count from now.
        drop(lock(&self.shared.end));
        self.shared.finished.notify_all();
    }
}

impl<T: Send + Sync> Watch for Job<T> {
    fn progress(&self) -> &Progress {
        Job::progress(self)
    }

    fn seconds(&self) -> f64 {
        Job::seconds(self)
    }

    fn ended(&self, timeout: Option<Duration>) -> Option<Result<()>> {
        let result = self.wait(timeout)?;
        Some(result.as_ref().as_ref().map(|_| ()).map_err(Clone::clone))
    }

    fn cancel(&self) {
        Job::cancel(self);
    }

    fn check_process(&self) -> Result<()> {
        Job::check_process(self)
    }
}

impl<T> Drop for Job<T> {
    /// Cancels the run and waits for its thread, so that nothing outlives the job. In another
    /// process there is no thread, and all that the job holds is the parent's.
    fn drop(&mut self) {
        if !self.shared.home.is_here() {
            std::mem::forget(self.thread.take());
            // One more owner, who never lets go.
            std::mem::forget(Arc::clone(&self.shared));
            return;
        }
        self.cancel();
        if let Some(thread) = self.thread.take() {
            // The worker catches every panic of the work itself.
            let _ = thread.join();
        }
    }
}
