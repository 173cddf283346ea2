//! Threads for the length of one phase, how many of them, and the locks that they share.
//!
//! Knows nothing of what the threads do. Locks are taken through `lock`, which outlives a panic.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, Scope};

use crate::environment;
use crate::error::{Error, Result};
use crate::memory::{self, Bytes};
use crate::panics;

/// The stack of a thread that is started here, as Rust makes it.
const STACK: Bytes = Bytes::new(2 << 20);

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

/// Starts a thread that nobody has to wait for. `what` it is for, in the error where the system
/// gives none.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    builder(name, what)?.spawn(work).map_err(|error| none(what, &error))
}

/// The same for the length of a scope.
pub(crate) fn start_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    what: &'static str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let thread = builder(name, what)?.spawn_scoped(scope, work);
    thread.map(|_| ()).map_err(|error| none(what, &error))
}

/// A thread that needs small allocations to begin: where those would fail, that is no thread.
fn builder(name: &str, what: &'static str) -> Result<Builder> {
    match memory::has_room(STACK) {
        true => Ok(Builder::new().name(name.into())),
        false => Err(none(what, &io::ErrorKind::OutOfMemory.into())),
    }
}

fn none(what: &'static str, error: &io::Error) -> Error {
    Error::NoThread { what, reason: error.to_string() }
}

/// Runs `work` on `num_threads` threads at once, this one among them, and waits for all. The first
/// error counts, and a panic is one.
pub(crate) fn run(num_threads: usize, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
    let failed = Mutex::new(None);
    let guarded = || {
        if let Err(error) = panics::caught(&work).flatten() {
            lock(&failed).get_or_insert(error);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..num_threads {
            // Where the system has no more threads, the others do the work.
            if start_scoped(scope, "vkd cpu", "the CPU engine", guarded).is_err() {
                break;
            }
        }
        guarded();
    });
    unlocked(failed).map_or(Ok(()), Err)
}
