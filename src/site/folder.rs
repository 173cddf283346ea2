//! A folder that is written to for a while, whatever becomes of its path meanwhile.
//!
//! On Unix it is a descriptor, and names are looked up in it: neither another current folder nor a
//! link put into its path leads a file elsewhere. Elsewhere it is an absolute path. No call follows
//! a link at the name itself, and none creates a file where something is.

#[cfg(not(unix))]
use std::fs;
use std::fs::File;
#[cfg(unix)]
use std::fs::TryLockError;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::store::place::read_at;

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    #[cfg(unix)]
    handle: File,
}

/// What stands at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A device, a FIFO or a socket.
    Other,
}

/// The first and the last bytes of a file.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) head: Vec<u8>,
    pub(crate) tail: Vec<u8>,
}

/// Whether a folder could be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "folders are locked on Unix only"))]
pub(crate) enum Locked {
    Yes,
    /// Another open handle has the lock, of this process or another one.
    Busy,
    /// The system or the file system has no such locks.
    Unsupported,
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn place(&self, name: &Path) -> PathBuf {
        self.path.join(name)
    }

    /// The first bytes of the file `name`, at most `head`, and its last, at most `tail`.
    pub(crate) fn ends(&self, name: &Path, head: usize, tail: usize) -> io::Result<Ends> {
        let file = self.open_file(name)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let read = |most: usize, end: bool| {
            let bytes = about.len().min(most as u64);
            let mut found = vec![0; bytes as usize];
            read_at(&file, &mut found, if end { about.len() - bytes } else { 0 })?;
            Ok::<_, io::Error>(found)
        };
        Ok(Ends { head: read(head, false)?, tail: read(tail, true)? })
    }

    /// A new file without a name, to read and write, which is gone with its handle.
    pub(crate) fn unnamed(&self) -> io::Result<File> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = COUNT.fetch_add(1, Relaxed);
            let name = format!(".vkd-{}-{number}.partial", std::process::id());
            let name = Path::new(&name);
            match self.create(name) {
                // Of an earlier process with this number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    self.remove(name)?;
                    return Ok(file);
                }
            }
        }
    }
}

#[cfg(unix)]
impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        use rustix::fs::{Mode, OFlags};
        let path = std::path::absolute(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(&path, flags, Mode::empty())?.into();
        Ok(Folder { path, handle })
    }

    /// The same folder by a handle of its own, which does not share the lock.
    pub(crate) fn again(&self) -> io::Result<Folder> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(&self.handle, ".", flags, Mode::empty())?.into();
        Ok(Folder { path: self.path.clone(), handle })
    }

    /// Keeps others from locking the folder, until this handle is dropped.
    pub(crate) fn lock(&self) -> Locked {
        match self.handle.try_lock() {
            Ok(()) => Locked::Yes,
            Err(TryLockError::WouldBlock) => Locked::Busy,
            Err(TryLockError::Error(_)) => Locked::Unsupported,
        }
    }

    /// What stands at `name`; `None`: nothing.
    pub(crate) fn kind(&self, name: &Path) -> io::Result<Option<Kind>> {
        use rustix::fs::{statat, AtFlags, FileType};
        let about = match statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            about => about?,
        };
        Ok(Some(match FileType::from_raw_mode(about.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        }))
    }

    /// Creates the file `name`, to read and write.
    pub(crate) fn create(&self, name: &Path) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o666))?.into())
    }

    fn open_file(&self, name: &Path) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags};
        // Not to wait for the other end of a FIFO that has come there meanwhile.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.handle, name, flags, Mode::empty())?.into())
    }

    /// Gives the file `name` the name `new`, and replaces a file that has it.
    pub(crate) fn rename(&self, name: &Path, new: &Path) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, name, &self.handle, new)?)
    }

    pub(crate) fn remove(&self, name: &Path) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, rustix::fs::AtFlags::empty())?)
    }

    /// Whether both are one folder, whatever their paths are.
    pub(crate) fn is(&self, other: &Folder) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let (one, other) = (self.handle.metadata()?, other.handle.metadata()?);
        Ok(one.dev() == other.dev() && one.ino() == other.ino())
    }

    /// Brings the folder's files to the disk, of those named here the data at least.
    pub(crate) fn sync_files(&self, names: &[PathBuf]) -> io::Result<()> {
        // One call for the whole file system takes as long as its data, where one for each file
        // waits for the disk each time.
        #[cfg(target_os = "linux")]
        if names.len() > 1 {
            return Ok(rustix::fs::syncfs(&self.handle)?);
        }
        names.iter().try_for_each(|name| self.open_file(name)?.sync_data())
    }

    /// Brings the names in the folder to the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

#[cfg(not(unix))]
impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        match fs::metadata(&path)?.is_dir() {
            true => Ok(Folder { path }),
            false => Err(ErrorKind::NotADirectory.into()),
        }
    }

    /// The same folder.
    pub(crate) fn again(&self) -> io::Result<Folder> {
        Ok(Folder { path: self.path.clone() })
    }

    /// Keeps others from locking the folder, until this handle is dropped.
    pub(crate) fn lock(&self) -> Locked {
        Locked::Unsupported
    }

    /// What stands at `name`; `None`: nothing.
    pub(crate) fn kind(&self, name: &Path) -> io::Result<Option<Kind>> {
        let kind = match fs::symlink_metadata(self.place(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            about => about?.file_type(),
        };
        Ok(Some(match () {
            () if kind.is_file() => Kind::File,
            () if kind.is_dir() => Kind::Folder,
            () if kind.is_symlink() => Kind::Link,
            () => Kind::Other,
        }))
    }

    /// Creates the file `name`, to read and write.
    pub(crate) fn create(&self, name: &Path) -> io::Result<File> {
        File::options().read(true).write(true).create_new(true).open(self.place(name))
    }

    fn open_file(&self, name: &Path) -> io::Result<File> {
        File::options().read(true).write(true).open(self.place(name))
    }

    /// Gives the file `name` the name `new`, and replaces a file that has it.
    pub(crate) fn rename(&self, name: &Path, new: &Path) -> io::Result<()> {
        fs::rename(self.place(name), self.place(new))
    }

    pub(crate) fn remove(&self, name: &Path) -> io::Result<()> {
        fs::remove_file(self.place(name))
    }

    /// Whether both are one folder, whatever their paths are.
    pub(crate) fn is(&self, other: &Folder) -> io::Result<bool> {
        Ok(fs::canonicalize(&self.path)? == fs::canonicalize(&other.path)?)
    }

    /// Brings files of the folder to the disk.
    pub(crate) fn sync_files(&self, names: &[PathBuf]) -> io::Result<()> {
        names.iter().try_for_each(|name| self.open_file(name)?.sync_data())
    }

    /// Brings the names in the folder to the disk: here that happens with the files.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
