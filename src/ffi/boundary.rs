//! What stands between C and the safe code: panics, the last error, pointers and structs.
//!
//! A function of the header wraps each of its pointers in an `In` or an `Out`, in one unsafe block:
//! there the caller's contract is taken at its word. What these then do is safe, and checks
//! everything that can be checked: NULL, alignment, sizes, `struct_size`.

use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::PathBuf;

use libc::c_char;

use super::status::{status, CallError, Result};
use crate::error::Error;
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

/// A struct that crosses the ABI: plain old data that begins with `struct_size: u32`.
///
/// # Safety
/// `Self` must be `repr(C)`, begin with its `u32` size, and be valid with any bytes, all zero too.
pub(super) unsafe trait Struct: Copy {
    /// Its name in the header.
    const NAME: &'static str;
    /// Its size in the first version of the library: no caller can have a smaller one.
    const LEAST: u32;
}

/// Lists structs that cross the ABI with their size in the first version of the library: no caller
/// has a smaller one, and later versions only add fields behind it.
macro_rules! structs {
    ($($name:ident: $least:literal,)*) => { $(
        // SAFETY: repr(C), begins with a u32 size, and holds only numbers and raw pointers.
        unsafe impl crate::ffi::boundary::Struct for $name {
            const NAME: &'static str = stringify!($name);
            const LEAST: u32 = $least;
        }
    )* };
}
pub(super) use structs;

/// The most a struct of a later version could plausibly have; more is garbage on the stack.
const LARGEST_STRUCT: u32 = 4096;

fn check_size<T: Struct>(got: u32) -> Result<()> {
    if got < T::LEAST || got > LARGEST_STRUCT {
        let expected = size_of::<T>() as u32;
        return Err(CallError::StructSize { name: T::NAME, got, least: T::LEAST, expected });
    }
    Ok(())
}

/// Wraps the pointers of a call, those to read before the semicolon, those to write behind it, each
/// with the name that the header gives it; `local = name` where the call knows it by another.
macro_rules! pointers {
    ($($local:ident $(= $name:ident)?),*; $($out:ident $(= $out_name:ident)?),*) => {
        // SAFETY: the caller's contract, which stands under "Safety" at each function: pointers are
        // NULL or valid for what the function reads and writes there.
        let ($($local,)* $($out,)*) = unsafe {
            (
                $(pointers!(@in $local $(= $name)?),)*
                $(pointers!(@out $out $(= $out_name)?),)*
            )
        };
    };
    (@in $name:ident) => { $crate::ffi::boundary::In::new($name, stringify!($name)) };
    (@in $local:ident = $name:ident) => {
        $crate::ffi::boundary::In::new($name, stringify!($name))
    };
    (@out $name:ident) => { $crate::ffi::boundary::Out::new($name, stringify!($name)) };
    (@out $local:ident = $name:ident) => {
        $crate::ffi::boundary::Out::new($name, stringify!($name))
    };
}
pub(super) use pointers;

/// A pointer that C passes for the library to read: a value, an array, a text, a struct, a handle.
#[derive(Debug)]
pub(super) struct In<'a, T> {
    pointer: *const T,
    name: &'static str,
    call: PhantomData<&'a T>,
}

// By hand: a pointer can be copied whatever it points to.
impl<T> Clone for In<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for In<'_, T> {}

impl<'a, T> In<'a, T> {
    /// # Safety
    /// `pointer` must be NULL or, for `'a`, valid for reads of what is asked for below; so must the
    /// pointers in a struct that it points to.
    pub(super) unsafe fn new(pointer: *const T, name: &'static str) -> In<'a, T> {
        In { pointer, name, call: PhantomData }
    }

    pub(super) fn is_null(self) -> bool {
        self.pointer.is_null()
    }

    /// The same memory as another type.
    pub(super) fn cast<U>(self) -> In<'a, U> {
        In { pointer: self.pointer.cast(), name: self.name, call: PhantomData }
    }

