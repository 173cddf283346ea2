//! What stands between the older interface and the safe code: panics, numbers of errors, and the
//! line on stderr that tells what was wrong.

use std::io::Write;

use crate::error::Error;
use crate::ffi::status::CallError;
use crate::panics;

/// A family of functions, which its lines on stderr begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Vkc,
    Vkd,
    Vks,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Group::Vkc => "VKC",
            Group::Vkd => "VKD",
            Group::Vks => "VKS",
        }
    }
}

/// The results of this interface, as far as vkd gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Success = 0,
    BadArguments = -1,
    ExecutionFailed = -6,
}

/// Why a call does not do what it should.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// A pointer is NULL, or a number is out of range.
    Arguments(String),
    /// What was asked for could not be done.
    Failure(String),
}

/// What a call gives.
pub(super) type Result<T> = std::result::Result<T, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Failure(error.to_string())
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Refusal {
        match error {
            CallError::NullPointer { .. } => Refusal::Arguments(error.to_string()),
            _ => Refusal::Failure(error.to_string()),
        }
    }
}

/// A refusal of arguments.
pub(super) fn arguments(text: impl Into<String>) -> Refusal {
    Refusal::Arguments(text.into())
}

/// Runs `work`; panics and errors become a number, and a line on stderr.
pub(super) fn guard(group: Group, work: impl FnOnce() -> Result<()>) -> i32 {
    let code = match caught(group, work) {
        Ok(()) => Code::Success,
        // The similarities know one number only.
        Err(Refusal::Arguments(_)) if group != Group::Vks => Code::BadArguments,
        Err(_) => Code::ExecutionFailed,
    };
    code as i32
}

/// Runs `work` and gives what it makes as a handle, which is the caller's from here on; NULL after
/// an error.
pub(super) fn guard_handle<T>(group: Group, work: impl FnOnce() -> Result<T>) -> *mut T {
    match caught(group, work) {
        Ok(handle) => Box::into_raw(Box::new(handle)),
        Err(_) => std::ptr::null_mut(),
    }
}

/// Runs `work` that tells nothing but a value; `otherwise` after a panic.
pub(super) fn guard_value<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    panics::caught(work).unwrap_or(otherwise)
}

fn caught<T>(group: Group, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let result = panics::caught(work).unwrap_or_else(|panic| Err(panic.into()));
    if let Err(Refusal::Arguments(text) | Refusal::Failure(text)) = &result {
        let line = format!("[{}] {}\n", group.name(), text.replace('\n', " "));
        // Nobody to tell where stderr is closed.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_numbers_of_their_family() {
        let null = || Err(CallError::NullPointer { name: "batch" }.into());
        let failure = || Err(Error::Cancelled.into());
        assert_eq!([guard(Group::Vkd, null), guard(Group::Vkd, failure)], [-1, -6]);
        assert_eq!([guard(Group::Vks, null), guard(Group::Vks, failure)], [-6, -6]);
        assert_eq!(guard(Group::Vkd, || panic!("on purpose")), -6);
        assert_eq!(guard(Group::Vkc, || Ok(())), 0);
        assert!(guard_handle::<u32>(Group::Vkd, || panic!("on purpose")).is_null());
        assert_eq!(guard_value(7, || panic!("on purpose")), 7);
    }
}
