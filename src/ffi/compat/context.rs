//! The functions of the older interface for contexts.

use std::sync::Arc;

use libc::c_char;

use super::boundary::{guard_handle, guard_value, Group};
use super::device::Device;
use crate::ffi::boundary::release;
use crate::ffi::pointers::pointers;

/// A device, opened for computing. Several may be open at once. What was made on it goes on without
/// it.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkc_context(pub(super) Arc<Device>);

/// Opens the device that the environment variable `VKD_DEVICE` names, else vkd's default device.
/// NULL where it cannot be opened, with a line on stderr. `validation` is a bool that changes
/// nothing: the environment variable `VKD_VALIDATION` switches the validation layer on.
#[no_mangle]
pub extern "C" fn vkc_init(validation: u8) -> *mut vkc_context {
    let _ = validation;
    guard_handle(Group::Vkc, || Ok(vkc_context(Arc::new(Device::open()?))))
}

/// Frees a context. NULL is fine.
///
/// # Safety
/// `context` must be NULL or come from `vkc_init`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkc_destroy(context: *mut vkc_context) {
    // SAFETY: the caller's contract.
    unsafe { release(context) }
}

/// The text of a result: 0 "Success", -1 "Initialization failed", -2 "No suitable Vulkan device
/// found", -3 "Buffer creation failed", -4 "Shader loading failed", -5 "Pipeline creation failed",
/// -6 "Command execution failed", -7 "Out of memory", others "Unknown error". Static: never free
/// it. Functions of vkd give 0, -1 for arguments that cannot be right, and -6.
#[no_mangle]
pub extern "C" fn vkc_get_error_string(result: i32) -> *const c_char {
    let text = match result {
        0 => c"Success",
        -1 => c"Initialization failed",
        -2 => c"No suitable Vulkan device found",
        -3 => c"Buffer creation failed",
        -4 => c"Shader loading failed",
        -5 => c"Pipeline creation failed",
        -6 => c"Command execution failed",
        -7 => c"Out of memory",
        _ => c"Unknown error",
    };
    text.as_ptr()
}

/// The name of the device, NUL-terminated UTF-8. Valid until the context is destroyed; never free
/// it. "Unknown" for NULL.
///
/// # Safety
/// `context` must be NULL or live.
#[no_mangle]
pub unsafe extern "C" fn vkc_get_device_name(context: *const vkc_context) -> *const c_char {
    pointers!(context;);
    let name = || context.handle().map_or(c"Unknown", |context| context.0.name.as_c_str()).as_ptr();
    guard_value(c"Unknown".as_ptr(), name)
}

/// Bytes of the device's memory; 0 for NULL, and where unknown.
///
/// # Safety
/// `context` must be NULL or live.
#[no_mangle]
pub unsafe extern "C" fn vkc_get_device_memory(context: *const vkc_context) -> u64 {
    pointers!(context;);
    let memory = || context.handle().map_or(0, |context| context.0.context.info().memory_bytes);
    guard_value(0, memory)
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn text(result: i32) -> &'static str {
        // SAFETY: the text is static and ends with a NUL.
        unsafe { CStr::from_ptr(vkc_get_error_string(result)) }.to_str().unwrap()
    }

    #[test]
    fn results_have_texts() {
        let texts = [text(0), text(-6), text(-7), text(-8), text(1), text(i32::MIN)];
        let unknown = "Unknown error";
        assert_eq!(texts[..3], ["Success", "Command execution failed", "Out of memory"]);
        assert_eq!(texts[3..], [unknown; 3]);
    }
}
