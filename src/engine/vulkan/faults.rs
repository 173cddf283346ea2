//! Failures on purpose, for tests: every Vulkan call that can fail asks here first.
//!
//! Calls are counted from 0 in the order in which the engine makes them. One of them (or all from there on) is not made but
//! answered with an error code, as a driver would; or allocations beyond a number of bytes are refused. Without
//! `Settings::faults` the question is one comparison.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ash::vk;

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

    /// Every `every`-th call loses the device.
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

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// The code with which the next call fails, if it does.
    fn next(&self) -> Option<vk::Result> {
        let call = self.calls.fetch_add(1, Relaxed);
        let in_turn = self.every > 0 && call % self.every == self.every - 1;
        let fails = in_turn || call >= self.first && call - self.first < self.count;
        fails.then_some(match self.lost {
            true => vk::Result::ERROR_DEVICE_LOST,
            false => vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        })
    }
}

/// Makes a call, unless it has to fail.
pub(crate) fn make<T>(
    faults: Option<&Faults>,
    call: impl FnOnce() -> ash::prelude::VkResult<T>,
) -> ash::prelude::VkResult<T> {
    match faults.and_then(Faults::next) {
        Some(code) => Err(code),
        None => call(),
    }
}
