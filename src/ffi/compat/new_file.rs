//! A file that gets its name when it is whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::error::Result;
use crate::store::errors::file_error;

/// A file that is written beside the one that it replaces, and takes its name when it is whole.
/// What is no file, such as a device, is written as it is.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    target: PathBuf,
    /// Where it is until then.
    temporary: Option<PathBuf>,
}

impl NewFile {
    pub(super) fn begin(path: &Path) -> Result<NewFile> {
        // A link stays one, and what it leads to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        NewFile::open(target).map_err(|error| file_error("write", path, 0, &error))
    }

    fn open(target: PathBuf) -> io::Result<NewFile> {
        let there = fs::metadata(&target).ok();
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let file = File::options().write(true).open(&target)?;
            return Ok(NewFile { file, target, temporary: None });
        }
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Relaxed);
        let name = format!(".vkd-{}-{number}.partial", std::process::id());
        let temporary = target.with_file_name(name);
        // One of an earlier process with this number.
        let _ = fs::remove_file(&temporary);
        let file = File::options().write(true).create_new(true).open(&temporary)?;
        let new = NewFile { file, target, temporary: Some(temporary) };
        if let Some(there) = there {
            new.file.set_permissions(there.permissions())?;
        }
        Ok(new)
    }

    pub(super) fn write(&mut self, text: &[u8]) -> Result<()> {
        let written = self.file.write_all(text);
        written.map_err(|error| file_error("write", &self.target, text.len() as u64, &error))
    }

    pub(super) fn finish(mut self) -> Result<()> {
        if let Some(temporary) = &self.temporary {
            let renamed = fs::rename(temporary, &self.target);
            renamed.map_err(|error| file_error("write", &self.target, 0, &error))?;
            self.temporary = None;
        }
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What is not whole gets no name.
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::results::fixtures::{in_folder, text};
    use super::*;

    #[test]
    fn links_stay_and_so_do_permissions() {
        use std::os::unix::fs::{symlink, PermissionsExt};
        in_folder("links", |folder| {
            let (file, link) = (folder.join("file"), folder.join("link"));
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            symlink("file", &link).unwrap();
            let write = |path: &Path| {
                let mut file = NewFile::begin(path)?;
                file.write(b"new")?;
                file.finish()
            };
            write(&link).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(text(&file), "new");
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            write(Path::new("/dev/null")).unwrap();
        });
    }
}
