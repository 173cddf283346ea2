//! A file for a report: it is there when it is whole, and nothing that was there is replaced.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A place that a report will have.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    partial: PathBuf,
    file: File,
}

impl Place {
    /// Takes the place before the work begins, or tells why it cannot be had.
    pub(crate) fn take(path: &Path, overwrite: bool) -> Result<Place, String> {
        let shown = path.display();
        match fs::symlink_metadata(path) {
            Ok(about) if !about.is_file() => {
                return Err(format!("{shown} is no file; choose another path"));
            }
            Ok(_) if !overwrite => {
                return Err(format!(
                    "{shown} is there already; choose another path, or give --overwrite"
                ));
            }
            _ => {}
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        let opened = OpenOptions::new().write(true).create_new(true).open(&partial);
        let file = opened.map_err(|error| failed(path, &error))?;
        Ok(Place { path: path.into(), partial, file })
    }

    /// Writes the text, and gives the file its name.
    pub(crate) fn fill(mut self, text: &str) -> Result<(), String> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        let named = written.and_then(|()| fs::rename(&self.partial, &self.path));
        named.map_err(|error| failed(&self.path, &error))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Where it got its name, there is none of this one.
        let _ = fs::remove_file(&self.partial);
    }
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}; check the path and its permissions", path.display())
}
