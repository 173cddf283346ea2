//! Where a file is to be: its folder, its name there, and that of its partial file.
//!
//! What is done there later is done in the folder as it was found. A name that is a symbolic link
//! is followed once, at the beginning: what it points to is the file, and the partial file lies
//! beside that.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::errors::{file_error, not_replaced};
use super::family::Family;
use super::folder::{self, About, Folder, Identity, Kind};
use crate::error::Result;

/// `path`.partial
pub(crate) fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Links that are followed, as Linux does.
const MOST_LINKS: usize = 40;

/// Where a file is to be: its folder, and its name there.
#[derive(Debug)]
pub(super) struct Location {
    pub(super) folder: Folder,
    pub(super) name: OsString,
    pub(super) partial: OsString,
    /// The file and the partial file, for messages.
    pub(super) path: PathBuf,
    pub(super) partial_path: PathBuf,
    pub(super) family: Family,
}

/// A file that is there and may be replaced.
pub(super) struct Earlier {
    pub(super) file: File,
    pub(super) identity: Identity,
}

impl Location {
    pub(super) fn new(path: &Path, family: Family) -> Result<Location> {
        let path = follow_links(path)?;
        let Some((folder_path, name)) = folder::split(&path) else {
            return Err(not_replaced(&path, "it is the name of a folder"));
        };
        let folder = Folder::open(&folder_path)
            .map_err(|error| file_error("open", &folder_path, 0, &error))?;
        let (name, partial) = (name.to_owned(), partial_path(Path::new(name)).into_os_string());
        Ok(Location { folder, name, partial, partial_path: partial_path(&path), path, family })
    }

    /// Refuses a folder in which no file can be made.
    pub(super) fn require_writable(&self) -> Result<()> {
        let writable = self.folder.require_writable();
        writable.map_err(|error| file_error("create", &self.partial_path, 0, &error))
    }

    /// The file that is there, if any; refused where it must not be replaced.
    pub(super) fn earlier(&self) -> Result<Option<Earlier>> {
        let failed = |error: io::Error| file_error("open", &self.path, 0, &error);
        let about = match self.folder.about(&self.name).map_err(failed)? {
            None => return Ok(None),
            Some(about) => about,
        };
        require_file(&self.path, about.kind)?;
        let file = match self.folder.read(&self.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        let about = About::of(&file).map_err(failed)?;
        require_file(&self.path, about.kind)?;
        if !self.family.knows_file(&file).map_err(failed)? {
            return Err(not_replaced(&self.path, self.family.unlike()));
        }
        Ok(Some(Earlier { file, identity: about.identity }))
    }
}

/// Refuses what is no regular file.
pub(super) fn require_file(path: &Path, kind: Kind) -> Result<()> {
    match kind {
        Kind::File => Ok(()),
        Kind::Folder => Err(not_replaced(path, "it is a folder")),
        Kind::Link => Err(not_replaced(path, "it is a symbolic link")),
        Kind::Other => Err(not_replaced(path, "it is a device, a FIFO or a socket")),
    }
}

/// The path behind the links that `path` is; whatever it is, if anything, it is no link.
pub(crate) fn follow_links(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let is_link = path.symlink_metadata().is_ok_and(|about| about.is_symlink());
        if !is_link {
            return Ok(path);
        }
        let to = path.read_link().map_err(|error| file_error("open", &path, 0, &error))?;
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    Err(not_replaced(&path, "too many symbolic links lead there"))
}
