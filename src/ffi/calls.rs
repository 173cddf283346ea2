//! The functions of the C header for devices, contexts, runs and jobs.

use std::time::Duration;

use libc::c_char;

use super::boundary::{guard, read_options, required, write_struct, Sized32};
use super::input::{context_options, plan, start};
use super::output::{info_to_c, plan_to_c, progress_to_c, write_result};
use super::types::*;
use crate::context::{devices, Context};
use crate::error::Error;
use crate::job::Output;

// SAFETY: all are repr(C), begin with a u32 size and hold only numbers and raw pointers.
unsafe impl Sized32 for vkd_context_options {
    const NAME: &'static str = "vkd_context_options";
    const LEAST: u32 = 32;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_batch_options {
    const NAME: &'static str = "vkd_batch_options";
    const LEAST: u32 = 32;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_device_info {
    const NAME: &'static str = "vkd_device_info";
    const LEAST: u32 = 816;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_run_plan {
    const NAME: &'static str = "vkd_run_plan";
    const LEAST: u32 = 72;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_job_progress {
    const NAME: &'static str = "vkd_job_progress";
    const LEAST: u32 = 96;
}

/// The library's version as one number: major x 65536 + minor x 256 + patch.
#[no_mangle]
pub extern "C" fn vkd_version() -> u32 {
    let part = |text: &str| text.parse::<u32>().unwrap_or(0);
    part(env!("CARGO_PKG_VERSION_MAJOR")) << 16
        | part(env!("CARGO_PKG_VERSION_MINOR")) << 8
        | part(env!("CARGO_PKG_VERSION_PATCH"))
}

/// The library's version as text, such as "0.1.0". Static: never free it.
#[no_mangle]
pub extern "C" fn vkd_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Counts the devices: GPUs, the CPU engine, software Vulkan drivers, the reference engine, in the order in which one is
/// chosen. The built-in engines are always there, so the count is at least 2.
///
/// Writes the count to `out_count`. Asks the drivers anew at every call (some 10 ms).
///
/// # Safety
/// `out_count` must be NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_device_count(out_count: *mut u32) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        unsafe { required(out_count, "out_count")? };
        let count = devices()?.len() as u32;
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_count.write(count) };
        Ok(0)
    })
}

/// Describes device `index` (0-based, below the count of `vkd_device_count`).
///
/// Set `out_info->struct_size` first; the rest is written on success.
///
/// # Safety
/// `out_info` must be NULL (an error) or point to `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_device_get_info(index: u32, out_info: *mut vkd_device_info) -> i32 {
    guard(|| {
        let find = || {
            let devices = devices()?;
            let count = devices.len();
            let device = devices.into_iter().nth(index as usize);
            device.map(|device| info_to_c(&device)).ok_or_else(|| Error::BadOption {
                option: "index",
                got: index.to_string(),
                allowed: format!("there are {count} devices, numbered from 0"),
            })
        };
        // SAFETY: the caller's contract.
        unsafe { write_struct(out_info, "out_info", find) }
    })
}

/// Opens a device. `options` may be NULL for all defaults.
///
/// Writes a context to `out_context`, to be freed with `vkd_context_free`. A context may be used
/// from any thread, by several at once; its runs are done one after the other. Creating one loads the
/// driver; create one and keep it.
///
/// # Safety
/// `options` must be NULL or point to `struct_size` readable bytes, its `device` NULL or
/// NUL-terminated; `out_context` must be NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_context_create(
    options: *const vkd_context_options,
    out_context: *mut *mut vkd_context,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_context, "out_context")? };
        // SAFETY: as above.
        let options = unsafe { context_options(read_options(options)?)? };
        let context = Box::new(vkd_context(Context::new(&options)?));
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_context.write(Box::into_raw(context)) };
        Ok(0)
    })
}

/// Frees a context. NULL is fine. Jobs started on it go on and keep what they need.
///
/// # Safety
/// `context` must be NULL or come from `vkd_context_create`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_context_free(context: *mut vkd_context) {
    guard(|| {
        if !context.is_null() {
            // SAFETY: it came from Box::into_raw and the caller gives it back.
            drop(unsafe { Box::from_raw(context) });
        }
        Ok(0)
    });
}

/// Describes the device of a context.
///
/// Set `out_info->struct_size` first; the rest is written on success.
///
/// # Safety
/// `context` must be NULL (an error) or live; `out_info` as in `vkd_device_get_info`.
#[no_mangle]
pub unsafe extern "C" fn vkd_context_get_info(
    context: *const vkd_context,
    out_info: *mut vkd_device_info,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let context = unsafe { required(context, "context")? };
        // SAFETY: the caller's contract.
        unsafe { write_struct(out_info, "out_info", || Ok(info_to_c(context.0.info()))) }
    })
}