    /// Refuses NULL.
    pub(super) fn required(self) -> Result<In<'a, T>> {
        match self.is_null() {
            true => Err(CallError::NullPointer { name: self.name }),
            false => Ok(self),
        }
    }

    /// What a handle points to.
    pub(super) fn handle(self) -> Result<&'a T> {
        self.required()?;
        // SAFETY: not NULL; `new` vouches for the rest.
        Ok(unsafe { &*self.pointer })
    }

    /// `len` values. A byte count beyond the address space cannot be an array, and reading it as
    /// one would be undefined.
    pub(super) fn array(self, len: u64) -> Result<&'a [T]> {
        self.required()?;
        let bytes = len.checked_mul(size_of::<T>() as u64);
        if bytes.is_none_or(|bytes| bytes > isize::MAX as u64) {
            return Err(Error::HostMemory { what: self.name, bytes: u64::MAX }.into());
        }
        if !self.pointer.is_aligned() {
            let (option, got) = (self.name, format!("{:p}", self.pointer));
            let allowed = format!("it must be aligned to {} bytes", align_of::<T>());
            return Err(Error::BadOption { option, got, allowed }.into());
        }
        // SAFETY: not NULL, aligned, below isize::MAX bytes; `new` vouches for the rest.
        Ok(unsafe { std::slice::from_raw_parts(self.pointer, len as usize) })
    }
}

impl<'a, T> In<'a, *const T> {
    /// The `len` pointers of an array, as good as the array is.
    pub(super) fn pointers(self, len: u64) -> Result<impl Iterator<Item = In<'a, T>>> {
        let name = self.name;
        let one = move |&pointer: &*const T| In { pointer, name, call: PhantomData };
        Ok(self.array(len)?.iter().map(one))
    }
}

impl<'a> In<'a, c_char> {
    /// A text that ends with a NUL.
    pub(super) fn text(self) -> Result<&'a CStr> {
        self.required()?;
        // SAFETY: not NULL; `new` vouches for the NUL at its end.
        Ok(unsafe { CStr::from_ptr(self.pointer) })
    }

    /// A path as the system takes it: its bytes on Unix, UTF-8 elsewhere.
    pub(super) fn path(self) -> Result<PathBuf> {
        let text = self.text()?;
        if text.is_empty() {
            let (option, got, allowed) = (self.name, "\"\"".into(), "it must name a file".into());
            return Err(Error::BadOption { option, got, allowed }.into());
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            Ok(std::ffi::OsStr::from_bytes(text.to_bytes()).into())
        }
        #[cfg(not(unix))]
        Ok(text.to_string_lossy().into_owned().into())
    }

    /// The same, `None` for NULL.
    pub(super) fn optional_path(self) -> Result<Option<PathBuf>> {
        match self.is_null() {
            true => Ok(None),
            false => self.path().map(Some),
        }
    }
}

/// An option struct that was read, and whose pointers are as good as it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options<'a, T> {
    values: T,
    call: PhantomData<&'a T>,
}

impl<T> Deref for Options<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.values
    }
}

impl<'a, T> Options<'a, T> {
    /// A pointer of the struct.
    pub(super) fn member<U>(&self, of: fn(&T) -> *const U, name: &'static str) -> In<'a, U> {
        In { pointer: of(&self.values), name, call: PhantomData }
    }
}

impl<'a, T: Struct> In<'a, T> {
    /// Reads an option struct: shorter than ours is extended with zeros, longer must have a zero
    /// tail. NULL means all defaults.
    pub(super) fn options(self) -> Result<Options<'a, T>> {
        let known = size_of::<T>() as u32;
        // SAFETY: `Struct` types are valid when all zero.
        let mut values: T = unsafe { std::mem::zeroed() };
        if self.is_null() {
            return Ok(Options { values, call: PhantomData });
        }
        // SAFETY: `new` vouches for a struct there, and all begin with their u32 size.
        let got = unsafe { self.pointer.cast::<u32>().read_unaligned() };
        check_size::<T>(got)?;
        let bytes = self.pointer.cast::<u8>();
        if got > known {
            // SAFETY: the caller says that its struct has `got` bytes.
            let tail = unsafe {
                std::slice::from_raw_parts(bytes.add(known as usize), (got - known) as usize)
            };
            if tail.iter().any(|&byte| byte != 0) {
                let version = env!("CARGO_PKG_VERSION");
                return Err(CallError::NewerStruct { name: T::NAME, got, known, version });
            }
        }
        let copied = got.min(known) as usize;
        // SAFETY: both hold at least `copied` bytes, and `T` is valid with any bytes.
        unsafe { std::ptr::copy_nonoverlapping(bytes, (&raw mut values).cast::<u8>(), copied) };
        Ok(Options { values, call: PhantomData })
    }
}

