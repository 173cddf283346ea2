//! The functions of the C header for the version, devices and contexts.

use std::time::Duration;

use libc::c_char;

use super::boundary::{guard, release};
use super::input::{bad, check_flags, check_threads, has};
use super::output::text;
use super::pointers::pointers;
use super::status::Result;
use super::structs::Options;
use super::types::{vkd_context, vkd_context_options, vkd_device_info, vkd_device_kind, vkd_flags};
use crate::context::{devices, Context, ContextOptions, PassedOver};
use crate::engine::vulkan::{PipelineCache, SequenceKernel};
use crate::engine::{cpu, vulkan, DeviceInfo, DeviceKind};
use crate::error::Error;

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

/// Counts the devices: GPUs, the CPU engine, software Vulkan drivers, the reference engine, in the
/// order in which one is chosen. The built-in engines are always there, so the count is at least 2.
///
/// Writes the count to `out_count`. Asks the drivers anew at every call (some 10 ms). No Vulkan
/// loader and no driver are no errors: there are the built-in engines.
///
/// # Safety
/// `out_count` must be NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_device_count(out_count: *mut u32) -> i32 {
    guard(|| {
        pointers!(; out = out_count);
        let out = out.required()?;
        out.write(devices()?.len() as u32)
    })
}

/// Describes device `index` (0-based, below the count of `vkd_device_count`).
///
/// Set `out_info->struct_size` first; the rest is written on success. An index that is none is
/// VKD_ERROR_BAD_OPTION. Asks the drivers anew, as `vkd_device_count` does.
///
/// # Safety
/// `out_info` must be NULL (an error) or point to `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_device_get_info(index: u32, out_info: *mut vkd_device_info) -> i32 {
    guard(|| {
        pointers!(; out = out_info);
        out.report(|| Ok(info_to_c(&device(index)?)))
    })
}

/// Opens a device. `options` may be NULL for all defaults.
///
/// Writes a context to `out_context`, to be freed with `vkd_context_free`. A context may be used
/// from any thread, by several at once; its runs are done one after the other, in the order in
/// which they were started. Creating one loads the driver; create one and keep it.
///
/// A context and its jobs belong to the process that made them: in a child after a fork their calls
/// are VKD_ERROR_OTHER_PROCESS, and freeing them does nothing. A child may create contexts of its
/// own; on Vulkan devices only where the parent had none open at the fork.
///
/// Errors: those of the device (-301 to -307), VKD_ERROR_BAD_OPTION also for an environment
/// variable that cannot be understood.
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
        pointers!(options; out = out_context);
        out.required()?.give(vkd_context(Context::new(&context_options(&options.options()?)?)?))
    })
}

/// Frees a context. NULL is fine. Jobs started on it go on and keep what they need.
///
/// # Safety
/// `context` must be NULL or come from `vkd_context_create`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_context_free(context: *mut vkd_context) {
    // SAFETY: the caller's contract.
    unsafe { release(context) }
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
        pointers!(context; out = out_info);
        let context = context.handle()?;
        context.0.check_process()?;
        let passed_over = context.0.passed_over().iter();
        let one = |gpu: &PassedOver| format!("{}: {}", gpu.device, gpu.reason);
        let passed_over = passed_over.map(one).collect::<Vec<_>>().join("; ");
        out.report(|| {
            let passed_over = text(&passed_over);
            Ok(vkd_device_info { passed_over, ..info_to_c(context.0.info()) })
        })
    })
}

fn device(index: u32) -> Result<DeviceInfo> {
    let devices = devices()?;
    let allowed = format!("there are {} devices, numbered from 0", devices.len());
    let found = devices.into_iter().nth(index as usize);
    found
        .ok_or_else(|| Error::BadOption { option: "index", got: index.to_string(), allowed }.into())
}

fn context_options(options: &Options<vkd_context_options>) -> Result<ContextOptions> {
    check_flags::<vkd_context_options>(options.flags, &[vkd_flags::VKD_NO_PIPELINE_CACHE])?;
    let device = options.member(|options| options.device, "device").optional_utf8()?;
    let kernel = match options.sequence_kernel {
        0 => None,
        1 => Some(SequenceKernel::Buffer),
        2 => Some(SequenceKernel::Registers),
        other => return Err(bad("sequence_kernel", other, "use one of vkd_sequence_kernel")),
    };
    let target = options.submit_target_ms;
    if target > 1000 {
        let allowed = "it can be at most 1,000: drivers stop work after two seconds";
        return Err(bad("submit_target_ms", target, allowed));
    }
    check_threads(options.threads)?;
    let memory_limit = (options.memory_limit != 0).then_some(options.memory_limit);
    let cpu = cpu::Settings {
        threads: (options.threads != 0).then_some(options.threads),
        ..cpu::Settings::default()
    };
    let vulkan = vulkan::Settings {
        kernel,
        pipeline_cache: match has(options.flags, vkd_flags::VKD_NO_PIPELINE_CACHE) {
            true => PipelineCache::Off,
            false => PipelineCache::Usual,
        },
        submit_target: (target != 0).then(|| Duration::from_millis(target.into())),
        ..vulkan::Settings::default()
    };
    Ok(ContextOptions { device: device.map(str::to_owned), memory_limit, cpu, vulkan })
}

fn info_to_c(info: &DeviceInfo) -> vkd_device_info {
    let kind = match info.kind {
        DeviceKind::DiscreteGpu => vkd_device_kind::VKD_DEVICE_DISCRETE_GPU,
        DeviceKind::IntegratedGpu => vkd_device_kind::VKD_DEVICE_INTEGRATED_GPU,
        DeviceKind::VirtualGpu => vkd_device_kind::VKD_DEVICE_VIRTUAL_GPU,
        DeviceKind::Cpu => vkd_device_kind::VKD_DEVICE_CPU,
        DeviceKind::SoftwareVulkan => vkd_device_kind::VKD_DEVICE_SOFTWARE_VULKAN,
        DeviceKind::OtherVulkan => vkd_device_kind::VKD_DEVICE_OTHER_VULKAN,
        DeviceKind::Reference => vkd_device_kind::VKD_DEVICE_REFERENCE,
        DeviceKind::Several => vkd_device_kind::VKD_DEVICE_SEVERAL,
    };
    vkd_device_info {
        struct_size: size_of::<vkd_device_info>() as u32,
        kind: kind as u32,
        name: text(&info.name),
        driver: text(&info.driver),
        uuid: info.uuid,
        memory_bytes: info.memory_bytes,
        max_binding_bytes: info.max_binding_bytes,
        subgroup_size: info.subgroup_size,
        loop_budget: info.loop_budget,
        passed_over: [0; 512],
    }
}
