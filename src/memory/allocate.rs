//! Vectors whose length depends on the input: an error where the system has no room for them.
//!
//! Rust ends the process when a small allocation fails (a text, a thread's name, a table of some
//! entries). So each of these large ones leaves `SPARE` bytes of address space free for them, or
//! is refused.

use bytemuck::Zeroable;
use memmap2::MmapMut;

use super::bytes::Bytes;
use crate::error::{Error, Result};

/// Address space that is left for what cannot fail. The C library grows its heap by steps of 1 MiB
/// where it may not grow in place.
pub(super) const SPARE: Bytes = Bytes::new(4 << 20);

/// Whether the system would give `bytes` more and still leave some to spare.
pub(crate) fn has_room(bytes: Bytes) -> bool {
    let all = usize::try_from((bytes + SPARE).get());
    // Mapped, never touched and given back: some microseconds.
    all.is_ok_and(|all| MmapMut::map_anon(all).is_ok())
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
    let reserved = values.try_reserve_exact(more).is_ok();
    // The check comes behind, so that it counts what the vector has taken.
    match reserved && has_room(Bytes::ZERO) {
        true => Ok(()),
        false => Err(Error::HostMemory { what, bytes: bytes.get() }),
    }
}

/// `len` zeros. Many come from the system as zeros, untouched: writing 1.6 GB of them first took
/// seconds in which no run could be cancelled.
pub(crate) fn zeroed<T: Zeroable>(len: usize, what: &'static str) -> Result<Vec<T>> {
    let bytes = Bytes::of::<T>(len as u64).get();
    let refused = || Error::HostMemory { what, bytes };
    let values = bytemuck::allocation::try_zeroed_vec(len).map_err(|()| refused())?;
    match has_room(Bytes::ZERO) {
        true => Ok(values),
        false => Err(refused()),
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
        assert!(!has_room(Bytes::UNCOUNTABLE) && has_room(Bytes::ZERO));
    }
}
