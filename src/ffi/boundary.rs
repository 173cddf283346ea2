//! What stands between C and the safe code: panics, the last error, and giving handles back.
//!
//! A function of the header does all its work in `guard`. Its pointers are wrapped by `pointers`,
//! its structs read and written by `structs`.

use std::cell::RefCell;
use std::ffi::CString;

use libc::c_char;

use super::status::{status, Result};
use crate::panics;

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// The full message of the last vkd function that failed on this thread, in English, UTF-8; "" if
/// none did. It is the place to look for which item, value and limit were meant. Valid until the
/// next vkd call on the same thread fails; never free it.
#[no_mangle]
pub extern "C" fn vkd_last_error() -> *const c_char {
    // A thread that is being torn down has no storage left; it gets an empty text.
    LAST_ERROR.try_with(|text| text.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// Runs `work`; panics and errors become a status, with the text kept for `vkd_last_error`.
pub(super) fn guard(work: impl FnOnce() -> Result<()>) -> i32 {
    guard_status(|| work().map(|()| 0))
}

/// The same for work that has a status of its own.
pub(super) fn guard_status(work: impl FnOnce() -> Result<i32>) -> i32 {
    let result = panics::caught(work).unwrap_or_else(|error| Err(error.into()));
    result.unwrap_or_else(|error| {
        let text = CString::new(error.to_string().replace('\0', "\\0")).unwrap_or_default();
        let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = text);
        status(&error) as i32
    })
}

/// Frees a handle; NULL is fine, and what no handle can be is left alone.
///
/// # Safety
/// `handle` must be NULL or come from `Out::give`, and must not be used again.
pub(super) unsafe fn release<T>(handle: *mut T) {
    guard(|| {
        if !handle.is_null() && handle.is_aligned() {
            // SAFETY: it came from Box::into_raw, and the caller gives it back.
            drop(unsafe { Box::from_raw(handle) });
        }
        Ok(())
    });
}
