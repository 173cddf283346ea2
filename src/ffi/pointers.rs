//! The pointers of C calls.
//!
//! A function of the header wraps each of its pointers in an `In` or an `Out`, in one unsafe block:
//! there the caller's contract is taken at its word. What these then do is safe, and checks
//! everything that can be checked: NULL, alignment, sizes, outputs that share memory. Outputs are
//! checked before any work, so that what fails has written nothing.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::path::PathBuf;

use libc::c_char;

use super::status::{CallError, Result};
use crate::error::Error;
use crate::memory::{self, Bytes};

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
    (@in $name:ident) => { $crate::ffi::pointers::In::new($name, stringify!($name)) };
    (@in $local:ident = $name:ident) => {
        $crate::ffi::pointers::In::new($name, stringify!($name))
    };
    (@out $name:ident) => { $crate::ffi::pointers::Out::new($name, stringify!($name)) };
    (@out $local:ident = $name:ident) => {
        $crate::ffi::pointers::Out::new($name, stringify!($name))
    };
}
pub(super) use pointers;

fn check_null<T>(pointer: *const T, name: &'static str) -> Result<()> {
    match pointer.is_null() {
        true => Err(CallError::NullPointer { name }),
        false => Ok(()),
    }
}

fn check_alignment<T>(pointer: *const T, name: &'static str) -> Result<()> {
    match pointer.is_aligned() {
        true => Ok(()),
        false => {
            let (got, bytes) = (format!("{pointer:p}"), align_of::<T>());
            let allowed = format!("it must be aligned to {bytes} bytes");
            Err(Error::BadOption { option: name, got, allowed }.into())
        }
    }
}

/// Refuses to copy what the memory, or the limit that the user sets, does not hold.
fn check_memory(name: &'static str, needed: u64) -> Result<()> {
    let free = memory::available_bytes().unwrap_or(Bytes::UNCOUNTABLE);
    let available = memory::limit()?.map_or(free, |limit| limit.min(free));
    match Bytes::new(needed).fit(available) {
        true => Ok(()),
        false => Err(too_large(name, needed, available.get()).into()),
    }
}

fn too_large(what: &'static str, needed: u64, available: u64) -> Error {
    Error::TooLarge { what, needed, available, device: "the host".into() }
}

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

    pub(super) fn as_ptr(self) -> *const T {
        self.pointer
    }

    /// The same memory as another type.
    pub(super) fn cast<U>(self) -> In<'a, U> {
        In { pointer: self.pointer.cast(), name: self.name, call: PhantomData }
    }

    /// Refuses NULL.
    pub(super) fn required(self) -> Result<In<'a, T>> {
        check_null(self.pointer, self.name).map(|()| self)
    }

    /// What a handle points to. What is not aligned is none.
    pub(super) fn handle(self) -> Result<&'a T> {
        check_null(self.pointer, self.name)?;
        check_alignment(self.pointer, self.name)?;
        // SAFETY: not NULL, aligned; `new` vouches for the rest.
        Ok(unsafe { &*self.pointer })
    }

    /// `len` values. A byte count beyond the address space cannot be an array, and reading it as
    /// one would be undefined.
    pub(super) fn array(self, len: u64) -> Result<&'a [T]> {
        check_null(self.pointer, self.name)?;
        check_alignment(self.pointer, self.name)?;
        let bytes = len.saturating_mul(size_of::<T>() as u64);
        if bytes > isize::MAX as u64 {
            return Err(too_large(self.name, bytes, isize::MAX as u64).into());
        }
        // SAFETY: not NULL, aligned, at most isize::MAX bytes; `new` vouches for the rest.
        Ok(unsafe { std::slice::from_raw_parts(self.pointer, len as usize) })
    }
}

impl<T: Copy> In<'_, T> {
    /// A copy of `len` values, refused before any is read where there is no room for it.
    pub(super) fn copied(self, len: u64) -> Result<Vec<T>> {
        let values = self.array(len)?;
        let bytes = size_of_val(values) as u64;
        check_memory(self.name, bytes)?;
        let mut copy = Vec::new();
        let refused = |_| Error::HostMemory { what: self.name, bytes };
        copy.try_reserve_exact(values.len()).map_err(refused)?;
        copy.extend_from_slice(values);
        Ok(copy)
    }
}

