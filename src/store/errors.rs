//! What can be wrong with a file, as errors of the library.

use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// An error of the system. `bytes`: how much was to be written.
pub(crate) fn file_error(
    action: &'static str,
    path: &Path,
    bytes: u64,
    error: &io::Error,
) -> Error {
    use io::ErrorKind;
    let (path, reason) = (path.display().to_string(), error.to_string());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::DiskFull { action, path, bytes, reason }
        }
        _ => Error::File { action, path, reason },
    }
}

/// What is wrong with the bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A file of results that is damaged.
    Damaged(String),
    /// No file of results.
    Foreign(String),
    /// Results of another kind.
    Other { found: String, wanted: &'static str },
}

impl Refusal {
    /// The error for the file at `path`.
    pub(super) fn at(self, path: &Path) -> Error {
        match self {
            Refusal::Damaged(reason) => bad_file(path, reason),
            Refusal::Foreign(reason) => foreign(path, reason),
            Refusal::Other { found, wanted } => Error::FileMismatch {
                path: path.display().to_string(),
                what: "format",
                found,
                wanted: wanted.into(),
            },
        }
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Refusal {
        Refusal::Damaged(reason)
    }
}

/// The error of a file to read that is none of vkd's.
pub(super) fn foreign(path: &Path, reason: impl Into<String>) -> Error {
    Error::NoResults { path: path.display().to_string(), reason: reason.into() }
}

/// The error of something that must not be replaced.
pub(crate) fn not_replaced(path: &Path, reason: impl Into<String>) -> Error {
    Error::NotReplaced { path: path.display().to_string(), reason: reason.into() }
}

/// The error of a file of results that is damaged.
pub(super) fn bad_file(path: &Path, reason: impl Into<String>) -> Error {
    Error::BadFile { path: path.display().to_string(), reason: reason.into() }
}

/// Refuses a file of other results than those that are wanted; `what` is the thing compared.
pub(crate) fn require_same<T: PartialEq + ToString>(
    path: &Path,
    what: &'static str,
    found: &T,
    wanted: &T,
) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let path = path.display().to_string();
    Err(Error::FileMismatch { path, what, found: found.to_string(), wanted: wanted.to_string() })
}
