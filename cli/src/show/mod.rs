//! What users see: progress and notes on standard error, results on standard output.
//!
//! `out` is the one place that writes to standard output, `rows` lays rows of items out, `report`
//! named numbers; `progress` waits for a job and shows how far it is.

pub(crate) mod out;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod rows;

use std::io::IsTerminal;

use crate::failure;

/// Whether there is somebody who looks.
#[derive(Debug)]
pub(crate) struct Show {
    is_watched: bool,
}

impl Show {
    pub(crate) fn new(quiet: bool) -> Show {
        Show { is_watched: !quiet && std::io::stderr().is_terminal() }
    }

    /// A line on standard error, where that is a terminal.
    pub(crate) fn note(&self, text: &str) {
        if self.is_watched {
            failure::tell(text);
        }
    }
}
