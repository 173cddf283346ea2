//! A file of results that can be taken away from a run.
//!
//! A driver may compile a kernel for seconds. A run that was cancelled meanwhile has ended for those
//! who watch it, so its file must be free for the next run: it is closed behind its back, and what
//! the run would still put there is refused.

use std::sync::{PoisonError, RwLock, RwLockWriteGuard, TryLockError};

use crate::engine::{PutNeighbors, PutSequences};
use crate::error::{Error, Result};
use crate::job::Held;

/// A writer, while the run may use it.
pub(super) struct Revocable<W>(RwLock<Option<W>>);

impl<W> Revocable<W> {
    pub(super) fn new(writer: W) -> Revocable<W> {
        Revocable(RwLock::new(Some(writer)))
    }

    /// Lets `finish` have the writer, which nobody takes away meanwhile.
    pub(super) fn finish(&self, finish: impl FnOnce(W) -> Result<()>) -> Result<()> {
        let mut writer = self.alone();
        writer.take().map_or(Err(Error::Cancelled), finish)
    }

    fn with<T>(&self, use_it: impl FnOnce(&W) -> Result<T>) -> Result<T> {
        let writer = self.0.read().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().map_or(Err(Error::Cancelled), use_it)
    }

    fn alone(&self) -> RwLockWriteGuard<'_, Option<W>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Send + Sync> Held for Revocable<W> {
    fn release(&self) {
        self.alone().take();
    }

    fn try_release(&self) -> bool {
        match self.0.try_write() {
            Ok(mut writer) => drop(writer.take()),
            Err(TryLockError::Poisoned(writer)) => drop(writer.into_inner().take()),
            Err(TryLockError::WouldBlock) => return false,
        }
        true
    }
}

impl<W: PutSequences + Send> PutSequences for Revocable<W> {
    fn put(&self, index: usize, row: &[u32]) -> Result<()> {
        self.with(|writer| writer.put(index, row))
    }

    fn get(&self, index: usize, row: &mut [u32]) -> Result<()> {
        self.with(|writer| writer.get(index, row))
    }
}

impl<W: PutNeighbors + Send> PutNeighbors for Revocable<W> {
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()> {
        self.with(|writer| writer.put(row, indices, dots))
    }
}
