//! A folder that stays the same folder whatever becomes of its path, and the files in it by name.
//!
//! On Unix it is an open descriptor: a program that changes its working directory, or renames the
//! folder, changes nothing. No name in it is followed where it is a symbolic link, and opening a
//! FIFO does not wait. On Windows it is an absolute path.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    /// A device, a FIFO, a socket.
    Other,
}

impl Kind {
    fn of(about: &Metadata) -> Kind {
        match about.file_type() {
            one if one.is_file() => Kind::File,
            one if one.is_dir() => Kind::Folder,
            one if one.is_symlink() => Kind::Link,
            _ => Kind::Other,
        }
    }
}

/// Which file it is, whatever its names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

/// What is known of a file without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct About {
    pub(super) kind: Kind,
    pub(super) identity: Identity,
    /// Names that it has.
    pub(super) names: u64,
}

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    #[cfg(unix)]
    handle: File,
    #[cfg(windows)]
    path: PathBuf,
}

/// The folder that a path names, and the name in it.
pub(super) fn split(path: &Path) -> Option<(PathBuf, &OsStr)> {
    // `file_name` does not see a slash at the end, which means a folder.
    let last = path.as_os_str().as_encoded_bytes().last();
    if last.is_none_or(|&last| std::path::is_separator(last.into())) {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some((folder.unwrap_or(Path::new(".")).to_owned(), path.file_name()?))
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{self, AtFlags, Mode, OFlags};
    use rustix::io::{retry_on_intr, Errno};

    use super::*;

    /// Never waits, never follows a link, and closes in programs that are started.
    const CAREFUL: OFlags =
        OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

    impl About {
        /// Of an open file.
        pub(in crate::store) fn of(file: &File) -> io::Result<About> {
            Ok(About::from(&file.metadata()?))
        }

        /// Of what a path leads to, through links.
        pub(in crate::store) fn at(path: &Path) -> io::Result<About> {
            Ok(About::from(&std::fs::metadata(path)?))
        }
    }

    impl From<&Metadata> for About {
        fn from(about: &Metadata) -> About {
            let identity = Identity(about.dev(), about.ino());
            About { kind: Kind::of(about), identity, names: about.nlink() }
        }
    }

    impl Folder {
        pub(in crate::store) fn open(path: &Path) -> io::Result<Folder> {
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            let handle = retry_on_intr(|| fs::open(path, flags, Mode::empty()))?;
            Ok(Folder { handle: handle.into() })
        }

        /// Refuses a folder in which this process cannot make files.
        pub(in crate::store) fn require_writable(&self) -> io::Result<()> {
            let access = fs::Access::WRITE_OK | fs::Access::EXEC_OK;
            Ok(fs::accessat(&self.handle, ".", access, AtFlags::EACCESS)?)
        }

        /// What `name` stands for, if anything.
        #[allow(clippy::unnecessary_cast)] // numbers are smaller on some systems
        pub(in crate::store) fn about(&self, name: &OsStr) -> io::Result<Option<About>> {
            match fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(about) => {
                    let kind = match fs::FileType::from_raw_mode(about.st_mode) {
                        fs::FileType::RegularFile => Kind::File,
                        fs::FileType::Directory => Kind::Folder,
                        fs::FileType::Symlink => Kind::Link,
                        _ => Kind::Other,
                    };
                    let identity = Identity(about.st_dev as u64, about.st_ino as u64);
                    Ok(Some(About { kind, identity, names: about.st_nlink as u64 }))
                }
                Err(Errno::NOENT) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }

        /// Opens a file that is there.
        pub(in crate::store) fn read(&self, name: &OsStr) -> io::Result<File> {
            self.open_as(name, OFlags::RDONLY)
        }

        /// Opens a file that is there.
        pub(in crate::store) fn write(&self, name: &OsStr) -> io::Result<File> {
            self.open_as(name, OFlags::RDWR)
        }

        /// Makes a file that is not there.
        pub(in crate::store) fn create(&self, name: &OsStr) -> io::Result<File> {
            self.open_as(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)
        }

        fn open_as(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
            let mode = Mode::from_raw_mode(0o666);
            let open = || fs::openat(&self.handle, name, flags | CAREFUL, mode);
            Ok(retry_on_intr(open)?.into())
        }

        pub(in crate::store) fn remove(&self, name: &OsStr) -> io::Result<()> {
            Ok(fs::unlinkat(&self.handle, name, AtFlags::empty())?)
        }

        /// Renames a file, over whatever has the new name.
        pub(in crate::store) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            Ok(fs::renameat(&self.handle, from, &self.handle, to)?)
        }

        /// Renames a file unless something has the new name.
        pub(in crate::store) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            #[cfg(any(target_os = "linux", target_vendor = "apple"))]
            {
                let flags = fs::RenameFlags::NOREPLACE;
                match fs::renameat_with(&self.handle, from, &self.handle, to, flags) {
                    // A file system, or a system, that does not know the flag.
                    Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                    result => return Ok(result?),
                }
            }
            match fs::linkat(&self.handle, from, &self.handle, to, AtFlags::empty()) {
                Ok(()) => self.remove(from),
                Err(Errno::EXIST) => Err(Errno::EXIST.into()),
                // A file system without links.
                Err(_) if self.about(to)?.is_none() => self.rename(from, to),
                Err(_) => Err(Errno::EXIST.into()),
            }
        }

        /// Brings the names to the disk.
        pub(in crate::store) fn sync(&self) -> io::Result<()> {
            self.handle.sync_all()
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::os::windows::fs::OpenOptionsExt;

    use super::*;

    /// Of fileapi.h: opens folders too.
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    /// Of fileapi.h: opens a link itself.
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

    impl About {
        /// Of an open file.
        pub(in crate::store) fn of(file: &File) -> io::Result<About> {
            let about = winapi_util::file::information(file)?;
            let identity = Identity(about.volume_serial_number(), about.file_index());
            let names = about.number_of_links();
            Ok(About { kind: Kind::of(&file.metadata()?), identity, names })
        }

        /// Of what a path leads to, through links.
        pub(in crate::store) fn at(path: &Path) -> io::Result<About> {
            About::of(&look_at(path, FILE_FLAG_BACKUP_SEMANTICS)?)
        }
    }

    /// A handle that neither reads nor writes, so that what others may do is no matter.
    fn look_at(path: &Path, flags: u32) -> io::Result<File> {
        File::options().access_mode(0).custom_flags(flags).open(path)
    }

    impl Folder {
        pub(in crate::store) fn open(path: &Path) -> io::Result<Folder> {
            let path = std::path::absolute(path)?;
            match std::fs::metadata(&path)?.is_dir() {
                true => Ok(Folder { path }),
                false => Err(io::ErrorKind::NotADirectory.into()),
            }
        }

        /// Shows when a file is made.
        pub(in crate::store) fn require_writable(&self) -> io::Result<()> {
            Ok(())
        }

        /// What `name` stands for, if anything.
        pub(in crate::store) fn about(&self, name: &OsStr) -> io::Result<Option<About>> {
            let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
            match look_at(&self.path.join(name), flags) {
                Ok(file) => About::of(&file).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }

        /// Opens a file that is there.
        pub(in crate::store) fn read(&self, name: &OsStr) -> io::Result<File> {
            File::open(self.path.join(name))
        }

        /// Opens a file that is there.
        pub(in crate::store) fn write(&self, name: &OsStr) -> io::Result<File> {
            File::options().read(true).write(true).open(self.path.join(name))
        }

        /// Makes a file that is not there.
        pub(in crate::store) fn create(&self, name: &OsStr) -> io::Result<File> {
            File::create_new(self.path.join(name))
        }

        pub(in crate::store) fn remove(&self, name: &OsStr) -> io::Result<()> {
            std::fs::remove_file(self.path.join(name))
        }

        /// Renames a file, over whatever has the new name unless somebody has that open.
        pub(in crate::store) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            let to = self.path.join(to);
            std::fs::rename(self.path.join(from), &to).map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => io::Error::other(format!(
                    "{error} Windows replaces no file that is open: if {} is, close it and call \
                     again",
                    to.display()
                )),
                _ => error,
            })
        }

        /// Renames a file unless something has the new name.
        pub(in crate::store) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            match std::fs::hard_link(self.path.join(from), self.path.join(to)) {
                Ok(()) => self.remove(from),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
                // A file system without links.
                Err(_) if self.about(to)?.is_none() => self.rename(from, to),
                Err(_) => Err(io::ErrorKind::AlreadyExists.into()),
            }
        }

        /// The names reach the disk with the files.
        pub(in crate::store) fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }
}
