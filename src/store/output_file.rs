//! The file that a run is to leave its results in.

use std::path::PathBuf;

/// A file for results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// The file.
    pub path: PathBuf,
    /// Replace whatever is there, instead of resuming, extending or refusing.
    pub overwrite: bool,
}

impl OutputFile {
    /// Whether the path may hold results that must not be lost: unless it is certain that nothing
    /// is there, or all of it is to be replaced.
    pub(super) fn may_hold_results(&self) -> bool {
        !self.overwrite && !matches!(self.path.try_exists(), Ok(false))
    }
}
