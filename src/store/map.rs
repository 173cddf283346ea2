//! Memory-mapped files, read only.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use super::errors::{bad_file, file_error};
use crate::error::Result;

/// Maps a whole file. All who map the same file share its memory; the handle can be closed.
pub(super) fn map(file: &File, path: &Path) -> Result<Mmap> {
    // SAFETY: the map is read only. Bytes that another process changes meanwhile are read as
    // numbers, for which any value is valid. A file that is cut short under a reader raises SIGBUS;
    // vkd never does that to a finished file (it replaces by renaming), and the documentation tells
    // users not to.
    unsafe { Mmap::map(file) }.map_err(|error| file_error("map", path, 0, &error))
}

/// Maps the file at `path`.
pub(super) fn open(path: &Path) -> Result<Mmap> {
    let file = File::open(path).map_err(|error| file_error("open", path, 0, &error))?;
    let about = file.metadata().map_err(|error| file_error("read", path, 0, &error))?;
    if !about.is_file() || about.len() < 8 {
        return Err(bad_file(path, "it is no file of results"));
    }
    map(&file, path)
}
