//! The store: files of finished sequences, written while a run goes on, read by any number of processes at once.
//!
//! `format` knows the bytes: a safetensors file with the tensors `sequences`, `starts` and `row_checksums`. `writer` lets
//! such a file grow as NAME.partial, resumes and extends it; `reader` maps a finished one; `map` holds the one unsafe
//! call that takes, `place` what differs between systems. The store knows corpus, plan and engine (it takes the rows they finish), not who asked for them.
//!
//! Nothing is lost by a kill: a row counts as soon as its checksum stands in `row_checksums`, and whoever resumes
//! believes no row that does not fit its checksum.

mod format;
mod map;
mod place;
mod reader;
mod writer;

pub use format::{fingerprint, Meta};
pub use reader::{Row, SequencesFile};
pub use writer::{Begun, Target, Writer};

use std::path::Path;

use crate::error::Error;

/// An error of the system as an error of the library. `bytes`: how much was to be written.
fn file_error(action: &'static str, path: &Path, bytes: u64, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let (path, reason) = (path.display().to_string(), error.to_string());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::DiskFull { action, path, bytes, reason }
        }
        _ => Error::File { action, path, reason },
    }
}
