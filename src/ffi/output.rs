//! What several groups of calls return, as what C gets.

use libc::{c_char, c_void};

use super::status::CallError;
use super::types::{vkd_job_progress, vkd_job_state, vkd_row_source, vkd_row_values, vkd_run_plan};
use crate::context::RunPlan;
use crate::engine::RowSource;
use crate::error::Error;
use crate::job::Watch;
use crate::progress::{Phase, Progress};
use crate::rule::Weighing;
use crate::store::Row;

/// Copies as much of `text` as fits before a final NUL, into an array of zeros.
pub(super) fn text<const N: usize>(text: &str) -> [c_char; N] {
    let mut to = [0; N];
    for (to, byte) in to[..N - 1].iter_mut().zip(text.bytes()) {
        *to = byte as c_char;
    }
    to
}

/// The memory of a row, in the file's own type.
pub(super) fn row_pointer(row: Row) -> *const c_void {
    match row {
        Row::U16(items) => items.as_ptr().cast(),
        Row::U32(items) => items.as_ptr().cast(),
    }
}

pub(super) fn plan_to_c(plan: &RunPlan) -> vkd_run_plan {
    let row_values = match plan.weighing {
        None => vkd_row_values::VKD_ROWS_NONE,
        Some(Weighing::Weighted) => vkd_row_values::VKD_ROWS_CONTRIBUTIONS,
        Some(Weighing::Plain) => vkd_row_values::VKD_ROWS_SIMILARITIES,
    };
    let row_source = match plan.engine.row_source {
        None => vkd_row_source::VKD_SOURCE_NONE,
        Some(RowSource::Matrix) => vkd_row_source::VKD_SOURCE_MATRIX,
        Some(RowSource::Cache) => vkd_row_source::VKD_SOURCE_CACHE,
        Some(RowSource::Direct) => vkd_row_source::VKD_SOURCE_DIRECT,
        Some(RowSource::Lazy) => vkd_row_source::VKD_SOURCE_LAZY,
    };
    vkd_run_plan {
        struct_size: size_of::<vkd_run_plan>() as u32,
        row_values: row_values as u32,
        host_bytes: plan.host_bytes.get(),
        device_bytes: plan.engine.device_bytes.get(),
        output_bytes: plan.output_bytes.get(),
        corpus_bytes: plan.corpus_bytes.get(),
        groups: plan.engine.groups,
        dispatches: plan.engine.dispatches,
        rows: plan.rows,
        steps: plan.steps,
        held_rows: plan.engine.held_rows,
        multiply_adds: plan.engine.multiply_adds,
        row_source: row_source as u32,
        reserved: 0,
    }
}

/// The error for a caller who asks for values where there are none.
pub(super) fn no_values(of: &str, next: &str) -> CallError {
    let allowed = format!("{of} has no values: {next}");
    Error::BadOption { option: "what is asked for", got: "values".into(), allowed }.into()
}

pub(super) fn progress_to_c(job: &dyn Watch) -> vkd_job_progress {
    let ended = job.ended(Some(std::time::Duration::ZERO));
    // Behind it, so that a job that is done tells the time that the whole took.
    let (progress, seconds) = (job.progress(), job.seconds());
    let state = match ended {
        None => vkd_job_state::VKD_JOB_RUNNING,
        Some(Ok(())) => vkd_job_state::VKD_JOB_DONE,
        Some(Err(_)) => vkd_job_state::VKD_JOB_FAILED,
    };
    let seconds_left = match ended {
        None => seconds_left(progress, seconds),
        Some(_) => 0.0,
    };
    vkd_job_progress {
        struct_size: size_of::<vkd_job_progress>() as u32,
        state: state as u32,
        rows_done: progress.rows_done(),
        rows_total: progress.rows_total(),
        steps_done: progress.steps_done(),
        steps_total: progress.steps_total(),
        bytes_read: progress.bytes_read(),
        seconds,
        seconds_left,
        prepare_seconds: progress.seconds(Phase::Prepare),
        upload_seconds: progress.seconds(Phase::Upload),
        matrix_seconds: progress.seconds(Phase::Matrix),
        steps_seconds: progress.seconds(Phase::Steps),
        download_seconds: progress.seconds(Phase::Download),
        files_done: progress.files_done(),
        files_total: progress.files_total(),
        bytes_written: progress.bytes_written(),
        rows_written: progress.rows_written(),
    }
}

/// By the rows of a site that are written, else by the steps; negative while nothing is known.
fn seconds_left(progress: &Progress, seconds: f64) -> f64 {
    let (done, total, spent) = match progress.files_total() {
        0 => (progress.steps_done(), progress.steps_total(), progress.seconds(Phase::Steps)),
        _ => (progress.rows_written(), progress.rows_total(), seconds),
    };
    if done == 0 || spent == 0.0 {
        return -1.0;
    }
    spent / done as f64 * total.saturating_sub(done) as f64
}
