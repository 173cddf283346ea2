//! The threads of a run, and the vector instructions that they use.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::settings::Settings;
use super::simd::{dispatch, Level, OnSimd};
use crate::error::Result;
use crate::threads;

/// Threads, and their level of vector instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workers {
    pub(super) level: Level,
    pub(super) num_threads: usize,
}

impl Workers {
    pub(super) fn new(settings: &Settings) -> Result<Workers> {
        let level = settings.level.unwrap_or_else(Level::best);
        Ok(Workers { level, num_threads: threads::count(settings.threads)? })
    }

    /// Runs `work` on the calling thread, compiled for the level.
    pub(super) fn dispatch<W: OnSimd>(self, work: W) -> W::Output {
        dispatch(self.level, work)
    }

    /// Runs `work` for every task from 0 to `count`. The threads take one after the other, in this
    /// order; each has a scratch of its own, which it makes once. After an error no new one begins.
    pub(super) fn each<T>(
        self,
        count: usize,
        scratch: impl Fn() -> Result<T> + Sync,
        work: impl Fn(usize, &mut T) -> Result<()> + Sync,
    ) -> Result<()> {
        let next = AtomicUsize::new(0);
        threads::run(self.num_threads.min(count), |failure| {
            let mut scratch = scratch()?;
            while !failure.is_seen() {
                let task = next.fetch_add(1, Relaxed);
                if task >= count {
                    break;
                }
                work(task, &mut scratch)?;
            }
            Ok(())
        })
    }
}
