//! What C passes, as what the safe code takes.

use std::ffi::CStr;
use std::path::PathBuf;
use std::time::Duration;

use libc::c_char;

use super::boundary::{array, read_options, required, Sized32};
use super::types::*;
use crate::context::{ContextOptions, RunPlan, To};
use crate::corpus::{Elements, Input, Shape};
use crate::engine::cpu;
use crate::engine::vulkan::{PipelineCache, SequenceKernel, Settings};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::plan::Request;
use crate::store::Target;

/// # Safety
/// Pointers must be NULL or valid as in `vkd_batch_compute`.
pub(super) unsafe fn start(
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
    // SAFETY: as above.
    let elements = unsafe { elements(embeddings, num_items, dim, options.element_type)? };
    let center = options.flags & vkd_flags::VKD_CENTER as u32 != 0;
    // SAFETY: as above.
    let target = unsafe { target(options.output_path, options.flags)? };
    let to = target.as_ref().map_or(To::Memory, To::File);
    context.0.start(&Input { elements, num_items, dim, center }, &request, to)
}

/// # Safety
/// `options` must be NULL or point to `struct_size` readable bytes, its pointers NULL or valid.
pub(super) unsafe fn plan(
    context: *const vkd_context,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
) -> Result<RunPlan> {
    // SAFETY: the caller's contract, here and below.
    let context = unsafe { required(context, "context")? };
    // SAFETY: as above.
    let options = unsafe { read_options(options)? };
    // SAFETY: as above.
    let request = unsafe { request(&options)? };
    // SAFETY: as above.
    let target = unsafe { target(options.output_path, options.flags)? };
    let to = target.as_ref().map_or(To::Memory, To::File);
    context.0.plan(Shape::new(num_items, dim), &request, to)
}

/// # Safety
/// `embeddings` must be NULL (an error) or hold `num_items` x `dim` values of the type.
pub(super) unsafe fn elements<'a>(
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    element_type: u32,
) -> Result<Elements<'a>> {
    let (len, name) = (u64::from(num_items) * u64::from(dim), "embeddings");
    // SAFETY: the caller says that so many values of this type are there.
    unsafe {
        Ok(match element_type {
            0 => Elements::F32(array(embeddings, len, name)?),
            1 => Elements::F16(array(embeddings.cast(), len, name)?),
            2 => Elements::F64(array(embeddings.cast(), len, name)?),
            other => return Err(bad("element_type", other, "use one of vkd_element_type")),
        })
    }
}

/// # Safety
/// `output_path` must be NULL or NUL-terminated.
pub(super) unsafe fn target(output_path: *const c_char, flags: u32) -> Result<Option<Target>> {
    let overwrite = flags & vkd_flags::VKD_OVERWRITE as u32 != 0;
    if output_path.is_null() {
        return match overwrite {
            true => Err(bad("flags", flags, "VKD_OVERWRITE needs an output_path")),
            false => Ok(None),
        };
    }
    // SAFETY: the caller's contract.
    let path = unsafe { path(output_path, "output_path")? };
    Ok(Some(Target { path, overwrite }))
}

/// A path as the system takes it: its bytes on Unix, UTF-8 elsewhere.
///
/// # Safety
/// `text` must be NULL (an error) or NUL-terminated.
pub(super) unsafe fn path(text: *const c_char, name: &'static str) -> Result<PathBuf> {
    // SAFETY: the caller's contract.
    unsafe { required(text, name)? };
    // SAFETY: not NULL, and the caller's contract.
    let text = unsafe { CStr::from_ptr(text) };
    if text.is_empty() {
        return Err(Error::BadOption {
            option: name,
            got: "\"\"".into(),
            allowed: "it must name a file".into(),
        });
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Ok(std::ffi::OsStr::from_bytes(text.to_bytes()).into())
    }
    #[cfg(not(unix))]
    Ok(text.to_string_lossy().into_owned().into())
}

/// # Safety
/// `options.starts` must be NULL or hold `options.num_starts` numbers.
unsafe fn request(options: &vkd_batch_options) -> Result<Request> {
    let known = vkd_flags::VKD_CENTER as u32 | vkd_flags::VKD_OVERWRITE as u32;
    flags::<vkd_batch_options>(options.flags, known)?;
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
pub(super) unsafe fn context_options(options: vkd_context_options) -> Result<ContextOptions> {
    let no_cache = vkd_flags::VKD_NO_PIPELINE_CACHE as u32;
    flags::<vkd_context_options>(options.flags, no_cache)?;
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
        ..cpu::Settings::default()
    };
    let vulkan = Settings {
        kernel,
        pipeline_cache: match options.flags & no_cache {
            0 => PipelineCache::Usual,
            _ => PipelineCache::Off,
        },
        submit_target: (target != 0).then(|| Duration::from_millis(target.into())),
        ..Settings::default()
    };
    Ok(ContextOptions { device, memory_limit, cpu, vulkan })
}

/// Checks that no other than the known flags are set.
pub(super) fn flags<T: Sized32>(got: u32, known: u32) -> Result<()> {
    match got & !known {
        0 => Ok(()),
        _ => Err(Error::UnknownFlags { name: T::NAME, got, known }),
    }
}

pub(super) fn bad(option: &'static str, got: u32, allowed: &str) -> Error {
    Error::BadOption { option, got: got.to_string(), allowed: allowed.into() }
}
