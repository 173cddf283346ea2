//! Threads for the length of one phase, how many of them, and the locks that they share.
//!
//! Knows nothing of what the threads do. Locks are taken through `lock`, which outlives a panic.

use std::io;
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, Scope};

use crate::environment;
use crate::error::{Error, Result};
use crate::memory::{self, Bytes};
use crate::panics;

/// The stack of a thread that is started here, as Rust makes it.
const STACK: Bytes = Bytes::new(2 << 20);

/// Address space that glibc takes for the heap of a thread with its first allocation, if there is
/// so much: twice the size of a heap, of which it gives back a half, or one.
const HEAPS: [Bytes; 2] = [Bytes::new(64 << 20), Bytes::new(128 << 20)];

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
    started(what, |signal| {
        Builder::new().name(name.into()).spawn(move || {
            signal.give();
            work()
        })
    })
}

/// The same for the length of a scope.
pub(crate) fn start_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    what: &'static str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    started(what, |signal| {
        let thread = Builder::new().name(name.into()).spawn_scoped(scope, move || {
            signal.give();
            work();
        });
        thread.map(|_| ())
    })
}

/// Starts a thread by `spawn`. Where the process has a limit of address space: only with room for
/// all that it takes, and waits until it has taken that.
fn started<T>(what: &'static str, spawn: impl FnOnce(Signal) -> io::Result<T>) -> Result<T> {
    let none = |error: io::Error| Error::NoThread { what, reason: error.to_string() };
    let thread = memory::take(STACK, || {
        if HEAPS.into_iter().any(|heap| memory::would_starve(STACK + heap)) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let begun = memory::is_limited().then(|| Arc::new(Barrier::new(2)));
        let thread = spawn(Signal(begun.clone()))?;
        begun.map(|begun| begun.wait());
        Ok(thread)
    });
    thread.unwrap_or_else(|| Err(io::ErrorKind::OutOfMemory.into())).map_err(none)
}

/// What a thread tells who started it: that it has what it takes.
struct Signal(Option<Arc<Barrier>>);

impl Signal {
    fn give(self) {
        if let Some(begun) = self.0 {
            drop(std::hint::black_box(Box::new(0u8)));
            begun.wait();
        }
    }
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
