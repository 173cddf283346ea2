//! Panics end where they are caught, as an error, and print nothing.
//!
//! What prints is the process's panic hook. Before the first piece of work a hook is put before it,
//! once, that is silent on a thread while that thread is inside [`caught`], and on every other
//! passes the panic on to the hook that was there: a program that uses the library keeps its own.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    /// Whether this thread is inside `caught`.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic inside was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `work`; a panic becomes an error that tells where it was.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T> {
    install_hook();
    // A thread that is being torn down has no storage left: its panics are caught and print.
    let before = INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    let _ = INSIDE.try_with(|inside| inside.set(before));
    result.map_err(|panic| error(panic.as_ref()))
}

/// Puts our hook before the one that is there.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    // Where panics abort none is ever caught, and its text is all that is left of it. On a thread
    // that panics already no hook can be set.
    if cfg!(panic = "abort") || std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !INSIDE.try_with(Cell::get).unwrap_or(false) {
                return others(panic);
            }
            note_place(panic);
        }));
    });
}

fn note_place(panic: &PanicHookInfo) {
    let text = panic.location().map(ToString::to_string).unwrap_or_default();
    let _ = PLACE.try_with(|place| place.try_borrow_mut().map(|mut place| *place = text));
}

/// A caught panic as an error.
fn error(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "a panic without a message".into());
    let place = PLACE.try_with(RefCell::take).unwrap_or_default();
    let detail = if place.is_empty() { text } else { format!("{text} ({place})") };
    Error::Internal { detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_tell_where_they_were() {
        let Err(Error::Internal { detail }) = caught(|| panic!("seven is {}", 7)) else { panic!() };
        assert!(detail.starts_with("seven is 7 (src/panics.rs:"), "{detail}");
        assert_eq!(caught(|| 5), Ok(5));
        assert!(!INSIDE.get());
    }
}
