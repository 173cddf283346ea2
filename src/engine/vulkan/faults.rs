//! Failures on purpose, for tests: every Vulkan call that can fail asks here first.
//!
//! A fault is an error code. The calls that can fail with it, by the table in `gpu/calls`, are
//! counted from 0 in the order in which the engine makes them; one of them (or all from there on)
//! is not made but answered with the code, as a driver would. Or allocations beyond a number of
//! bytes are refused.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ash::vk;

/// Stands in every library that was built with the feature `internals`, so that none of them is
/// shipped by mistake.
static MARKER: &str = "vkd built with internals";

/// Keeps the marker in the library: the linker drops what nothing reads.
pub(crate) fn keep_marker() {
    std::hint::black_box(MARKER);
}

/// Which calls fail, and how.
#[derive(Debug)]
pub struct Faults {
    calls: AtomicU64,
    first: u64,
    count: u64,
    lost: bool,
    /// All calls whose number is a multiple of this fail; 0: none.
    every: u64,
    granted: u64,
}

impl Faults {
    /// `count` calls from number `first` on fail: with a lost device, or else for want of memory.
    pub fn new(first: u64, count: u64, lost: bool) -> Faults {
        let calls = AtomicU64::new(0);
        Faults { calls, first, count, lost, every: 0, granted: u64::MAX }
    }

    /// Every `every`-th call that can lose the device loses it.
    pub fn every(every: u64) -> Faults {
        Faults { every, ..Faults::new(u64::MAX, 0, true) }
    }

    /// Allocations beyond `granted` bytes fail, whatever the device says of its memory.
    pub fn granting(granted: u64) -> Faults {
        Faults { granted, ..Faults::new(u64::MAX, 0, false) }
    }

    /// The most bytes that may be live.
    pub(crate) fn granted(&self) -> u64 {
        self.granted
    }

    /// Calls so far that can fail in this way.
    pub fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// The code with which calls fail.
    pub(crate) fn code(&self) -> vk::Result {
        match self.lost {
            true => vk::Result::ERROR_DEVICE_LOST,
            false => vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        }
    }

    /// Counts a call that can fail with this code; whether it has to.
    pub(crate) fn fails_next(&self) -> bool {
        let call = self.calls.fetch_add(1, Relaxed);
        let in_turn = self.every > 0 && call % self.every == self.every - 1;
        in_turn || call >= self.first && call - self.first < self.count
    }
}
