//! A file for a report: there when it is whole; what was there is replaced on request only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A place that a report will have.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    overwrite: bool,
}

impl Place {
    /// Tells before the work begins why a file cannot be had. Nothing stays there until the end,
    /// so that an interrupted run leaves nothing.
    pub(crate) fn take(path: &Path, overwrite: bool) -> Result<Place, Failure> {
        let place = Place { path: path.into(), overwrite };
        place.check()?;
        let partial = place.partial();
        let made = create(&partial).and_then(|_| fs::remove_file(&partial));
        made.map_err(|error| place.failed(&error))?;
        Ok(place)
    }

    /// Refuses to replace what is no file, or unasked.
    fn check(&self) -> Result<(), Failure> {
        let shown = self.path.display();
        match fs::symlink_metadata(&self.path) {
            Ok(about) if !about.is_file() => {
                Err(Failure::Failed(format!("{shown} is no file; choose another path")))
            }
            Ok(_) if !self.overwrite => Err(Failure::Failed(format!(
                "{shown} is there already; choose another path, or give --overwrite"
            ))),
            _ => Ok(()),
        }
    }

    /// The name that the file has until it is whole.
    fn partial(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        self.path.with_file_name(name)
    }

    /// Writes the text, and gives the file its name.
    pub(crate) fn fill(&self, text: &str) -> Result<(), Failure> {
        self.check()?;
        let partial = self.partial();
        let written = create(&partial).and_then(|mut file| {
            let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
            let named = written.and_then(|()| fs::rename(&partial, &self.path));
            named.inspect_err(|_| drop(fs::remove_file(&partial)))
        });
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        let path = self.path.display();
        let text = format!("cannot write {path}: {error}; check the path and its permissions");
        Failure::Failed(text)
    }
}

/// Makes a file that is not there.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
