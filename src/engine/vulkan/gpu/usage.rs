//! What is allocated on a device, and what it refused.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes of the device's allocations.
#[derive(Debug, Default)]
pub(super) struct MemoryUsage {
    live: AtomicU64,
    most: AtomicU64,
    /// Bytes that would have been live with the allocation that was refused last; 0: none was.
    refused: AtomicU64,
}

impl MemoryUsage {
    pub(super) fn add(&self, bytes: u64) {
        let now = self.live.fetch_add(bytes, Relaxed) + bytes;
        self.most.fetch_max(now, Relaxed);
    }

    pub(super) fn subtract(&self, bytes: u64) {
        self.live.fetch_sub(bytes, Relaxed);
    }

    /// Bytes that are live with `bytes` more.
    pub(super) fn live_with(&self, bytes: u64) -> u64 {
        self.live.load(Relaxed) + bytes
    }

    /// The most bytes that were live at once.
    pub(super) fn most(&self) -> u64 {
        self.most.load(Relaxed)
    }

    pub(super) fn refuse(&self, bytes: u64) {
        self.refused.store(self.live_with(bytes), Relaxed);
    }

    pub(super) fn take_refused(&self) -> Option<u64> {
        Some(self.refused.swap(0, Relaxed)).filter(|&bytes| bytes > 0)
    }
}