/// A pointer that C passes for the library to write to.
#[derive(Debug)]
pub(super) struct Out<'a, T> {
    pointer: *mut T,
    name: &'static str,
    call: PhantomData<&'a T>,
}

impl<T> Clone for Out<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<'_, T> {}

impl<'a, T> Out<'a, T> {
    /// # Safety
    /// `pointer` must be NULL or, for `'a`, valid for writes of what is written below.
    pub(super) unsafe fn new(pointer: *mut T, name: &'static str) -> Out<'a, T> {
        Out { pointer, name, call: PhantomData }
    }

    pub(super) fn is_null(self) -> bool {
        self.pointer.is_null()
    }

    /// Refuses NULL: before any work is done for what cannot be written.
    pub(super) fn required(self) -> Result<Out<'a, T>> {
        match self.is_null() {
            true => Err(CallError::NullPointer { name: self.name }),
            false => Ok(self),
        }
    }

    /// Writes one value.
    pub(super) fn write(self, value: T) -> Result<()> {
        self.required()?;
        // SAFETY: not NULL; `new` vouches for the rest.
        unsafe { self.pointer.write(value) };
        Ok(())
    }
}

impl<T: Copy> Out<'_, T> {
    /// Writes `values` to an array that has room for `capacity` of them.
    pub(super) fn copy(self, values: &[T], capacity: u64) -> Result<()> {
        self.check_room(values.len() as u64, capacity)?;
        // SAFETY: `new` vouches for `capacity` values; what the library made overlaps no caller's.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.pointer, values.len()) };
        Ok(())
    }

    /// Writes the value of each of `from` to such an array.
    pub(super) fn map<U>(self, from: &[U], capacity: u64, value: fn(&U) -> T) -> Result<()> {
        self.check_room(from.len() as u64, capacity)?;
        for (place, from) in from.iter().enumerate() {
            // SAFETY: below `capacity`; `new` vouches for so many.
            unsafe { self.pointer.add(place).write(value(from)) };
        }
        Ok(())
    }

    /// Writes the first `count` of `values`, for all of which the caller has room.
    pub(super) fn fill(self, values: impl Iterator<Item = T>, count: u32) -> Result<()> {
        self.required()?;
        for (place, value) in values.take(count as usize).enumerate() {
            // SAFETY: below `count`; `new` vouches for so many.
            unsafe { self.pointer.add(place).write(value) };
        }
        Ok(())
    }

    fn check_room(self, needed: u64, capacity: u64) -> Result<()> {
        self.required()?;
        match needed > capacity {
            true => Err(CallError::OutputTooSmall { name: self.name, capacity, needed }),
            false => Ok(()),
        }
    }
}

impl<T> Out<'_, *mut T> {
    /// Gives a new handle, which is the caller's from here on; `release` takes it back.
    pub(super) fn give(self, value: T) -> Result<()> {
        self.required()?;
        self.write(Box::into_raw(Box::new(value)))
    }
}

impl<T: Struct> Out<'_, T> {
    /// Writes a struct, as much of it as the `struct_size` there has room for.
    pub(super) fn report(self, make: impl FnOnce() -> Result<T>) -> Result<()> {
        self.required()?;
        // SAFETY: `new` vouches for a struct there, and all begin with their u32 size.
        let got = unsafe { self.pointer.cast::<u32>().read_unaligned() };
        check_size::<T>(got)?;
        let value = make()?;
        let from = (&raw const value).cast::<u8>();
        let copied = (got as usize).min(size_of::<T>()) - 4;
        // SAFETY: both hold `copied` bytes behind the size, which stays the caller's.
        unsafe {
            std::ptr::copy_nonoverlapping(from.add(4), self.pointer.cast::<u8>().add(4), copied);
        }
        Ok(())
    }
}

/// Frees a handle; NULL is fine.
///
/// # Safety
/// `handle` must be NULL or come from `Out::give`, and must not be used again.
pub(super) unsafe fn release<T>(handle: *mut T) {
    guard(|| {
        if !handle.is_null() {
            // SAFETY: it came from Box::into_raw, and the caller gives it back.
            drop(unsafe { Box::from_raw(handle) });
        }
        Ok(())
    });
}
