//! The files that sites are built from: one JSON file an item, and one with all rankings.
//!
//! `Site` is what the caller wants, `names` checks ids and metadata, `page` knows the JSON, `files` writes it: each file under
//! a temporary name, renamed when it is whole. A pool of threads writes, fed by an engine through a bounded queue
//! (`queue`), so that rows are written while later ones are computed, or by results that are there (`source`). The
//! bytes depend on the results alone, not on threads or order.

mod files;
mod names;
mod page;
mod queue;
mod source;

use std::path::PathBuf;

pub(crate) use queue::{bytes, from_engine};
pub use source::{write, Source};

use crate::error::{Error, Result};
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
    /// A JSON value for every item, which becomes the member "metadata" of its file. `None`: no such member.
    pub metadata: Option<Vec<String>>,
    /// Entries of each file and ranking; 0: all there are.
    pub top: u32,
    /// Threads that write; `None` or 0: what `VKD_THREADS` says, else one per processor.
    pub threads: Option<u32>,
    /// Leave it to the system when files reach the disk.
    pub no_sync: bool,
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
    fn name(self) -> &'static str {
        match self {
            List::Similar => "similar",
            List::Different => "different",
        }
    }
}

impl Site {
    fn num_threads(&self) -> Result<usize> {
        threads::count(self.threads)
    }

    pub(crate) fn check(&self, num_items: u32) -> Result<()> {
        if self.directory.is_none() && self.rankings.is_none() {
            return Err(Error::BadOption {
                option: "directory",
                got: "missing".into(),
                allowed: "name a directory, a file for the rankings, or both".into(),
            });
        }
        names::check(self, num_items)
    }
}
