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

/// The error of a file that is damaged, or no file of results.
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
