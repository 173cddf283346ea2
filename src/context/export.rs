//! Results as files of older programs' shapes.

use crate::error::Result;
use crate::export::{self, Export, Source};
use crate::job::Job;
use crate::memory;
use crate::progress::Progress;

/// Checks everything, then starts writing results that are there in another shape, as a job. Needs
/// no context. Rows of a file are checked as they are read. A job that fails or is cancelled leaves
/// nothing, and what was there stays.
pub fn start_export(source: Source, export: Export) -> Result<Job<()>> {
    memory::require_spare()?;
    source.check()?;
    memory::require("the export", export::host_bytes(&source, &export))?;
    export.check(&source)?;
    let progress = Progress::default();
    let target = export::open(&export, &progress)?;
    Job::spawn(progress, move |progress| export::write(&source, &export, &target, progress))
}
