//! Reading and writing at a place of a file, and what else differs between systems.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Writes all of `bytes` at `place`.
#[cfg(unix)]
pub(crate) fn write_at(file: &File, bytes: &[u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, place)
}

/// Writes all of `bytes` at `place`.
#[cfg(windows)]
pub(crate) fn write_at(file: &File, mut bytes: &[u8], mut place: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, place)?;
        (bytes, place) = (&bytes[written..], place + written as u64);
    }
    Ok(())
}

/// Fills `bytes` from `place`.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

/// Fills `bytes` from `place`.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, mut bytes: &mut [u8], mut place: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, place)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (bytes, place) = (&mut bytes[read..], place + read as u64);
    }
    Ok(())
}

/// Gives a file its size, with room on the disk where the file system can promise it.
pub(crate) fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{fallocate, FallocateFlags};
        match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
            result => return Ok(result?),
        }
    }
    file.set_len(bytes)
}

/// A file that could not be brought to the disk.
pub(crate) struct SyncError {
    pub(crate) file: PathBuf,
    pub(crate) error: io::Error,
}

/// Brings files of one folder to the disk.
pub(crate) fn sync_files(files: &[PathBuf]) -> Result<(), SyncError> {
    let failed = |file: &Path, error| SyncError { file: file.to_owned(), error };
    // One call for the whole file system takes as long as its data, where one for each file waits
    // for the disk each time.
    #[cfg(target_os = "linux")]
    if let [first, _, ..] = files {
        let sync = || Ok(rustix::fs::syncfs(File::open(first)?)?);
        return sync().map_err(|error| failed(first, error));
    }
    for file in files {
        let sync = || File::options().write(true).open(file)?.sync_data();
        sync().map_err(|error| failed(file, error))?;
    }
    Ok(())
}

/// Brings the name of a new file to the disk. Windows does that with the file.
pub(crate) fn sync_directory(file: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