/// Computes diversity sequences: from every start, again and again the item that is least similar
/// (cosine) to the centroid of all picked so far; on equal scores the lowest number.
///
/// `embeddings` holds `num_items` x `dim` values, row after row: 32-bit floats, or what
/// `options->element_type` says (cast the pointer). They need not be normalised. `options` may be
/// NULL for all defaults: one full sequence from every item. `out_sequences` has room for
/// starts x length numbers; row r begins with start r. Item numbers count from 0. It is written only
/// on success, and may be NULL where `options->output_path` names a file for the result. Blocks until done;
/// `vkd_batch_start` is the same without blocking. All pointers are read during the call only. The result does not
/// depend on the device.
///
/// Besides the output, the run holds on the host the prepared rows (2 x num_items x dim bytes) and one copy of the
/// output, and on the device the contribution matrix (2 x num_items^2 bytes) or as many of its rows as fit (`held_rows`
/// of `vkd_batch_plan`); the built-in engines hold it on the host.
///
/// A device that is lost during the run is opened anew, once, and the run goes on behind its finished sequences.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_compute(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
    out_sequences: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let in_file = unsafe { !read_options(options)?.output_path.is_null() };
        if !in_file {
            // SAFETY: the caller's contract.
            unsafe { required(out_sequences, "out_sequences")? };
        }
        // SAFETY: the caller's contract.
        let job = unsafe { start(context, embeddings, num_items, dim, options)? };
        match job.wait(None).as_deref() {
            Some(Ok(Output::File(_))) => Ok(0),
            // SAFETY: the caller's contract: room for the whole result.
            result => unsafe { write_result(result, u64::MAX, out_sequences) },
        }
    })
}

/// Tells what a run would take, without the embeddings, and refuses what cannot be done, as the run itself would. Set
/// `out_plan->struct_size` first. Waits for a run that is under way on the context.
///
/// # Safety
/// `context` must be NULL (an error) or live; `options` as in `vkd_batch_compute`; `out_plan` NULL (an error) or
/// `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_plan(
    context: *const vkd_context,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
    out_plan: *mut vkd_run_plan,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let make = || Ok(plan_to_c(&unsafe { plan(context, num_items, dim, options)? }));
        // SAFETY: the caller's contract.
        unsafe { write_struct(out_plan, "out_plan", make) }
    })
}

/// Starts what `vkd_batch_compute` does and returns at once, with the input checked and prepared.
///
/// Writes a job to `out_job`, to be freed with `vkd_job_free`. All pointers are read during the call
/// only: the embeddings may be freed before the job has finished.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid as in `vkd_batch_compute`.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        unsafe { required(out_job, "out_job")? };
        // SAFETY: the caller's contract.
        let job = unsafe { start(context, embeddings, num_items, dim, options)? };
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_job.write(Box::into_raw(Box::new(vkd_job(job)))) };
        Ok(0)
    })
}

/// Tells how far a job is. Never blocks. Set `out_progress->struct_size` first.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_progress` NULL (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_poll(
    job: *const vkd_job,
    out_progress: *mut vkd_job_progress,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let job = unsafe { required(job, "job")? };
        // SAFETY: the caller's contract.
        unsafe { write_struct(out_progress, "out_progress", || Ok(progress_to_c(&job.0))) }
    })
}

/// Waits until a job has ended, at most `timeout_ms` milliseconds (negative: for ever).
///
/// Returns VKD_OK when it has finished, VKD_PENDING when the time is over, or the job's error.
///
/// # Safety
/// `job` must be NULL (an error) or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_wait(job: *const vkd_job, timeout_ms: i64) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let job = unsafe { required(job, "job")? };
        let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        match job.0.wait(timeout).as_deref() {
            None => Ok(vkd_status::VKD_PENDING as i32),
            Some(Ok(_)) => Ok(0),
            Some(Err(error)) => Err(error.clone()),
        }
    })
}

/// Copies the result of a finished job to `out_sequences` (starts x length numbers, see
/// `vkd_batch_compute`), which has room for `capacity` numbers; fewer than the result has are
/// VKD_ERROR_OUTPUT_TOO_SMALL. Can be called again. VKD_ERROR_NOT_FINISHED while the job is at work.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_sequences` NULL (an error) or `capacity` numbers long.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_sequences(
    job: *const vkd_job,
    capacity: u64,
    out_sequences: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let job = unsafe { required(job, "job")? };
        // SAFETY: the caller's contract.
        unsafe { required(out_sequences, "out_sequences")? };
        // SAFETY: the caller's contract: room for the whole result.
        unsafe { write_result(job.0.result().as_deref(), capacity, out_sequences) }
    })
}

/// Asks a job to stop and returns at once; within 0.2 seconds the job has ended with VKD_ERROR_CANCELLED. What is
/// finished stays in its file. No effect on a job that has ended. NULL is fine.
///
/// # Safety
/// `job` must be NULL or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_cancel(job: *const vkd_job) {
    guard(|| {
        // SAFETY: the caller's contract.
        unsafe { required(job, "job") }.map(|job| job.0.cancel()).unwrap_or_default();
        Ok(0)
    });
}

/// Frees a job; one still at work is cancelled and awaited. NULL is fine.
///
/// # Safety
/// `job` must be NULL or come from `vkd_batch_start`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_free(job: *mut vkd_job) {
    guard(|| {
        if !job.is_null() {
            // SAFETY: it came from Box::into_raw and the caller gives it back.
            drop(unsafe { Box::from_raw(job) });
        }
        Ok(0)
    });
}
