//! Reading and writing at a place of a file, and what else differs between systems.

use std::fs::File;
use std::io;
use std::path::Path;

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

/// Fills `bytes` from the beginning of a file as far as it goes, and tells how far.
pub(super) fn read_some(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    let there = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(bytes.len());
    read_at(file, &mut bytes[..there], 0)?;
    Ok(there)
}

/// Opens a file to read, without waiting for the other end where it is a FIFO after all.
#[cfg(unix)]
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// Opens a file to read.
#[cfg(not(unix))]
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Gives a file its size, with room on the disk where the file system can promise it.
pub(crate) fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{fallocate, FallocateFlags};
        use rustix::io::Errno;
        let allocate = |begin, length| fallocate(file, FallocateFlags::empty(), begin, length);
        match linux::in_parts(bytes, allocate) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            result => return Ok(result?),
        }
    }
    file.set_len(bytes)
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::io::Errno;

    /// The least part of a file that is allocated at once: a millisecond's work.
    const LEAST_PART: u64 = 1 << 20;

    /// Allocates `bytes` bytes, at once if no signal interrupts. A signal undoes the whole call on
    /// some file systems: a process that gets one each millisecond, from a profiler, would never
    /// come to the end of a large file in one call.
    pub(super) fn in_parts(
        bytes: u64,
        mut allocate: impl FnMut(u64, u64) -> rustix::io::Result<()>,
    ) -> rustix::io::Result<()> {
        let (mut begin, mut part) = (0, bytes);
        while begin < bytes {
            let length = part.min(bytes - begin);
            match allocate(begin, length) {
                Ok(()) => begin += length,
                Err(Errno::INTR) => part = (part / 2).max(LEAST_PART),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn signals_only_make_the_parts_smaller() {
            for slowest in [1 << 20, 3 << 20, 1 << 40] {
                let (bytes, mut end) = ((50 << 20) + 7, 0);
                let allocate = |begin, length| {
                    if length > slowest {
                        return Err(Errno::INTR);
                    }
                    assert_eq!(begin, end);
                    end += length;
                    Ok(())
                };
                assert_eq!(in_parts(bytes, allocate), Ok(()));
                assert_eq!(end, bytes);
            }
            assert_eq!(in_parts(7, |_, _| Err(Errno::NOSPC)), Err(Errno::NOSPC));
        }
    }
}
