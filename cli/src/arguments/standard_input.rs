//! Standard input as a file: the library maps embeddings, which nobody can do with a pipe.
//!
//! The file lies in the folder of temporary files (TMPDIR) and loses its name at once: whatever
//! ends the command, nothing is left of it.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use crate::failure::Failure;

/// What was read from standard input.
pub(crate) struct StandardInput {
    /// Holds the file, which has no name.
    _file: File,
    /// Another way to it.
    path: PathBuf,
}

impl StandardInput {
    /// Reads it to its end.
    pub(crate) fn read() -> Result<StandardInput, Failure> {
        let folder = env::temp_dir();
        let failed = |error: io::Error| {
            let folder = folder.display();
            Failure::Failed(format!(
                "cannot keep standard input in {folder}: {error}; set TMPDIR to a folder with room"
            ))
        };
        let mut file = unnamed(&folder).map_err(failed)?;
        io::copy(&mut io::stdin().lock(), &mut file).map_err(failed)?;
        let path = path_of(&file)?;
        Ok(StandardInput { _file: file, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The error with the name that the user knows.
    pub(crate) fn named(&self, error: vkd::Error) -> Failure {
        let path = self.path.display().to_string();
        match Failure::from(error) {
            Failure::Failed(text) => Failure::Failed(text.replace(&path, &name_of(&self.path))),
            other => other,
        }
    }
}

/// What users call the file of embeddings at `path`.
pub(crate) fn name_of(path: &Path) -> String {
    match path.starts_with(OPEN_FILES) {
        true => "standard input".into(),
        false => path.display().to_string(),
    }
}

/// Where files that are open have names.
const OPEN_FILES: &str = "/dev/fd";

/// A new file that loses its name before anything is in it.
fn unnamed(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!("vkd-input-{}", process::id()));
    // Of a process with the same number that was killed between the next two lines.
    let _ = fs::remove_file(&path);
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(unix)]
fn path_of(file: &File) -> Result<PathBuf, Failure> {
    use std::os::fd::AsRawFd;
    Ok(Path::new(OPEN_FILES).join(file.as_raw_fd().to_string()))
}

#[cfg(not(unix))]
fn path_of(_: &File) -> Result<PathBuf, Failure> {
    Err(Failure::Failed("standard input is not read on this system; name a file".into()))
}
