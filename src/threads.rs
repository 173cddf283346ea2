//! Threads for the length of one phase, how many of them, and the locks that they share.
//!
//! Knows nothing of what the threads do. Locks are taken through `lock`, which outlives a panic.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{sync_channel, RecvTimeoutError};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, Scope};
use std::time::Duration;

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

/// How often who waits for a thread apart looks whether to go on waiting.
const CHECK_EVERY: Duration = Duration::from_millis(5);

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

/// Whether one of the threads of a [`run`] has failed.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    seen: AtomicBool,
    first: Mutex<Option<Error>>,
}

impl Failure {
    /// Asked between two pieces of work: true where no more is needed.
    pub(crate) fn is_seen(&self) -> bool {
        self.seen.load(Relaxed)
    }

    fn add(&self, error: Error) {
        lock(&self.first).get_or_insert(error);
        self.seen.store(true, Relaxed);
    }
}

/// Runs `work` on `num_threads` threads at once, this one among them, and waits for all. The first
/// error counts, and a panic is one; the others can see that there is one.
pub(crate) fn run(num_threads: usize, work: impl Fn(&Failure) -> Result<()> + Sync) -> Result<()> {
    let failure = Failure::default();
    let guarded = || {
        if let Err(error) = panics::caught(|| work(&failure)).flatten() {
            failure.add(error);
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
    unlocked(failure.first).map_or(Ok(()), Err)
}

/// Lets a thread of its own do what cannot be stopped once it has begun, such as waiting for the
/// disk, and waits for it unless `check` says no: then it ends by itself. So `work` owns all that
/// it touches, and does no harm when it ends late.
pub(crate) fn apart<T: Send + 'static>(
    check: impl Fn() -> Result<()>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (sender, result) = sync_channel(1);
    // Beside the thread, for where the system has none.
    let work = Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<_>>| lock(work).take();
    let its_own = Arc::clone(&work);
    let started = start("vkd apart", "waiting for the disk", move || {
        if let Some(work) = take(&its_own) {
            // Nobody may be waiting any more.
            let _ = sender.send(work());
        }
    });
    if started.is_err() {
        if let Some(work) = take(&work) {
            return Ok(work());
        }
    }
    loop {
        check()?;
        match result.recv_timeout(CHECK_EVERY) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Internal { detail: "a thread apart has panicked".into() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    use super::*;

    /// Three threads work for ever; one fails, or panics.
    fn one_fails(fail: impl Fn() -> Result<()> + Sync) -> Result<()> {
        let number = AtomicUsize::new(0);
        run(4, |failure| {
            if number.fetch_add(1, Relaxed) == 2 {
                return fail();
            }
            while !failure.is_seen() {
                std::thread::yield_now();
            }
            Ok(())
        })
    }

    #[test]
    fn what_is_done_apart_keeps_nobody_waiting_who_was_cancelled() {
        assert_eq!(apart(|| Ok(()), || 7), Ok(7));
        let begin = Instant::now();
        let still = || match begin.elapsed() < Duration::from_millis(20) {
            true => Ok(()),
            false => Err(Error::Cancelled),
        };
        let slow = || std::thread::sleep(Duration::from_secs(1));
        assert_eq!(apart(still, slow), Err(Error::Cancelled));
        assert!(begin.elapsed() < Duration::from_millis(700), "{:?}", begin.elapsed());
    }

    #[test]
    fn one_error_ends_all() {
        assert_eq!(one_fails(|| Err(Error::Cancelled)), Err(Error::Cancelled));
        let panics = || -> Result<()> { panic!("on purpose") };
        assert!(matches!(one_fails(panics), Err(Error::Internal { .. })));
    }
}
