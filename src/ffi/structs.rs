//! Structs that cross the ABI, of this version of the header, an earlier or a later one.
//!
//! Each begins with `struct_size`, which says how much of it the caller knows. What is shorter than
//! the library's was the struct of an earlier version: options are extended with zeros, which mean
//! the default, and outputs are cut. What is longer is of a later version: the tail of options must
//! be zero, that of outputs is set to zero. No other size can be right: it would cut a field in
//! half, or is garbage from the stack. Bytes beyond `struct_size` are neither read nor written.

use std::marker::PhantomData;
use std::ops::Deref;

use super::pointers::{In, Out};
use super::status::{CallError, Result};

/// A struct that crosses the ABI: plain old data that begins with `struct_size: u32`.
///
/// # Safety
/// `Self` must be `repr(C)`, begin with its `u32` size, be valid with any bytes, all zero too, and,
/// if it is written, have no bytes that belong to no field.
pub(super) unsafe trait Struct: Copy {
    /// Its name in the header.
    const NAME: &'static str;
    /// Its size in each version of the header, from the first on; the last is today's.
    const SIZES: &'static [u32];
}

/// Lists structs that cross the ABI with the sizes that they have had. Later versions only add
/// fields behind the others, and one more size here: the last must be today's. The sizes are those
/// of 64-bit machines; others have no earlier versions.
macro_rules! structs {
    ($($name:ident: [$($size:literal),+],)*) => { $(
        // SAFETY: repr(C), begins with a u32 size, and holds only numbers and raw pointers. Bytes
        // that belong to no field are at the end of options alone, which are not written.
        unsafe impl crate::ffi::structs::Struct for $name {
            const NAME: &'static str = stringify!($name);
            const SIZES: &'static [u32] = match cfg!(target_pointer_width = "64") {
                true => &[$($size),+],
                false => &[size_of::<$name>() as u32],
            };
        }
        const _: () = {
            let sizes = <$name as crate::ffi::structs::Struct>::SIZES;
            assert!(
                sizes[sizes.len() - 1] as usize == size_of::<$name>(),
                concat!("add the new size of ", stringify!($name), " to its list"),
            );
        };
    )* };
}
pub(super) use structs;

/// The most a struct of a later version could plausibly have; more is garbage on the stack.
const LARGEST_STRUCT: u32 = 4096;

