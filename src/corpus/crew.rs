//! Who prepares: some threads, and the run that they do it for, which can be cancelled.
//!
//! Work is cut into pieces that come from one iterator; a thread takes the next one when it is done
//! with the last. Pieces are handed out in their order, and who has taken one finishes it.

use std::sync::Mutex;

use crate::error::Result;
use crate::progress::Progress;
use crate::threads::{self, lock};

/// For fewer values it is not worth while to start one more thread.
const VALUES_PER_THREAD: u64 = 100_000;

/// How many threads prepare, and for which run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crew<'a> {
    num_threads: usize,
    progress: &'a Progress,
}

impl<'a> Crew<'a> {
    /// At most `num_threads` threads, the one that calls among them, for the run of `progress`.
    pub(crate) fn new(num_threads: usize, progress: &'a Progress) -> Crew<'a> {
        Crew { num_threads, progress }
    }

    /// How many threads so many values are worth.
    pub(super) fn num_threads(&self, values: u64) -> usize {
        let most = usize::try_from(values / VALUES_PER_THREAD).unwrap_or(usize::MAX);
        self.num_threads.min(most).max(1)
    }

    /// Whether to go on: an error where the run is cancelled.
    pub(super) fn check(&self) -> Result<()> {
        self.progress.check()
    }

    /// Lets some thread do `work` with each of `pieces`, which have `values` values together. After
    /// an error no more pieces are handed out; if there are several, any one of them is given.
    pub(super) fn share<T>(
        &self,
        values: u64,
        pieces: impl Iterator<Item = T> + Send,
        work: impl Fn(T) -> Result<()> + Sync,
    ) -> Result<()> {
        let most = pieces.size_hint().1.unwrap_or(usize::MAX).max(1);
        let pieces = Mutex::new(pieces);
        threads::run(self.num_threads(values).min(most), |failure| {
            while !failure.is_seen() {
                self.check()?;
                let Some(piece) = lock(&pieces).next() else { break };
                work(piece)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;
    use crate::error::Error;

    #[test]
    fn every_piece_is_done_once_until_the_run_is_cancelled() {
        let (progress, sum) = (Progress::default(), AtomicU64::new(0));
        let crew = Crew::new(4, &progress);
        let add = |piece| {
            sum.fetch_add(piece, Relaxed);
            Ok(())
        };
        crew.share(1 << 20, 0..1000, add).unwrap();
        assert_eq!(sum.load(Relaxed), 499_500);
        let cancel = |piece| {
            progress.cancel();
            add(piece)
        };
        assert_eq!(crew.share(0, 0..1000, cancel), Err(Error::Cancelled));
        assert_eq!(sum.load(Relaxed), 499_500);
    }

    #[test]
    fn few_values_stay_with_the_thread_that_calls() {
        let progress = Progress::default();
        let threads = |values| Crew::new(3, &progress).num_threads(values);
        assert_eq!([0, 199_999, 200_000, u64::MAX].map(threads), [1, 1, 2, 3]);
    }
}