impl<'a, T> In<'a, *const T> {
    /// The `len` pointers of an array, as good as the array is.
    fn pointers(self, len: u64) -> Result<impl Iterator<Item = In<'a, T>>> {
        let name = self.name;
        let one = move |&pointer: &*const T| In { pointer, name, call: PhantomData };
        Ok(self.array(len)?.iter().map(one))
    }
}

impl<'a> In<'a, *const c_char> {
    /// The bytes of the `len` texts of an array, each before its NUL.
    pub(super) fn byte_texts(self, len: u64) -> Result<Vec<&'a [u8]>> {
        let mut texts = Vec::new();
        let bytes = len.saturating_mul(size_of::<&[u8]>() as u64);
        let refused = |_| Error::HostMemory { what: self.name, bytes };
        texts.try_reserve_exact(len as usize).map_err(refused)?;
        for text in self.pointers(len)? {
            texts.push(text.text()?.to_bytes());
        }
        Ok(texts)
    }

    /// Hands each of the `len` texts of an array, which are UTF-8, to `take`.
    pub(super) fn each_text(
        self,
        len: u64,
        mut take: impl FnMut(&'a str) -> Result<()>,
    ) -> Result<()> {
        for (item, text) in self.pointers(len)?.enumerate() {
            take(text.text()?.to_str().map_err(|_| {
                let got = format!("no UTF-8 for item {item} (0-based)");
                Error::BadOption { option: self.name, got, allowed: "texts are UTF-8".into() }
            })?)?;
        }
        Ok(())
    }

    /// The `len` paths of an array.
    pub(super) fn paths(self, len: u64) -> Result<Vec<PathBuf>> {
        let bytes = len.saturating_mul(size_of::<PathBuf>() as u64);
        check_memory(self.name, bytes)?;
        let mut paths = Vec::new();
        let refused = |_| Error::HostMemory { what: self.name, bytes };
        paths.try_reserve_exact(len as usize).map_err(refused)?;
        for path in self.pointers(len)? {
            paths.push(path.path()?);
        }
        Ok(paths)
    }

    /// Copies of the `len` texts of an array, which are UTF-8.
    pub(super) fn texts(self, len: u64) -> Result<Vec<String>> {
        let refused = |bytes| move |_| Error::HostMemory { what: self.name, bytes };
        let mut texts = Vec::new();
        texts.try_reserve_exact(len as usize).map_err(refused(len.saturating_mul(24)))?;
        self.each_text(len, |text| {
            let mut copy = String::new();
            copy.try_reserve_exact(text.len()).map_err(refused(text.len() as u64))?;
            copy.push_str(text);
            texts.push(copy);
            Ok(())
        })?;
        Ok(texts)
    }
}

impl<'a> In<'a, c_char> {
    /// A text that ends with a NUL.
    fn text(self) -> Result<&'a CStr> {
        check_null(self.pointer, self.name)?;
        // SAFETY: not NULL; `new` vouches for the NUL at its end.
        Ok(unsafe { CStr::from_ptr(self.pointer) })
    }

    /// The bytes of a text before its NUL; none for NULL.
    pub(super) fn optional_bytes(self) -> &'a [u8] {
        self.text().map_or(&[], CStr::to_bytes)
    }

    /// A text that is UTF-8.
    pub(super) fn utf8(self) -> Result<&'a str> {
        let text = self.text()?;
        text.to_str().map_err(|_| {
            let got = format!("{:?}", text.to_string_lossy());
            Error::BadOption { option: self.name, got, allowed: "it must be UTF-8".into() }.into()
        })
    }

    /// The same, `None` for NULL.
    pub(super) fn optional_utf8(self) -> Result<Option<&'a str>> {
        match self.is_null() {
            true => Ok(None),
            false => self.utf8().map(Some),
        }
    }

    /// A path as the system takes it: its bytes on Unix, UTF-8 elsewhere.
    pub(super) fn path(self) -> Result<PathBuf> {
        let text = self.text()?;
        if text.is_empty() {
            let (option, got) = (self.name, "\"\"".into());
            let allowed = "it must name a file or a folder".into();
            return Err(Error::BadOption { option, got, allowed }.into());
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            Ok(std::ffi::OsStr::from_bytes(text.to_bytes()).into())
        }
        #[cfg(not(unix))]
        match text.to_str() {
            Ok(text) => Ok(text.into()),
            Err(_) => {
                let (option, got) = (self.name, text.to_string_lossy().into_owned());
                let allowed = "it must be UTF-8".into();
                Err(Error::BadOption { option, got, allowed }.into())
            }
        }
    }

    /// The same, `None` for NULL.
    pub(super) fn optional_path(self) -> Result<Option<PathBuf>> {
        match self.is_null() {
            true => Ok(None),
            false => self.path().map(Some),
        }
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

    pub(super) fn as_ptr(self) -> *mut T {
        self.pointer
    }

    /// Refuses NULL.
    pub(super) fn not_null(self) -> Result<()> {
        check_null(self.pointer, self.name)
    }

    /// Refuses what cannot be written, before any work is done for it.
    pub(super) fn required(self) -> Result<Out<'a, T>> {
        self.not_null()?;
        check_alignment(self.pointer, self.name).map(|()| self)
    }

    /// The same, `None` for NULL.
    pub(super) fn optional(self) -> Result<Option<Out<'a, T>>> {
        match self.pointer.is_null() {
            true => Ok(None),
            false => self.required().map(Some),
        }
    }

    /// Refuses outputs of `len` values each that share memory: the second would destroy the first.
    pub(super) fn check_apart<U>(self, other: Out<U>, len: u64) -> Result<()> {
        let range = |begin: usize, size: usize| {
            let begin = begin as u64;
            begin..begin.saturating_add(len.saturating_mul(size as u64))
        };
        let one = range(self.pointer.addr(), size_of::<T>());
        let two = range(other.pointer.addr(), size_of::<U>());
        if one.end <= two.start || two.end <= one.start {
            return Ok(());
        }
        let got = format!("{:p}", other.pointer);
        let allowed = format!("it must not overlap {}, {:p}", self.name, self.pointer);
        Err(Error::BadOption { option: other.name, got, allowed }.into())
    }

    /// Writes one value.
    pub(super) fn write(self, value: T) -> Result<()> {
        self.required()?;
        // SAFETY: not NULL, aligned; `new` vouches for the rest.
        unsafe { self.pointer.write(value) };
        Ok(())
    }
}

