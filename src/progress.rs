//! How far a run is, where its time went, and the wish to stop it: plain atomics.
//!
//! An engine writes, any thread reads. No lock, no callback.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// The parts of a run whose time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Checking the embeddings and turning them into integers, on the host.
    Prepare,
    /// Moving the prepared rows to the device, and building its kernels for this size.
    Upload,
    /// The N x N contribution matrix.
    Matrix,
    /// The steps: picks, or dot products and the search in them.
    Steps,
    /// Bringing the picks back.
    Download,
}

impl Phase {
    /// All phases, in the order in which a run goes through them.
    pub const ALL: [Phase; 5] =
        [Phase::Prepare, Phase::Upload, Phase::Matrix, Phase::Steps, Phase::Download];

    /// The name that users see.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Prepare => "prepare",
            Phase::Upload => "upload",
            Phase::Matrix => "matrix",
            Phase::Steps => "steps",
            Phase::Download => "download",
        }
    }
}

/// What a run has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    rows: u64,
    steps: u64,
    bytes_read: u64,
}

/// Shared between the engine that works and those who watch.
#[derive(Debug)]
pub struct Progress {
    epoch: Instant,
    /// The phase under way: 1 + its number, and above 3 bits its begin in nanoseconds after the
    /// epoch.
    running: AtomicU64,
    /// Shared with the files that the run holds.
    cancel: Arc<AtomicBool>,
    rows_done: AtomicU64,
    rows_total: AtomicU64,
    steps_done: AtomicU64,
    steps_total: AtomicU64,
    bytes_read: AtomicU64,
    files_done: AtomicU64,
    files_total: AtomicU64,
    bytes_written: AtomicU64,
    rows_written: AtomicU64,
    nanoseconds: [AtomicU64; Phase::ALL.len()],
    /// How many submissions to a device took up to 1, 2, 4, ... ms.
    submissions: [AtomicU64; SUBMISSION_CLASSES],
}

/// Classes of submission times: up to 1 ms, 2 ms, 4 ms, ... 1,024 ms, longer.
pub const SUBMISSION_CLASSES: usize = 12;

impl Default for Progress {
    fn default() -> Self {
        Progress {
            epoch: Instant::now(),
            running: AtomicU64::default(),
            cancel: Arc::default(),
            rows_done: AtomicU64::default(),
            rows_total: AtomicU64::default(),
            steps_done: AtomicU64::default(),
            steps_total: AtomicU64::default(),
            bytes_read: AtomicU64::default(),
            files_done: AtomicU64::default(),
            files_total: AtomicU64::default(),
            bytes_written: AtomicU64::default(),
            rows_written: AtomicU64::default(),
            nanoseconds: Default::default(),
            submissions: Default::default(),
        }
    }
}

impl Progress {
    /// Asks the run to stop; it answers with [`Error::Cancelled`] after its next step.
    pub fn cancel(&self) {
        self.cancel.store(true, Relaxed);
    }

