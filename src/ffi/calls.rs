//! Every function of the C header but `vkd_status_name` and `vkd_last_error`.

use std::ffi::CStr;
use std::time::Duration;

use libc::c_char;

use super::boundary::{array, guard, read_options, required, write_struct, Sized32};
use super::types::*;
use crate::context::{devices, Context, ContextOptions};
use crate::corpus::Elements;
use crate::engine::vulkan::{SequenceKernel, Settings};
use crate::engine::{cpu, DeviceInfo, DeviceKind};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::plan::Request;
use crate::progress::Phase;

// SAFETY: all four are repr(C), begin with a u32 size and hold only numbers and raw pointers.
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

/// Counts the devices: every Vulkan device, best first, and last the built-in reference engine,
/// which is always there, so the count is at least 1.
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
/// on success. Blocks until done; `vkd_batch_start` is the same without blocking. All pointers are
/// read during the call only. The result does not depend on the device.
///
/// Besides the output, the run holds on the host the prepared rows (2 x num_items x dim bytes) and
/// one copy of the output, and on the device the contribution matrix (2 x num_items^2 bytes).
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
        unsafe { required(out_sequences, "out_sequences")? };
        // SAFETY: the caller's contract.
        let job = unsafe { start(context, embeddings, num_items, dim, options)? };
        // SAFETY: the caller's contract: room for the whole result.
        unsafe { write_result(job.wait(None).as_deref(), u64::MAX, out_sequences) }
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
pub unsafe extern "C" fn vkd_job_result(
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

/// Asks a job to stop and returns at once; it ends with VKD_ERROR_CANCELLED after its next
/// submission to the device (some 50 ms). No effect on a job that has ended. NULL is fine.
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

/// # Safety
/// Pointers must be NULL or valid as in `vkd_batch_compute`.
unsafe fn start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
) -> Result<Job> {
    // SAFETY: the caller's contract, here and below.
    let context = unsafe { required(context, "context")? };
    // SAFETY: as above.
    let options = unsafe { read_options(options)? };
    // SAFETY: as above.
    let request = unsafe { request(&options)? };
    let len = u64::from(num_items) * u64::from(dim);
    let name = "embeddings";
    // SAFETY: the caller says that so many values of this type are there.
    let elements = unsafe {
        match options.element_type {
            0 => Elements::F32(array(embeddings, len, name)?),
            1 => Elements::F16(array(embeddings.cast(), len, name)?),
            2 => Elements::F64(array(embeddings.cast(), len, name)?),
            other => return Err(bad("element_type", other, "use one of vkd_element_type")),
        }
    };
    let center = options.flags & vkd_batch_flags::VKD_CENTER as u32 != 0;
    context.0.start(elements, num_items, dim, center, &request)
}

/// # Safety
/// `options.starts` must be NULL or hold `options.num_starts` numbers.
unsafe fn request(options: &vkd_batch_options) -> Result<Request> {
    let known = vkd_batch_flags::VKD_CENTER as u32;
    if options.flags & !known != 0 {
        let name = vkd_batch_options::NAME;
        return Err(Error::UnknownFlags { name, got: options.flags, known });
    }
    if options.reserved != 0 {
        return Err(bad("reserved", options.reserved, "it must be 0"));
    }
    let starts = if options.starts.is_null() && options.num_starts == 0 {
        None
    } else {
        // SAFETY: the caller's contract.
        Some(unsafe { array(options.starts, options.num_starts.into(), "starts")? }.to_vec())
    };
    Ok(Request { starts, length: options.length })
}

/// # Safety
/// `options.device` must be NULL or NUL-terminated.
unsafe fn context_options(options: vkd_context_options) -> Result<ContextOptions> {
    if options.flags != 0 {
        let name = vkd_context_options::NAME;
        return Err(Error::UnknownFlags { name, got: options.flags, known: 0 });
    }
    let device = if options.device.is_null() {
        None
    } else {
        // SAFETY: the caller's contract.
        Some(unsafe { CStr::from_ptr(options.device) }.to_string_lossy().into_owned())
    };
    let kernel = match options.sequence_kernel {
        0 => None,
        1 => Some(SequenceKernel::Buffer),
        2 => Some(SequenceKernel::Registers),
        other => return Err(bad("sequence_kernel", other, "use one of vkd_sequence_kernel")),
    };
    let target = options.submit_target_ms;
    if target > 1000 {
        return Err(bad("submit_target_ms", target, "at most 1000, drivers stop work after 2000"));
    }
    if options.threads > 4096 {
        return Err(bad("threads", options.threads, "at most 4096"));
    }
    let memory_limit = (options.memory_limit != 0).then_some(options.memory_limit);
    let cpu = cpu::Settings {
        threads: (options.threads != 0).then_some(options.threads),
        memory_limit,
        ..cpu::Settings::default()
    };
    let vulkan = Settings {
        kernel,
        memory_limit,
        submit_target: (target != 0).then(|| Duration::from_millis(target.into())),
        ..Settings::default()
    };
    Ok(ContextOptions { device, cpu, vulkan })
}

