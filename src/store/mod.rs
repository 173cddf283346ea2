//! The store: files of finished results, written while a run goes on, read by any number of processes at once.
//!
//! `tensors` knows the bytes of a safetensors file, `format` those of a file of sequences. `writer` lets
//! such a file grow as NAME.partial (`partial`), resumes and extends it; `reader` maps a finished one. `neighbors` is both for
//! files of neighbours, `site` the JSON files of a site. `map` holds the one unsafe call that takes, `place` what differs between systems. The store knows
//! corpus, plan and engine (it takes the rows they finish), not who asked for them.
//!
//! Nothing is lost by a kill: a row counts as soon as its checksum stands in `row_checksums`, and whoever resumes
//! believes no row that does not fit its checksum.

mod format;
mod map;
mod neighbors;
pub(crate) mod partial;
pub(crate) mod place;
mod reader;
mod tensors;
mod writer;

pub use format::{fingerprint, Meta};
pub use neighbors::{NeighborsFile, NeighborsMeta, NeighborsWriter};
pub use reader::{Row, SequencesFile};
pub use writer::{Begun, Target, Writer};

use std::path::Path;

use crate::error::{Error, Result};

/// What a file of results holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sequences.
    Sequences,
    /// Neighbours.
    Neighbors,
}

/// Reads from a file's header what it holds.
pub fn kind(path: &Path) -> Result<Kind> {
    let (map, _) = map::open(path)?;
    let header = tensors::Header::parse(&map).map_err(|reason| reader::bad(path, reason))?;
    match header.text("format") {
        format::FORMAT => Ok(Kind::Sequences),
        neighbors::FORMAT => Ok(Kind::Neighbors),
        other => {
            Err(reader::bad(path, format!("its format is \"{other}\", which is none of vkd's")))
        }
    }
}

/// An error of the system as an error of the library. `bytes`: how much was to be written.
pub(crate) fn file_error(
    action: &'static str,
    path: &Path,
    bytes: u64,
    error: &std::io::Error,
) -> Error {
    use std::io::ErrorKind;
    let (path, reason) = (path.display().to_string(), error.to_string());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::DiskFull { action, path, bytes, reason }
        }
        _ => Error::File { action, path, reason },
    }
}
