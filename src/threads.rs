//! Threads for the length of one phase, how many of them, and the locks that they share.
//!
//! Knows nothing of what the threads do. Locks are taken through `lock`, which outlives a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::environment;
use crate::error::{Error, Result};

/// The variable of the number of threads.
const COUNT: &str = "VKD_THREADS";

/// How many threads to use: as asked for, else `VKD_THREADS`, else one for each processor that this
/// process may use.
pub(crate) fn count(wanted: Option<u32>) -> Result<usize> {
    if let Some(wanted) = wanted.filter(|&wanted| wanted > 0) {
        return Ok(wanted as usize);
    }
    let Some(text) = environment::text(COUNT)? else {
        return Ok(std::thread::available_parallelism().map_or(1, usize::from));
    };
    match text.parse() {
        Ok(count @ 1..=4096) => Ok(count),
        _ => Err(Error::BadOption {
            option: COUNT,
            got: text,
            allowed: "set it to a number from 1 to 4096, or not at all".into(),
        }),
    }
}

/// Locks `mutex`, also where a thread panicked while it held the lock: such a panic ends its run
/// with an error, and what the lock guards is whole between any two of our statements.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `mutex` guards, also where a thread panicked while it held the lock (see [`lock`]).
pub(crate) fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` on `num_threads` threads at once, this one among them, and waits for all. The first
/// error counts.
pub(crate) fn run(num_threads: usize, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
    let failed = Mutex::new(None);
    let guarded = || {
        if let Err(error) = work() {
            lock(&failed).get_or_insert(error);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..num_threads {
            // Where the system has no more threads, the others do the work.
            let _ = std::thread::Builder::new().name("vkd cpu".into()).spawn_scoped(scope, guarded);
        }
        guarded();
    });
    unlocked(failed).map_or(Ok(()), Err)
}
