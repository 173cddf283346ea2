//! What to write, and the check of it before anything is computed.

use std::path::PathBuf;

use super::names::{check_ids, check_metadata};
use crate::error::{Error, Result};
use crate::store::{Family, OutputPlace};
use crate::threads;

/// What to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The folder of the files ID.json; it is made where it is missing. `None`: no such files.
    pub directory: Option<PathBuf>,
    /// The file of all rankings. `None`: no such file.
    pub rankings: Option<PathBuf>,
    /// The id of every item; `None`: its number from 0.
    pub ids: Option<Vec<String>>,
    /// A JSON value for every item, which becomes the member "metadata" of its file. `None`: no
    /// such member.
    pub metadata: Option<Vec<String>>,
    /// Entries of each file and ranking; 0: all there are.
    pub top: u32,
    /// Threads that write; `None` or 0: what `VKD_THREADS` says, else one per processor.
    pub threads: Option<u32>,
    /// Leave it to the system when files reach the disk.
    pub no_sync: bool,
}

impl Site {
    pub(super) fn num_threads(&self) -> Result<usize> {
        threads::count(self.threads)
    }

    /// Checks the site against the number of items.
    pub(crate) fn check(&self, num_items: u32) -> Result<()> {
        if self.directory.is_none() && self.rankings.is_none() {
            return Err(Error::BadOption {
                option: "directory",
                got: "missing".into(),
                allowed: "name a directory, a file for the rankings, or both".into(),
            });
        }
        self.check_rankings()?;
        self.ids.as_ref().map_or(Ok(()), |ids| check_ids(ids, num_items))?;
        self.metadata.as_ref().map_or(Ok(()), |metadata| check_metadata(metadata, num_items))
    }
}

impl Site {
    /// Checks that the rankings can be written, and replace nothing but rankings.
    fn check_rankings(&self) -> Result<()> {
        let Some(path) = &self.rankings else { return Ok(()) };
        let folder = path.parent().unwrap_or(path);
        // It is there when the folder of the pages is.
        let to_be_made = |pages: &PathBuf| pages.starts_with(folder) && !folder.exists();
        match self.directory.as_ref().is_some_and(to_be_made) {
            true => Ok(()),
            false => OutputPlace::check(path, Family::Rankings),
        }
    }
}

/// What a site's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The most similar items, with their similarities.
    Similar,
    /// The items of a diversity sequence behind its start.
    Different,
}

impl List {
    /// The name of the JSON member, and of the rankings.
    pub(super) fn name(self) -> &'static str {
        match self {
            List::Similar => "similar",
            List::Different => "different",
        }
    }
}
