//! Files that nobody but the user could have written, and folders of which that holds.
//!
//! Such a file is regular, the user's, and writable by nobody else; a link is none, whatever it
//! points to. Nothing else is opened for reading: to open a device can do something, and to open a
//! FIFO can wait. Where a system has no owners and modes to ask, it must be regular only.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file that is there.
pub(super) fn open(path: &Path) -> io::Result<File> {
    check(&fs::symlink_metadata(path)?, Metadata::is_file)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        // What was put there since the check is not followed, and does not make us wait.
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    check(&file.metadata()?, Metadata::is_file)?;
    Ok(file)
}

/// Makes a file that is not there, for the user alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Exclusive: nothing that is there is opened, and no link is followed.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes a folder, and those that it lies in, for the user alone where they are not there yet.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        folder.mode(0o700);
    }
    folder.create(path)
}

/// Refuses a folder that is another user's, or to which others may write.
pub(super) fn check_folder(path: &Path) -> io::Result<()> {
    check(&fs::metadata(path)?, Metadata::is_dir)
}

/// Refuses to replace what is no regular file; where nothing is, all is well.
pub(super) fn check_replaceable(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(about) if about.is_file() => Ok(()),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

fn check(about: &Metadata, is_right: impl Fn(&Metadata) -> bool) -> io::Result<()> {
    match is_right(about) && is_private(about) {
        true => Ok(()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

#[cfg(unix)]
fn is_private(about: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    // SAFETY: no conditions.
    let user = unsafe { libc::geteuid() };
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    about.uid() == user && about.mode() & WRITABLE_BY_OTHERS == 0
}

#[cfg(not(unix))]
fn is_private(_: &Metadata) -> bool {
    true
}
