//! Ctrl-C, SIGTERM and SIGHUP: they cancel the job that is under way.
//!
//! Who waits for a job asks `is_wanted` and cancels it, which leaves files as they can be gone on
//! with. What cannot be cancelled (a driver that compiles, a text that is read) does not hold the
//! command up: after `PATIENCE` it ends without that, as by a kill, from which files are as safe.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::failure::{self, Failure};

/// How long a run may take to end by itself.
const PATIENCE: Duration = Duration::from_millis(150);

static WANTED: AtomicBool = AtomicBool::new(false);
static TOLD: AtomicBool = AtomicBool::new(false);
/// What an interrupted run leaves.
static LEFT: Mutex<String> = Mutex::new(String::new());

/// Listens to signals from now on.
pub(crate) fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        WANTED.store(true, SeqCst);
        thread::sleep(PATIENCE);
        tell();
        std::process::exit(failure::INTERRUPTED.into());
    })
    .map_err(|error| Failure::Failed(format!("cannot listen to signals: {error}; try again")))
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
    if !TOLD.swap(true, SeqCst) {
        let left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        let left = if left.is_empty() { "nothing was written" } else { &left };
        failure::tell(&format!("interrupted; {left}"));
    }
}
