//! How many pages go to the disk at once.
//!
//! A sync costs some 30 ms, however few pages there are, so that few are a waste. A cancelled run
//! takes pages away that have no name yet, as it takes to name them: some microseconds each where
//! they are new, but 2 ms where one on the disk is replaced or removed on a file system that tells
//! the disk at once (ext4 with `discard`). So the first batch is small, and the next ones follow
//! what naming took.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// How long naming a batch should take: half of what a cancelled job may.
const TARGET: Duration = Duration::from_millis(100);

const LEAST: usize = 32;
const MOST: usize = 1024;

/// Pages of the next batch.
#[derive(Debug)]
pub(super) struct BatchSize(AtomicUsize);

impl BatchSize {
    pub(super) fn new() -> BatchSize {
        BatchSize(AtomicUsize::new(2 * LEAST))
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Learns that to name `pages` pages took `took`.
    pub(super) fn learn(&self, pages: usize, took: Duration) {
        let fitting = pages as f64 * (TARGET.as_secs_f64() / took.as_secs_f64().max(1e-6));
        // At most twice as many: a short batch says little.
        let most = (2 * pages.max(LEAST)).min(MOST);
        self.0.store((fitting as usize).clamp(LEAST, most), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_where_naming_is_fast_and_shrink_where_it_is_slow() {
        let size = BatchSize::new();
        let sizes = |one: Duration| {
            [(); 6].map(|()| {
                let pages = size.get();
                size.learn(pages, one * pages as u32);
                pages
            })
        };
        assert_eq!(sizes(Duration::from_micros(20)), [64, 128, 256, 512, 1024, 1024]);
        assert_eq!(sizes(Duration::from_millis(2)), [1024, 50, 50, 50, 50, 50]);
        size.learn(50, Duration::from_secs(9));
        assert_eq!(size.get(), 32);
    }
}
