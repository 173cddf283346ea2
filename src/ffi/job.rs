//! The functions of the C header for jobs of any kind, and the result of a job of sequences.

use std::time::Duration;

use super::any_job::{in_memory, with_result, AnyJob};
use super::boundary::{guard, guard_status, release};
use super::output::{no_values, progress_to_c};
use super::pointers::pointers;
use super::status::vkd_status;
use super::types::{vkd_job, vkd_job_progress};

/// Tells how far a job is. Never blocks, and a job that failed is no error here. Set
/// `out_progress->struct_size` first.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_progress` NULL (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_poll(
    job: *const vkd_job,
    out_progress: *mut vkd_job_progress,
) -> i32 {
    guard(|| {
        pointers!(job; out = out_progress);
        let job = job.handle()?;
        out.report(|| Ok(progress_to_c(job.0.watch()?)))
    })
}

/// Waits until a job has ended, at most `timeout_ms` milliseconds (0: not at all, negative: for
/// ever).
///
/// Returns VKD_OK when it has finished, VKD_PENDING when the time is over, or the job's error, with
/// its message for this thread's `vkd_last_error`. Can be called again, by several threads at once.
///
/// # Safety
/// `job` must be NULL (an error) or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_wait(job: *const vkd_job, timeout_ms: i64) -> i32 {
    guard_status(|| {
        pointers!(job;);
        let job = job.handle()?;
        let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        match job.0.watch()?.ended(timeout) {
            None => Ok(vkd_status::VKD_PENDING as i32),
            Some(Ok(())) => Ok(0),
            Some(Err(error)) => Err(error.into()),
        }
    })
}

/// Copies the result of a finished job to `out_sequences` (starts x length numbers, see
/// `vkd_batch_compute`), which has room for `capacity` numbers; fewer than the result has are
/// VKD_ERROR_OUTPUT_TOO_SMALL. Can be called again. VKD_ERROR_NOT_FINISHED while the job is at
/// work, the job's error where it failed, VKD_ERROR_WRONG_JOB_KIND for a job of another kind,
/// VKD_ERROR_RESULT_IN_FILE where the result is in a file.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_sequences` NULL (an error) or `capacity` numbers
/// long.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_sequences(
    job: *const vkd_job,
    capacity: u64,
    out_sequences: *mut u32,
) -> i32 {
    guard(|| {
        pointers!(job; out = out_sequences);
        let (job, out) = (job.handle()?, out.required()?);
        let AnyJob::Sequences(job) = &job.0 else { return Err(job.0.wrong_kind()) };
        with_result(job, |output| {
            let sequences = in_memory(output, "vkd_sequences_file_open")?;
            out.copy(&sequences.items, capacity)
        })
    })
}

/// Copies the values of a finished job that was started with VKD_VALUES to `out_values`: one for
/// each number that `vkd_job_sequences` gives, see `vkd_rule`. VKD_ERROR_BAD_OPTION for a job
/// without values; the other errors are those of `vkd_job_sequences`.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_values` NULL (an error) or `capacity` numbers long.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_values(
    job: *const vkd_job,
    capacity: u64,
    out_values: *mut f32,
) -> i32 {
    guard(|| {
        pointers!(job; out = out_values);
        let (job, out) = (job.handle()?, out.required()?);
        let AnyJob::Sequences(job) = &job.0 else { return Err(job.0.wrong_kind()) };
        with_result(job, |output| {
            match in_memory(output, "vkd_sequences_file_open")?.values.as_slice() {
                [] => Err(no_values("the job", "start it with VKD_VALUES")),
                values => out.copy(values, capacity),
            }
        })
    })
}

/// Asks a job to stop and returns at once; within 0.2 seconds the job has ended with
/// VKD_ERROR_CANCELLED. What is finished stays in its file. No effect on a job that has ended. NULL
/// is fine.
///
/// # Safety
/// `job` must be NULL or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_cancel(job: *const vkd_job) {
    guard(|| {
        pointers!(job;);
        if !job.is_null() {
            job.handle()?.0.watch()?.cancel();
        }
        Ok(())
    });
}

/// Frees a job; one still at work is cancelled and awaited: at most 0.2 seconds on the CPU engine,
/// the submissions under way on a Vulkan device, and where its driver compiles a kernel, that. One
/// that waits for another job is gone at once. Does nothing in another process than the one that
/// started the job. NULL is fine.
///
/// # Safety
/// `job` must be NULL or come from one of the `_start` functions, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_free(job: *mut vkd_job) {
    // SAFETY: the caller's contract.
    unsafe { release(job) }
}