    /// True once the run was cancelled.
    pub(crate) fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancel)
    }

    /// The engine's question between two steps.
    pub fn check(&self) -> Result<()> {
        if self.cancel.load(Relaxed) {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    pub(crate) fn expect_rows(&self, total: u64) {
        self.rows_total.store(total, Relaxed);
    }

    pub(crate) fn expect_steps(&self, total: u64) {
        self.steps_total.store(total, Relaxed);
    }

    pub(crate) fn add_rows(&self, rows: u64) {
        self.rows_done.fetch_add(rows, Relaxed);
    }

    pub(crate) fn add_steps(&self, steps: u64, bytes_read: u64) {
        self.steps_done.fetch_add(steps, Relaxed);
        self.bytes_read.fetch_add(bytes_read, Relaxed);
    }

    /// After a lost device or refused memory: what was under way is computed again.
    pub(crate) fn back_to(&self, steps: u64) {
        self.steps_done.store(steps, Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { rows: self.rows_done(), steps: self.steps_done(), bytes_read: self.bytes_read() }
    }

    /// Stands where the sum of `parts` does, which count from `before` on.
    pub(crate) fn follow(&self, before: Counts, parts: &[Arc<Progress>]) {
        let sum = |of: fn(&Progress) -> u64| parts.iter().map(|part| of(part)).sum::<u64>();
        self.rows_done.store(before.rows + sum(Progress::rows_done), Relaxed);
        self.steps_done.store(before.steps + sum(Progress::steps_done), Relaxed);
        self.bytes_read.store(before.bytes_read + sum(Progress::bytes_read), Relaxed);
        for (class, total) in self.submissions.iter().enumerate() {
            let one = |part: &Arc<Progress>| part.submissions[class].load(Relaxed);
            total.store(parts.iter().map(one).sum(), Relaxed);
        }
    }

    pub(crate) fn expect_files(&self, total: u64) {
        self.files_total.store(total, Relaxed);
    }

    pub(crate) fn add_file(&self, bytes: u64) {
        self.files_done.fetch_add(1, Relaxed);
        self.bytes_written.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_written_rows(&self, rows: u64) {
        self.rows_written.fetch_add(rows, Relaxed);
    }

    pub(crate) fn add_submission(&self, took: Duration) {
        let milliseconds = took.as_micros().div_ceil(1000).max(1) as u64;
        let class = milliseconds.next_power_of_two().ilog2() as usize;
        self.submissions[class.min(SUBMISSION_CLASSES - 1)].fetch_add(1, Relaxed);
    }

    /// How many submissions to a device took up to 1, 2, 4, ... 1,024 ms, and longer.
    pub fn submissions(&self) -> [u64; SUBMISSION_CLASSES] {
        std::array::from_fn(|class| self.submissions[class].load(Relaxed))
    }

    /// Runs `work` and books its time on `phase`.
    pub(crate) fn time<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let begin = self.now();
        self.running.store(begin << 3 | (phase as u64 + 1), Relaxed);
        let result = work();
        self.running.store(0, Relaxed);
        self.nanoseconds[phase as usize].fetch_add(self.now() - begin, Relaxed);
        result
    }

    /// Rows of the result finished: sequences, or the neighbours or similarities of an item.
    pub fn rows_done(&self) -> u64 {
        self.rows_done.load(Relaxed)
    }

    /// Rows of the whole run.
    pub fn rows_total(&self) -> u64 {
        self.rows_total.load(Relaxed)
    }

    /// Steps finished: picks; of neighbours and similarities dot products.
    pub fn steps_done(&self) -> u64 {
        self.steps_done.load(Relaxed)
    }

    /// Steps of the whole run.
    pub fn steps_total(&self) -> u64 {
        self.steps_total.load(Relaxed)
    }

    /// Bytes of the contribution matrix that the steps have read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// Files of a site, an export or a merge finished.
    pub fn files_done(&self) -> u64 {
        self.files_done.load(Relaxed)
    }

    /// Files of the whole site or export; 0 where none are written.
    pub fn files_total(&self) -> u64 {
        self.files_total.load(Relaxed)
    }

    /// Bytes of the files finished.
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written.load(Relaxed)
    }

    /// Rows of a site, an export or a merge that are written, though not all on the disk yet.
    pub fn rows_written(&self) -> u64 {
        self.rows_written.load(Relaxed)
    }

    /// Seconds spent in `phase` so far, up to this moment.
    pub fn seconds(&self, phase: Phase) -> f64 {
        let booked = self.nanoseconds[phase as usize].load(Relaxed);
        let running = self.running.load(Relaxed);
        let under_way = if running & 7 == phase as u64 + 1 {
            self.now().saturating_sub(running >> 3)
        } else {
            0
        };
        (booked + under_way) as f64 * 1e-9
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_under_way_counts_too() {
        let progress = Progress::default();
        progress.time(Phase::Matrix, || {
            std::thread::sleep(std::time::Duration::from_millis(2));
            assert!(progress.seconds(Phase::Matrix) >= 0.002);
            assert_eq!(progress.seconds(Phase::Steps), 0.0);
        });
        let booked = progress.seconds(Phase::Matrix);
        assert!(booked >= 0.002);
        assert_eq!(progress.seconds(Phase::Matrix), booked);
    }

    #[test]
    fn a_whole_follows_its_parts_from_where_it_stood() {
        let (whole, part) = (Progress::default(), Arc::new(Progress::default()));
        whole.expect_rows(10);
        whole.add_rows(3);
        whole.add_steps(30, 60);
        let before = whole.counts();
        for _ in 0..2 {
            part.add_rows(1);
            part.add_steps(10, 20);
            whole.follow(before, &[Arc::clone(&part), Arc::clone(&part)]);
        }
        let counts = (whole.rows_done(), whole.steps_done(), whole.bytes_read());
        assert_eq!(counts, (7, 70, 140));
        assert_eq!(whole.rows_total(), 10);
    }
}
