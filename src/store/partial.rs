//! NAME.partial: what a file is called until it is whole.
//!
//! Whoever writes holds a lock on it. At the end it is brought to the disk, renamed, and its
//! directory too.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::errors::file_error;
use super::place::sync_directory;
use crate::error::{Error, Result};

/// `path`.partial
pub(crate) fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Opens a partial file, new or not, and locks it.
pub(crate) fn open(partial: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(partial).map_err(|error| file_error("open", partial, 0, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::FileBusy { path: partial.display().to_string() })
        }
        // A file system without locks; then nobody is kept out.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Brings a partial file to the disk and gives it its name.
pub(crate) fn finish(file: &File, partial: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    std::fs::rename(partial, path)?;
    sync_directory(path)
}