fn bad(option: &'static str, got: u32, allowed: &str) -> Error {
    Error::BadOption { option, got: got.to_string(), allowed: allowed.into() }
}

/// # Safety
/// `out` must have room for the whole result.
unsafe fn write_result(
    result: Option<&Result<Vec<u32>>>,
    capacity: u64,
    out: *mut u32,
) -> Result<i32> {
    match result {
        None => Err(Error::NotFinished),
        Some(Err(error)) => Err(error.clone()),
        Some(Ok(sequences)) if sequences.len() as u64 > capacity => {
            let (name, needed) = ("out_sequences", sequences.len() as u64);
            Err(Error::OutputTooSmall { name, capacity, needed })
        }
        Some(Ok(sequences)) => {
            // SAFETY: the caller's contract; a fresh Vec cannot overlap the caller's memory.
            unsafe { std::ptr::copy_nonoverlapping(sequences.as_ptr(), out, sequences.len()) };
            Ok(0)
        }
    }
}

fn info_to_c(info: &DeviceInfo) -> vkd_device_info {
    let mut name = [0; 256];
    let mut driver = [0; 512];
    copy_text(&info.name, &mut name);
    copy_text(&info.driver, &mut driver);
    let kind = match info.kind {
        DeviceKind::DiscreteGpu => vkd_device_kind::VKD_DEVICE_DISCRETE_GPU,
        DeviceKind::IntegratedGpu => vkd_device_kind::VKD_DEVICE_INTEGRATED_GPU,
        DeviceKind::VirtualGpu => vkd_device_kind::VKD_DEVICE_VIRTUAL_GPU,
        DeviceKind::Cpu => vkd_device_kind::VKD_DEVICE_CPU,
        DeviceKind::SoftwareVulkan => vkd_device_kind::VKD_DEVICE_SOFTWARE_VULKAN,
        DeviceKind::OtherVulkan => vkd_device_kind::VKD_DEVICE_OTHER_VULKAN,
        DeviceKind::Reference => vkd_device_kind::VKD_DEVICE_REFERENCE,
    };
    vkd_device_info {
        struct_size: size_of::<vkd_device_info>() as u32,
        kind: kind as u32,
        name,
        driver,
        uuid: info.uuid,
        memory_bytes: info.memory_bytes,
        max_binding_bytes: info.max_binding_bytes,
        subgroup_size: info.subgroup_size,
        loop_budget: info.loop_budget,
    }
}

/// Copies as much of `text` as fits before a final NUL.
fn copy_text(text: &str, to: &mut [c_char]) {
    let room = to.len() - 1;
    for (to, byte) in to[..room].iter_mut().zip(text.bytes()) {
        *to = byte as c_char;
    }
}

fn progress_to_c(job: &Job) -> vkd_job_progress {
    let progress = job.progress();
    let (done, total) = (progress.picks_done(), progress.picks_total());
    let result = job.result();
    let state = match result.as_deref() {
        None => vkd_job_state::VKD_JOB_RUNNING,
        Some(Ok(_)) => vkd_job_state::VKD_JOB_DONE,
        Some(Err(_)) => vkd_job_state::VKD_JOB_FAILED,
    };
    let spent = progress.seconds(Phase::Sequences);
    let seconds_left = match &result {
        Some(_) => 0.0,
        None if done == 0 || spent == 0.0 => -1.0,
        None => spent / done as f64 * total.saturating_sub(done) as f64,
    };
    vkd_job_progress {
        struct_size: size_of::<vkd_job_progress>() as u32,
        state: state as u32,
        sequences_done: progress.sequences_done(),
        picks_done: done,
        picks_total: total,
        bytes_read: progress.bytes_read(),
        seconds: job.seconds(),
        seconds_left,
        prepare_seconds: progress.seconds(Phase::Prepare),
        upload_seconds: progress.seconds(Phase::Upload),
        matrix_seconds: progress.seconds(Phase::Matrix),
        sequences_seconds: progress.seconds(Phase::Sequences),
        download_seconds: progress.seconds(Phase::Download),
    }
}
