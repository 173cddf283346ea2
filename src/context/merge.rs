//! The parts of a run that was split over several machines, as one file.

use std::path::PathBuf;

use crate::error::Result;
use crate::ids::Ids;
use crate::job::Job;
use crate::memory;
use crate::progress::Progress;
use crate::store::{self, Family, OutputFile, OutputPlace, Parts};

/// Checks that `parts`, in any order, are the parts of one run and all of them, then starts writing
/// the file of the whole, as a job: the bytes that one run on one machine writes. Needs no context.
/// Rows are checked as they are read. What is at `target` is resumed, extended, left or refused as
/// by that run. A job that fails or is cancelled leaves nothing under the final name.
pub fn start_merge(parts: &[PathBuf], target: &OutputFile) -> Result<Job<()>> {
    memory::require_spare()?;
    target.require_none_of(parts)?;
    let parts = Parts::open(parts)?;
    parts.require_ids(target.ids.as_deref().map(Ids::as_slice))?;
    memory::require("the merge", store::merge_bytes(&parts))?;
    let progress = Progress::default();
    let place = OutputPlace::new(target, Family::Results, &progress)?;
    Job::spawn(progress, move |progress| store::merge(parts, place, progress))
}
