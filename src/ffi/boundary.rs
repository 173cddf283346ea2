//! What stands between C and the safe code: panics, the last error, pointers and option structs.

use std::cell::RefCell;
use std::ffi::CString;
use std::panic::{catch_unwind, AssertUnwindSafe};

use libc::c_char;

use crate::error::{from_panic, status_name, Error, Result};

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// The name of a status, such as "VKD_ERROR_NOT_FINITE"; "VKD_STATUS_UNKNOWN" for a number that is
/// none. The text is static: never free it.
#[no_mangle]
pub extern "C" fn vkd_status_name(status: i32) -> *const c_char {
    status_name(status).as_ptr().cast()
}

/// The full message of the last vkd function that failed on this thread, in English, UTF-8; "" if
/// none did. It is the place to look for which item, value and limit were meant. Valid until the next
/// vkd call on the same thread fails; never free it.
#[no_mangle]
pub extern "C" fn vkd_last_error() -> *const c_char {
    // A thread that is being torn down has no storage left; it gets an empty text.
    LAST_ERROR.try_with(|text| text.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// Runs `work`; panics and errors become a status, with the text kept for `vkd_last_error`.
pub(super) fn guard(work: impl FnOnce() -> Result<i32>) -> i32 {
    let result = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
    result.unwrap_or_else(|error| {
        remember(&error);
        error.status()
    })
}

fn remember(error: &Error) {
    let text = error.to_string().replace('\0', "\\0");
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = CString::new(text).unwrap_or_default());
}

/// `pointer` as a reference, or the error that names it.
///
/// # Safety
/// A pointer that is not NULL must be valid for reads of a `T` for as long as the result is used.
pub(super) unsafe fn required<'a, T>(pointer: *const T, name: &'static str) -> Result<&'a T> {
    // SAFETY: the caller vouches for every pointer that is not NULL.
    unsafe { pointer.as_ref() }.ok_or(Error::NullPointer { name })
}

/// A C array as a slice, or the error that names it. A byte count beyond the address space cannot be
/// an array, and reading it as one would be undefined.
///
/// # Safety
/// A pointer that is not NULL must be valid for reads of `len` values while the result is used.
pub(super) unsafe fn array<'a, T>(
    pointer: *const T,
    len: u64,
    name: &'static str,
) -> Result<&'a [T]> {
    if pointer.is_null() {
        return Err(Error::NullPointer { name });
    }
    let bytes = len.checked_mul(size_of::<T>() as u64).filter(|&bytes| bytes <= isize::MAX as u64);
    if bytes.is_none() {
        return Err(Error::HostMemory { what: name, bytes: u64::MAX });
    }
    if !pointer.is_aligned() {
        let allowed = format!("it must be aligned to {} bytes", align_of::<T>());
        return Err(Error::BadOption { option: name, got: format!("{pointer:p}"), allowed });
    }
    // SAFETY: not NULL, aligned, below isize::MAX bytes; the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(pointer, len as usize) })
}

/// A struct that crosses the ABI: plain old data that begins with `struct_size: u32`.
///
/// # Safety
/// `Self` must be `repr(C)`, begin with its `u32` size, and be valid with any bytes, all zero too.
pub(super) unsafe trait Sized32: Copy {
    /// Its name in the header.
    const NAME: &'static str;
    /// Its size in the first version of the library: no caller can have a smaller one.
    const LEAST: u32;
}

/// Reads an option struct: shorter than ours is extended with zeros, longer must have a zero tail.
/// NULL means all defaults.
///
/// # Safety
/// A pointer that is not NULL must point to at least `struct_size` readable bytes.
pub(super) unsafe fn read_options<T: Sized32>(pointer: *const T) -> Result<T> {
    let known = size_of::<T>() as u32;
    // SAFETY: `Sized32` types are valid when all zero.
    let mut value: T = unsafe { std::mem::zeroed() };
    if pointer.is_null() {
        return Ok(value);
    }
    // SAFETY: the caller's struct begins with its u32 size.
    let got = unsafe { pointer.cast::<u32>().read_unaligned() };
    check_size::<T>(got)?;
    let bytes = pointer.cast::<u8>();
    if got > known {
        // SAFETY: the caller says that its struct has `got` bytes.
        let tail = unsafe {
            std::slice::from_raw_parts(bytes.add(known as usize), (got - known) as usize)
        };
        if tail.iter().any(|&byte| byte != 0) {
            let version = env!("CARGO_PKG_VERSION");
            return Err(Error::NewerStruct { name: T::NAME, got, known, version });
        }
    }
    let copied = got.min(known) as usize;
    // SAFETY: both hold at least `copied` bytes, and `T` is valid with any bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes, (&raw mut value).cast::<u8>(), copied) };
    Ok(value)
}

/// The most a struct of a later version could plausibly have; more is garbage on the stack.
const LARGEST_STRUCT: u32 = 4096;

fn check_size<T: Sized32>(got: u32) -> Result<()> {
    if got < T::LEAST || got > LARGEST_STRUCT {
        let expected = size_of::<T>() as u32;
        return Err(Error::StructSize { name: T::NAME, got, least: T::LEAST, expected });
    }
    Ok(())
}

/// Writes `value` to the caller's struct, as much of it as `struct_size` there has room for.
///
/// # Safety
/// `pointer` must be NULL or point to `struct_size` writable bytes that begin with that u32.
pub(super) unsafe fn write_struct<T: Sized32>(
    pointer: *mut T,
    name: &'static str,
    make: impl FnOnce() -> Result<T>,
) -> Result<i32> {
    // SAFETY: the caller's struct begins with its u32 size.
    let got = unsafe { required(pointer.cast::<u32>(), name)? };
    let got = *got;
    check_size::<T>(got)?;
    let value = make()?;
    let bytes = (&raw const value).cast::<u8>();
    let copied = (got as usize).min(size_of::<T>()) - 4;
    // SAFETY: both hold `copied` bytes behind the size, which stays the caller's.
    unsafe { std::ptr::copy_nonoverlapping(bytes.add(4), pointer.cast::<u8>().add(4), copied) };
    Ok(0)
}
