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

/// Lets the system take back the memory of what was read of a map. It is read again when it is
/// needed; until then it does not count as memory of this process.
pub(super) fn release(map: &Mmap) {
    #[cfg(unix)]
    // SAFETY: the map is of a file and read only, so all its pages can be read again. Who reads
    // them at this moment does that.
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    #[cfg(not(unix))]
    let _ = map;
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
