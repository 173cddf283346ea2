//! A job of any kind, as one handle of the C header holds it.

use std::sync::Arc;

use super::status::{CallError, Result};
use crate::engine::neighbors::Neighbors;
use crate::job::{Job, Output, Watch};
use crate::sequence::Sequences;

/// A job, and what it computes.
#[derive(Debug)]
pub(super) enum AnyJob {
    Sequences(Job<Output<Sequences>>),
    Neighbors(Job<Output<Neighbors>>),
    Similarity(Job<Vec<f32>>),
    /// The files of a site, an export or a merge.
    Files(Job<()>),
}

impl AnyJob {
    /// What all kinds have in common; refused in a process that did not start the job.
    pub(super) fn watch(&self) -> Result<&dyn Watch> {
        let job: &dyn Watch = match self {
            AnyJob::Sequences(job) => job,
            AnyJob::Neighbors(job) => job,
            AnyJob::Similarity(job) => job,
            AnyJob::Files(job) => job,
        };
        job.check_process()?;
        Ok(job)
    }

    /// The error for a caller who asks for a result of another kind.
    pub(super) fn wrong_kind(&self) -> CallError {
        let instead = match self {
            AnyJob::Sequences(_) => "fetch it with vkd_job_sequences",
            AnyJob::Neighbors(_) => "fetch it with vkd_job_neighbors",
            AnyJob::Similarity(_) => "fetch it with vkd_job_similarity",
            AnyJob::Files(_) => "the job wrote files, vkd_job_wait tells how it ended",
        };
        CallError::WrongJobKind { instead }
    }
}

/// Hands the result of a job that has ended to `use_it`.
pub(super) fn with_result<T, R>(job: &Job<T>, use_it: impl FnOnce(&T) -> Result<R>) -> Result<R> {
    let result: Arc<_> = job.result().ok_or(CallError::NotFinished)?;
    match result.as_ref() {
        Ok(result) => use_it(result),
        Err(error) => Err(error.clone().into()),
    }
}

/// The result that is in memory; `open` opens the file where it is not.
pub(super) fn in_memory<'a, T>(output: &'a Output<T>, open: &'static str) -> Result<&'a T> {
    match output {
        Output::Memory(result) => Ok(result),
        Output::File(path) => {
            Err(CallError::ResultInFile { path: path.display().to_string(), open })
        }
    }
}
