//! Vectors whose length depends on the input: an error where the system has no room for them.
//!
//! Rust ends the process when a small allocation fails (a text, a thread's name, a table of some
//! entries), and so does the C library. So where the process has a limit of address space, each of
//! these large ones leaves `SPARE` bytes of it for them, or is refused.

use std::sync::{Mutex, PoisonError};

use bytemuck::Zeroable;

use super::bytes::Bytes;
use super::{heaps, process};
use crate::error::{Error, Result};

/// Address space that is left for what cannot fail. The C library grows its heap by steps of 1 MiB
/// where it may not grow in place.
pub(super) const SPARE: Bytes = Bytes::new(4 << 20);

/// Makes what takes `bytes`; `None` where the limits of the process would leave too little behind
/// it. One thread at a time, so that what one was promised no other takes.
pub(crate) fn take<T>(bytes: Bytes, make: impl FnOnce() -> T) -> Option<T> {
    static TAKING: Mutex<()> = Mutex::new(());
    if process::rest().is_none() {
        return Some(make());
    }
    heaps::keep_to_one();
    let _alone = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
    has_room(bytes).then(make)
}

/// Whether the limits of the process leave `bytes` and some to spare.
pub(crate) fn has_room(bytes: Bytes) -> bool {
    process::rest().is_none_or(|rest| (bytes + SPARE).fit(rest))
}

/// Whether the process has a limit of address space, or of data.
pub(crate) fn is_limited() -> bool {
    process::rest().is_some()
}

/// Whether `bytes` could be taken, but would leave less than there is to spare.
pub(crate) fn would_starve(bytes: Bytes) -> bool {
    process::rest().is_some_and(|rest| bytes.fit(rest) && !(bytes + SPARE).fit(rest))
}

/// Refuses to begin what takes small allocations only, where the system would not give those.
pub(crate) fn require_spare() -> Result<()> {
    match has_room(Bytes::ZERO) {
        true => Ok(()),
        false => Err(Error::HostMemory { what: "a call", bytes: SPARE.get() }),
    }
}

/// An empty vector with room for `len` values.
pub(crate) fn room<T>(len: usize, what: &'static str) -> Result<Vec<T>> {
    let mut values = Vec::new();
    reserve(&mut values, len, what)?;
    Ok(values)
}

/// Room for `more` values behind those of a vector.
pub(crate) fn reserve<T>(values: &mut Vec<T>, more: usize, what: &'static str) -> Result<()> {
    let bytes = Bytes::of::<T>(more as u64);
    match take(bytes, || values.try_reserve_exact(more)) {
        Some(Ok(())) => Ok(()),
        _ => Err(Error::HostMemory { what, bytes: bytes.get() }),
    }
}

/// `len` zeros. Many come from the system as zeros, untouched: writing 1.6 GB of them first took
/// seconds in which no run could be cancelled.
pub(crate) fn zeroed<T: Zeroable>(len: usize, what: &'static str) -> Result<Vec<T>> {
    let bytes = Bytes::of::<T>(len as u64);
    match take(bytes, || bytemuck::allocation::try_zeroed_vec(len)) {
        Some(Ok(values)) => Ok(values),
        _ => Err(Error::HostMemory { what, bytes: bytes.get() }),
    }
}

/// The same for a number of values that the address space may not have.
pub(crate) fn zeroed_of<T: Zeroable>(len: u64, what: &'static str) -> Result<Vec<T>> {
    let refused = |_| Error::HostMemory { what, bytes: Bytes::of::<T>(len).get() };
    zeroed(usize::try_from(len).map_err(refused)?, what)
}

/// `len` times `value`.
pub(crate) fn filled<T: Clone>(len: usize, value: T, what: &'static str) -> Result<Vec<T>> {
    let mut values = room(len, what)?;
    values.resize(len, value);
    Ok(values)
}

/// A copy of `values`.
pub(crate) fn copied<T: Copy>(values: &[T], what: &'static str) -> Result<Vec<T>> {
    let mut copy = room(values.len(), what)?;
    copy.extend_from_slice(values);
    Ok(copy)
}

/// All of an iterator that knows its length.
pub(crate) fn collected<T>(
    values: impl ExactSizeIterator<Item = T>,
    what: &'static str,
) -> Result<Vec<T>> {
    let mut all = room(values.len(), what)?;
    all.extend(values);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_an_error() {
        let error = zeroed::<u64>(usize::MAX / 8, "the stars").unwrap_err();
        let bytes = (usize::MAX / 8 * 8) as u64;
        assert_eq!(error, Error::HostMemory { what: "the stars", bytes });
        assert_eq!(collected((0..3).map(|n| n * n), "squares").unwrap(), [0, 1, 4]);
        assert_eq!(copied(&[7, 8], "two").unwrap(), [7, 8]);
    }
}
