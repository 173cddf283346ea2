//! Rows from an engine to the threads that write them.
//!
//! The engine puts each row into a queue with room for a few; threads take them out, format and
//! write. A full queue makes the engine wait, so memory stays bounded; an error of a thread reaches
//! the engine with the next row.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

use super::files::{Files, Plan};
use super::request::{List, Site};
use super::row::SiteRow;
use super::targets::Targets;
use crate::engine::neighbors::{similarity, QueryShape};
use crate::engine::PutNeighbors;
use crate::error::{Error, Result};
use crate::panics;
use crate::progress::Progress;
use crate::results::reserve_row;
use crate::threads::{lock, start_scoped};

/// Rows in the queue for every thread.
pub(super) const ROWS: usize = 8;

/// A row in the queue: the neighbours of item `number`.
struct QueuedRow {
    number: u32,
    indices: Vec<u32>,
    similarities: Vec<f32>,
}

/// The first error of the threads that write.
#[derive(Default)]
struct Outcome {
    failed: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Outcome {
    fn fail(&self, error: Error) {
        lock(&self.error).get_or_insert(error);
        self.failed.store(true, Relaxed);
    }

    fn check(&self) -> Result<()> {
        if !self.failed.load(Relaxed) {
            return Ok(());
        }
        lock(&self.error).clone().map_or(Ok(()), Err)
    }
}

/// The engine's end of the queue.
struct Queue<'a> {
    rows: SyncSender<QueuedRow>,
    outcome: &'a Outcome,
}

impl PutNeighbors for Queue<'_> {
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()> {
        self.outcome.check()?;
        let (mut items, mut similarities) = (Vec::new(), Vec::new());
        reserve_row(&mut items, &mut similarities, indices.len())?;
        items.extend_from_slice(indices);
        similarities.extend(dots.iter().map(|&dot| similarity(dot)));
        let row = QueuedRow { number: row, indices: items, similarities };
        self.rows.send(row).map_err(|_| {
            let gone = Error::Internal { detail: "all threads that write have ended".into() };
            self.outcome.check().err().unwrap_or(gone)
        })
    }
}

/// What each thread that writes works with.
struct Writers<'a, 'f> {
    files: &'a Files<'f>,
    outcome: &'a Outcome,
    progress: &'a Progress,
}

impl Writers<'_, '_> {
    /// Starts up to `count` threads; an error where the system has none.
    fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        count: usize,
        rows: Receiver<QueuedRow>,
    ) -> Result<()> {
        // The threads alone hold the receiver: when the last ends, putting fails instead of waiting
        // for ever.
        let rows = Arc::new(Mutex::new(rows));
        for number in 0..count {
            let rows = Arc::clone(&rows);
            let work = move || {
                if let Err(error) = panics::caught(|| self.drain(rows)) {
                    self.outcome.fail(error);
                }
            };
            // Where the system has no more threads, the others do the work.
            match start_scoped(scope, "vkd site", "the writing of files", work) {
                Err(error) if number == 0 => return Err(error),
                Err(_) => break,
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Writes rows until there are no more.
    fn drain(&self, rows: Arc<Mutex<Receiver<QueuedRow>>>) {
        let mut text = Vec::new();
        let next = || lock(&rows).recv().ok();
        while let Some(row) = next() {
            if let Err(error) = self.write(&row, &mut text) {
                self.outcome.fail(error);
                return;
            }
        }
    }

    fn write(&self, row: &QueuedRow, text: &mut Vec<u8>) -> Result<()> {
        self.outcome.check()?;
        self.progress.check()?;
        let (others, similarities) = (&*row.indices, &*row.similarities);
        let row = SiteRow { number: row.number, item: row.number, others, similarities };
        self.files.write(&row, text)
    }
}

/// Writes the site while `produce` puts its rows: the neighbours of every item.
pub(crate) fn from_engine(
    site: &Site,
    targets: &Targets,
    shape: &QueryShape,
    progress: &Progress,
    produce: impl FnOnce(&dyn PutNeighbors) -> Result<()>,
) -> Result<()> {
    let QueryShape { num_items, num_rows, .. } = *shape;
    let plan = Plan { site, targets, list: List::Similar, num_items, num_rows };
    let files = Files::begin(plan, |row| row, progress)?;
    let threads = site.num_threads()?;
    let outcome = Outcome::default();
    let writers = Writers { files: &files, outcome: &outcome, progress };
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(threads * ROWS);
        writers.start(scope, threads, receiver)?;
        produce(&Queue { rows: sender, outcome: &outcome })
    })?;
    outcome.check()?;
    files.finish()
}
