//! Memory-mapped files, read only.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use memmap2::Mmap;

use super::errors::{file_error, foreign};
use super::place::open_to_read;
use crate::error::Result;

/// Maps a whole file. All who map the same file share its memory; the handle can be closed.
pub(super) fn map(file: &File, path: &Path) -> Result<Mmap> {
    // SAFETY: the map is read only. Bytes that another process changes meanwhile are read as
    // numbers, for which any value is valid. A file that is cut short under a reader raises SIGBUS;
    // vkd never does that to a file that has its final name (it replaces by renaming), and the
    // documentation tells users not to.
    unsafe { Mmap::map(file) }.map_err(|error| file_error("map", path, 0, &error))
}

/// Lets the system take back the memory of what was read of a map. It is read again when it is
/// needed; until then it does not count as memory of this process.
pub(crate) fn release(map: &Mmap) {
    #[cfg(unix)]
    // SAFETY: the map is of a file and read only, so all its pages can be read again. Who reads
    // them at this moment does that.
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    #[cfg(not(unix))]
    let _ = map;
}

/// Bytes that whoever reads all rows leaves mapped, before the system may have them back.
const READ_AHEAD: u64 = 1 << 20;

/// Gives back what was read of a map up to row `index`, each time some rows more were.
pub(super) fn release_after(map: &Mmap, index: u32, row_bytes: u64) {
    if u64::from(index).is_multiple_of(READ_AHEAD / row_bytes + 1) {
        release(map);
    }
}

/// Maps the file at `path`.
pub(super) fn open(path: &Path) -> Result<Mmap> {
    let failed = |error: io::Error| file_error("open", path, 0, &error);
    // Looked at first, since opening a device may do something, and then opened without waiting.
    let about = std::fs::metadata(path).map_err(failed)?;
    require_results(path, &about)?;
    let file = open_to_read(path).map_err(failed)?;
    open_file(&file, path)
}

/// Maps a regular file that is not empty, whatever it holds.
pub(crate) fn open_any(path: &Path) -> Result<Option<Mmap>> {
    let failed = |error: io::Error| file_error("open", path, 0, &error);
    let irregular = || io::Error::other("it is no regular file");
    // As above.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(irregular()));
    }
    let file = open_to_read(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    match (about.is_file(), about.len()) {
        (false, _) => Err(failed(irregular())),
        (true, 0) => Ok(None),
        (true, _) => map(&file, path).map(Some),
    }
}

/// Maps a file that is open.
pub(super) fn open_file(file: &File, path: &Path) -> Result<Mmap> {
    let about = file.metadata().map_err(|error| file_error("read", path, 0, &error))?;
    require_results(path, &about)?;
    map(file, path)
}

/// Refuses what cannot be a file of results.
fn require_results(path: &Path, about: &Metadata) -> Result<()> {
    match (about.is_file(), about.len()) {
        (true, 8..) => Ok(()),
        (true, 0) => Err(foreign(path, "it is empty")),
        (true, _) => Err(foreign(path, "it is too short")),
        (false, _) => Err(foreign(path, "it is no regular file")),
    }
}
