//! The process that something belongs to.
//!
//! A child after a fork has its parent's memory, but none of its threads: locks that they held stay
//! locked, and a driver waits for them for ever. So contexts, jobs and engines remember where they
//! were made. Asked for anything elsewhere, they answer with an error; freed elsewhere, they do
//! nothing: what they hold is the parent's. Asking costs one system call that does nothing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::{Error, Result};

/// Where something was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home(u32);

impl Home {
    /// This process.
    pub(crate) fn here() -> Home {
        Home(std::process::id())
    }

    pub(crate) fn is_here(self) -> bool {
        self == Home::here()
    }

    /// Refuses to go on in another process. `what` was made in this one.
    pub(crate) fn check(self, what: &'static str) -> Result<()> {
        match self.is_here() {
            true => Ok(()),
            false => Err(belongs_to(self.0, what, "open a context of its own here")),
        }
    }
}

fn belongs_to(owner: u32, what: &'static str, instead: &'static str) -> Error {
    Error::OtherProcess { what, owner, here: std::process::id(), instead }
}

/// How many uses one process has of something that a child cannot share and cannot have for itself
/// as long as its parent had it open at the fork. Without a lock: that could be held for ever.
#[derive(Debug)]
pub(crate) struct Uses {
    /// The process, and how many: 32 bits each.
    state: AtomicU64,
    what: &'static str,
    instead: &'static str,
}

/// One use, ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Use(&'static Uses);

impl Uses {
    /// None yet. `what` it is of, and what a child may do `instead`, for messages.
    pub(crate) const fn none(what: &'static str, instead: &'static str) -> Uses {
        Uses { state: AtomicU64::new(0), what, instead }
    }

    /// One more, unless another process had some when it forked this one.
    pub(crate) fn begin(&'static self) -> Result<Use> {
        let here = std::process::id();
        let more = |state| match owner_and_count(state) {
            (owner, count) if owner == here || count == 0 => {
                Some(u64::from(here) << 32 | (count + 1))
            }
            _ => None,
        };
        match self.state.fetch_update(Relaxed, Relaxed, more) {
            Ok(_) => Ok(Use(self)),
            Err(state) => Err(belongs_to(owner_and_count(state).0, self.what, self.instead)),
        }
    }
}

fn owner_and_count(state: u64) -> (u32, u64) {
    ((state >> 32) as u32, state & u64::from(u32::MAX))
}

impl Drop for Use {
    fn drop(&mut self) {
        // It is this process's: others never drop what they did not make.
        self.0.state.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_elsewhere_is_refused_with_both_numbers() {
        assert_eq!(Home::here().check("this context"), Ok(()));
        let elsewhere = Home(Home::here().0 + 1);
        assert!(!elsewhere.is_here());
        let text = elsewhere.check("this context").unwrap_err().to_string();
        assert!(text.starts_with("this context belongs to process "), "{text}");
        assert!(text.contains(&std::process::id().to_string()), "{text}");
    }

    #[test]
    fn a_child_has_no_use_of_what_its_parent_has_open() {
        static USES: Uses = Uses::none("it", "go without");
        let uses = [USES.begin().unwrap(), USES.begin().unwrap()];
        let (here, other) = (u64::from(std::process::id()), 77u64);
        assert_eq!(USES.state.load(Relaxed), here << 32 | 2);
        drop(uses);
        USES.state.store(other << 32, Relaxed);
        drop(USES.begin().unwrap());
        USES.state.store(other << 32 | 1, Relaxed);
        let text = USES.begin().unwrap_err().to_string();
        assert!(text.contains("it belongs to process 77") && text.contains("go without"), "{text}");
    }
}
