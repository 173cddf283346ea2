//! The file that a run is to leave its results in, and the place for it.
//!
//! A place is looked at before any work: there must be a folder, and the name must stand for
//! nothing or for a regular file that vkd wrote for the same use; nothing else is ever replaced.
//! Where the run is sure to write, the place is held at once, which shows that it can be written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use super::errors::{file_error, not_replaced};
use super::family::Family;
use super::folder::About;
use super::location::Location;
use super::origin::require_count;
use super::partial::PartialFile;
use crate::error::Result;
use crate::ids::Ids;
use crate::progress::Progress;

/// A file for results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// The file.
    pub path: PathBuf,
    /// Replace results that are there, instead of resuming, extending or refusing. A file that vkd
    /// did not write is never replaced.
    pub overwrite: bool,
    /// Of results: the ids of the items of the corpus, which the file holds too. A file that is
    /// there must have the same. `None`: none, or those of a file that is there.
    pub ids: Option<Arc<Ids>>,
}

impl OutputFile {
    /// Refuses a place that is one of the files that are to be read, by whatever name.
    pub(crate) fn require_none_of(&self, files: &[PathBuf]) -> Result<()> {
        let Location { folder, name, partial, path, partial_path, .. } =
            Location::new(&self.path, Family::Results)?;
        for (name, path) in [(&name, &path), (&partial, &partial_path)] {
            let about = folder.about(name).map_err(|error| file_error("open", path, 0, &error))?;
            let is_there = |file: &PathBuf| {
                let there = About::at(file).map(|there| there.identity).ok();
                about.is_some_and(|about| there == Some(about.identity))
            };
            if files.iter().any(is_there) {
                return Err(not_replaced(path, "it is one of the files that are to be merged"));
            }
        }
        Ok(())
    }

    /// Refuses ids that are not one for each item.
    pub(crate) fn require_ids_of(&self, num_items: u32) -> Result<()> {
        require_count(self.ids.as_deref().map(Ids::as_slice), num_items)
    }
}

/// A place for results that was looked at, and that is held where the run is sure to write.
#[derive(Debug)]
pub(crate) struct OutputPlace {
    target: OutputFile,
    state: State,
    cancel: Arc<AtomicBool>,
}

#[derive(Debug)]
enum State {
    /// There is a file, which may hold all that is wanted.
    Seen(Box<Location>),
    Held(Box<PartialFile>),
}

impl OutputPlace {
    /// Looks at a place, before any work for a file that is to be replaced there.
    pub(crate) fn check(path: &Path, family: Family) -> Result<()> {
        let location = Location::new(path, family)?;
        location.require_writable()?;
        location.earlier().map(|_| ())
    }

    /// Looks at the place of `target`, and holds it unless results are there that may do. When
    /// `progress` is cancelled, the place is given up for the next run that wants it.
    pub(crate) fn new(
        target: &OutputFile,
        family: Family,
        progress: &Progress,
    ) -> Result<OutputPlace> {
        let location = Location::new(&target.path, family)?;
        let cancel = progress.cancel_flag();
        let is_there = location.earlier()?.is_some();
        let state = match is_there && !target.overwrite {
            true => State::Seen(Box::new(location)),
            false => State::Held(Box::new(hold(location, target, &cancel)?)),
        };
        Ok(OutputPlace { target: target.clone(), state, cancel })
    }

    /// What was asked for.
    pub(super) fn target(&self) -> &OutputFile {
        &self.target
    }

    /// The finished file that is there, where the place is not held. It may be replaced at any
    /// moment: only what it holds now can be relied on.
    pub(super) fn earlier(&self) -> Result<Option<File>> {
        match &self.state {
            State::Seen(location) => Ok(location.earlier()?.map(|earlier| earlier.file)),
            State::Held(_) => Ok(None),
        }
    }

    /// Holds the place for a file that is written anew; refused where one is there that is to stay.
    pub(crate) fn hold_new(self) -> Result<PartialFile> {
        let OutputFile { path, overwrite, .. } = self.target.clone();
        let mut partial = self.hold()?;
        if !overwrite && partial.has_earlier()? {
            return Err(not_replaced(
                &path,
                "it is there already, and overwriting is not asked for",
            ));
        }
        Ok(partial)
    }

    /// Holds the place. What is there must be looked at again.
    pub(crate) fn hold(self) -> Result<PartialFile> {
        match self.state {
            State::Seen(location) => hold(*location, &self.target, &self.cancel),
            State::Held(partial) => Ok(*partial),
        }
    }
}

fn hold(at: Location, target: &OutputFile, cancel: &Arc<AtomicBool>) -> Result<PartialFile> {
    PartialFile::open(at, target.overwrite, cancel)
}
