//! Rows from an engine to the threads that write them.
//!
//! The engine puts each row into a queue with room for a few; threads take them out, format and write. A full queue makes the
//! engine wait, so memory stays bounded; an error of a thread reaches the engine with the next row.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{Files, SiteRow};
use super::{List, Site};
use crate::engine::neighbors::{similarity, QueryShape};
use crate::engine::NeighborRows;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Rows in the queue for every thread.
const ROWS: usize = 8;

struct Row {
    number: u32,
    indices: Vec<u32>,
    similarities: Vec<f32>,
}

struct Queue<'a> {
    rows: SyncSender<Row>,
    outcome: &'a Outcome,
}

#[derive(Default)]
struct Outcome {
    failed: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Outcome {
    fn fail(&self, error: Error) {
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        self.failed.store(true, Relaxed);
    }

    fn check(&self) -> Result<()> {
        if !self.failed.load(Relaxed) {
            return Ok(());
        }
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        error.clone().map_or(Ok(()), Err)
    }
}

impl NeighborRows for Queue<'_> {
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()> {
        self.outcome.check()?;
        let similarities = dots.iter().map(|&dot| similarity(dot)).collect();
        let row = Row { number: row, indices: indices.to_vec(), similarities };
        self.rows.send(row).map_err(|_| {
            let gone = Error::Internal { detail: "all threads that write have ended".into() };
            self.outcome.check().err().unwrap_or(gone)
        })
    }
}

/// Bytes that the queue and the threads hold at the most.
pub(crate) fn bytes(site: &Site, shape: &QueryShape) -> Result<u64> {
    let threads = site.num_threads()? as u64;
    let row = u64::from(shape.k) * 8;
    let longest = site.ids.iter().flatten().map(String::len).max().unwrap_or(10) as u64;
    let page = u64::from(shape.k) * (2 * longest + 40);
    let texts = u64::from(shape.num_items) * (2 * longest + 40);
    Ok(threads * ((ROWS as u64 + 2) * row + page) + texts)
}

/// Writes the site while `produce` puts its rows: the neighbours of every item.
pub(crate) fn from_engine(
    site: &Site,
    shape: &QueryShape,
    progress: &Progress,
    produce: impl FnOnce(&dyn NeighborRows) -> Result<()>,
) -> Result<()> {
    let files = Files::begin(site, List::Similar, shape.num_items, 0..shape.num_rows, progress)?;
    let threads = site.num_threads()?;
    let outcome = Outcome::default();
    let (sender, receiver) = sync_channel(threads * ROWS);
    let receiver = Arc::new(Mutex::new(receiver));
    std::thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..threads {
            // They alone hold the receiver: when the last ends, putting fails instead of waiting for ever.
            let receiver = Arc::clone(&receiver);
            let work = || drain(receiver, &files, &outcome, progress);
            let builder = std::thread::Builder::new().name("vkd site".into());
            started += usize::from(builder.spawn_scoped(scope, work).is_ok());
        }
        drop(receiver);
        if started == 0 {
            return Err(Error::Internal { detail: "no thread to write files with".into() });
        }
        produce(&Queue { rows: sender, outcome: &outcome })
    })?;
    outcome.check()?;
    files.finish()
}

/// Writes rows until there are no more.
fn drain(rows: Arc<Mutex<Receiver<Row>>>, files: &Files, outcome: &Outcome, progress: &Progress) {
    let mut text = Vec::new();
    let next = || rows.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    while let Some(Row { number, indices, similarities }) = next() {
        let row = SiteRow { number, item: number, others: &indices, similarities: &similarities };
        let written = outcome
            .check()
            .and_then(|()| progress.check())
            .and_then(|()| files.write(&row, &mut text));
        if let Err(error) = written {
            outcome.fail(error);
            return;
        }
    }
}