fn check_size<T: Struct>(got: u32) -> Result<()> {
    let expected = size_of::<T>() as u32;
    let is_later = got > expected && got <= LARGEST_STRUCT;
    match is_later || T::SIZES.contains(&got) {
        true => Ok(()),
        false => Err(CallError::StructSize { name: T::NAME, got, expected }),
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
        // SAFETY: who vouched for the struct vouched for its pointers.
        unsafe { In::new(of(&self.values), name) }
    }

    /// A pointer of the struct to write to.
    pub(super) fn output<U>(&self, of: fn(&T) -> *mut U, name: &'static str) -> Out<'a, U> {
        // SAFETY: who vouched for the struct vouched for its pointers.
        unsafe { Out::new(of(&self.values), name) }
    }
}

impl<'a, T: Struct> In<'a, T> {
    /// Reads an option struct, wherever it lies: it need not be aligned. NULL means all defaults.
    pub(super) fn options(self) -> Result<Options<'a, T>> {
        let known = size_of::<T>() as u32;
        // SAFETY: `Struct` types are valid when all zero.
        let mut values: T = unsafe { std::mem::zeroed() };
        if self.is_null() {
            return Ok(Options { values, call: PhantomData });
        }
        // SAFETY: `new` vouches for a struct there, and all begin with their u32 size.
        let got = unsafe { self.as_ptr().cast::<u32>().read_unaligned() };
        check_size::<T>(got)?;
        let bytes = self.as_ptr().cast::<u8>();
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

impl<T: Struct> Out<'_, T> {
    /// Writes what `make` gives, as much of it as the `struct_size` there has room for, and zeros
    /// behind it. `struct_size` stays the caller's. The struct need not be aligned.
    pub(super) fn report(self, make: impl FnOnce() -> Result<T>) -> Result<()> {
        self.not_null()?;
        // SAFETY: `new` vouches for a struct there, and all begin with their u32 size.
        let got = unsafe { self.as_ptr().cast::<u32>().read_unaligned() };
        check_size::<T>(got)?;
        let value = make()?;
        let (from, to) = ((&raw const value).cast::<u8>(), self.as_ptr().cast::<u8>());
        let (got, known) = (got as usize, size_of::<T>());
        let written = got.min(known);
        // SAFETY: both hold `written` bytes; the caller says that its struct has `got`.
        unsafe {
            std::ptr::copy_nonoverlapping(from.add(4), to.add(4), written - 4);
            to.add(written).write_bytes(0, got - written);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct of the third version of a header: pointers and halves of them at every place.
    #[repr(C)]
    #[derive(Debug, Clone, Copy)]
    struct Grown {
        struct_size: u32,
        first: u32,
        second: *const u8,
        third: u32,
        reserved: u32,
        fourth: *const u8,
    }

    structs! { Grown: [8, 16, 32], }

    const GARBAGE: u8 = 0xa5;

    /// A struct of `size` bytes at an odd address, with garbage behind it.
    fn bytes(size: u32, tail: u8) -> Vec<u8> {
        let mut bytes = vec![GARBAGE; 5000];
        bytes[1..][..4.max(size as usize)].fill(if size > 32 { tail } else { 7 });
        if size > 32 {
            bytes[1..33].fill(7);
        }
        bytes[1..5].copy_from_slice(&size.to_ne_bytes());
        bytes
    }

    #[test]
    fn sizes_are_those_of_a_version_or_of_a_later_one() {
        for size in 0..=4200 {
            let given = bytes(size, 0);
            // SAFETY: `size` bytes, at least its number, are there.
            let given = unsafe { In::new(given[1..].as_ptr().cast::<Grown>(), "given") };
            let is_right = [8, 16, 32].contains(&size) || (33..=4096).contains(&size);
            match given.options() {
                Ok(options) => {
                    assert!(is_right, "{size}");
                    let seven = 0x0707_0707_0707_0707_u64 as *const u8;
                    let known = |end| if size >= end { seven } else { std::ptr::null() };
                    assert_eq!(options.first, 0x0707_0707, "{size}");
                    assert_eq!(options.second, known(16), "{size}");
                    assert_eq!(options.fourth, known(32), "{size}");
                }
                Err(error) => {
                    assert!(!is_right && matches!(error, CallError::StructSize { .. }), "{size}");
                }
            }
        }
    }

    #[test]
    fn a_tail_of_options_is_zero() {
        for size in 33..=4096 {
            let mut given = bytes(size, 0);
            given[size as usize] = 1;
            // SAFETY: `size` bytes are there.
            let given = unsafe { In::new(given[1..].as_ptr().cast::<Grown>(), "given") };
            assert!(matches!(given.options(), Err(CallError::NewerStruct { .. })), "{size}");
        }
    }

    #[test]
    fn outputs_are_cut_or_end_with_zeros() {
        let value = Grown {
            struct_size: 32,
            first: u32::MAX,
            second: usize::MAX as *const u8,
            third: u32::MAX,
            reserved: u32::MAX,
            fourth: usize::MAX as *const u8,
        };
        for size in 0..=4200 {
            let mut given = bytes(size, GARBAGE);
            let before = given.clone();
            // SAFETY: `size` bytes, at least its number, are there.
            let out = unsafe { Out::new(given[1..].as_mut_ptr().cast::<Grown>(), "given") };
            let done = out.report(|| Ok(value)).is_ok();
            let (all, mut expected) = (size as usize, before);
            if done {
                expected[5..1 + all.min(32)].fill(0xff);
                expected[1 + all.min(32)..1 + all].fill(0);
            }
            assert!(given == expected, "{size}");
            assert_eq!(done, [8, 16, 32].contains(&size) || (33..=4096).contains(&size), "{size}");
        }
    }
}
