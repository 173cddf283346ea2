//! Ctrl-C and SIGTERM: they cancel the job that is under way.
//!
//! Who waits for a job asks `is_wanted` and cancels it, which leaves files as they can be gone on
//! with. What cannot be cancelled (a driver that compiles, a text that is read) does not hold the
//! command up: after `PATIENCE` it ends without that, as by a kill, from which files are as safe.
//! It does so without what programs do at their end: drivers clean up there, and would find their
//! own threads at work.
//!
//! SIGHUP is left to the system: it ends the command as a kill does, and not below `nohup`.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
#[cfg(unix)]
use std::{io, thread, time::Duration};

use crate::failure::{self, Failure};

/// The exit code of an interrupted command, as shells give it after Ctrl-C.
pub(crate) const CODE: u8 = 130;

/// How long a run may take to end by itself.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_millis(120);

static WANTED: AtomicBool = AtomicBool::new(false);
static TOLD: AtomicBool = AtomicBool::new(false);
/// What an interrupted run leaves.
static LEFT: Mutex<String> = Mutex::new(String::new());

/// Listens to signals from now on.
#[cfg(unix)]
pub(crate) fn listen() -> Result<(), Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let failed = |error: io::Error| {
        Failure::Failed(format!("cannot listen to signals: {error}; end other programs"))
    };
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let wait = move || {
        if signals.forever().next().is_some() {
            end_soon();
        }
    };
    thread::Builder::new().name("vkd signals".into()).spawn(wait).map_err(failed)?;
    Ok(())
}

/// Elsewhere Ctrl-C ends the command at once.
#[cfg(not(unix))]
pub(crate) fn listen() -> Result<(), Failure> {
    Ok(())
}

/// Lets the run end by itself, or ends it.
#[cfg(unix)]
fn end_soon() {
    WANTED.store(true, SeqCst);
    thread::sleep(PATIENCE);
    tell();
    signal_hook::low_level::exit(CODE.into());
}

/// Whether a signal came.
pub(crate) fn is_wanted() -> bool {
    WANTED.load(SeqCst)
}

/// Notes what an interrupted run leaves, for its user.
pub(crate) fn leaves(what: String) {
    *LEFT.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

/// Says once that the command was interrupted, and what is left.
pub(crate) fn tell() {
    // Whoever comes second waits until it is said: it may end the command.
    let left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    if !TOLD.swap(true, SeqCst) {
        let left = if left.is_empty() { "nothing was written" } else { &left };
        failure::tell(&format!("interrupted; {left}"));
    }
}