impl<T: Copy> Out<'_, T> {
    /// Writes `values` to an array that has room for `capacity` of them.
    pub(super) fn copy(self, values: &[T], capacity: u64) -> Result<()> {
        self.check_room(values.len(), capacity)?;
        // SAFETY: `new` vouches for `capacity` values; what the library made overlaps no caller's.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.pointer, values.len()) };
        Ok(())
    }

    /// Writes the value of each of `from` to such an array.
    pub(super) fn map<U>(self, from: &[U], capacity: u64, value: fn(&U) -> T) -> Result<()> {
        self.check_room(from.len(), capacity)?;
        for (place, from) in from.iter().enumerate() {
            // SAFETY: below `capacity`; `new` vouches for so many.
            unsafe { self.pointer.add(place).write(value(from)) };
        }
        Ok(())
    }

    fn check_room(self, needed: usize, capacity: u64) -> Result<()> {
        self.required()?;
        let needed = needed as u64;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn out<T>(address: usize, name: &'static str) -> Out<'static, T> {
        // SAFETY: nothing is written.
        unsafe { Out::new(std::ptr::without_provenance_mut(address), name) }
    }

    #[test]
    fn outputs_that_share_memory_are_refused() {
        let apart = |one: usize, two: usize, len| {
            out::<u32>(one, "one").check_apart(out::<f32>(two, "two"), len).is_ok()
        };
        assert!(apart(4000, 4040, 10) && apart(4040, 4000, 10));
        assert!(!apart(4000, 4036, 10) && !apart(4036, 4000, 10) && !apart(4000, 4000, 1));
        assert!(!apart(4000, usize::MAX - 7, u64::MAX));
        assert!(apart(4000, 4000, 0));
    }

    #[test]
    fn what_cannot_be_an_array_is_refused() {
        let one = [1u32];
        // SAFETY: only one value is read.
        let given = unsafe { In::new(one.as_ptr(), "one") };
        assert_eq!(given.array(1).unwrap(), one);
        for len in [1 << 61, 1 << 62, u64::MAX] {
            let large =
                CallError::Library(too_large("one", len.saturating_mul(4), i64::MAX as u64));
            assert_eq!(given.array(len).unwrap_err(), large);
            assert_eq!(given.copied(len).unwrap_err(), large);
        }
        // SAFETY: nothing is read.
        let odd = unsafe { In::new(one.as_ptr().byte_add(1), "odd") };
        assert!(odd.array(1).unwrap_err().to_string().contains("aligned to 4 bytes"));
        assert!(odd.handle().is_err() && odd.required().is_ok());
    }
}
