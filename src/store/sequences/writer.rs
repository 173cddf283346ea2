//! A file of sequences that grows.
//!
//! NAME.partial has its final size and shape from the beginning (so a full disk shows before the
//! work). A finished sequence is written to its place, then its checksum to `row_checksums`: that
//! tensor is the journal. Once a second the file is brought to the disk. At the end the header gets
//! its checksum and the file is brought to the disk, renamed to NAME, and the directory too.
//! Whoever writes holds a lock on the partial file.
//!
//! Resuming believes the rows whose checksums fit. A file of shorter sequences is extended: its
//! rows become heads of the new ones, in a new partial file; the old file stays until the new one
//! takes its place.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::format::{SequencesHeader, SequencesMeta, SequencesTensors};
use super::reader::SequencesFile;
use crate::engine::PutSequences;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::store::checksums::{row_checksum, total_checksum};
use crate::store::errors::{file_error, require_same};
use crate::store::items::to_bytes;
use crate::store::partial::{self, partial_path};
use crate::store::place::{read_at, reserve, sync_directory, write_at};
use crate::store::{known, map, output_file::OutputFile};

/// How much a loss of power may cost.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// What a run has to do for a file.
#[derive(Debug)]
pub enum Begun {
    /// Nothing: the file holds all that is asked for.
    Finished,
    /// These sequences, in this order, into the writer.
    Open(Box<SequencesWriter>, Plan),
}

/// An open partial file.
#[derive(Debug)]
pub struct SequencesWriter {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    meta: SequencesMeta,
    tensors: SequencesTensors,
    /// The row in the file of every sequence of the plan.
    rows: Vec<u32>,
    synced: Mutex<Instant>,
}

impl SequencesWriter {
    /// Begins, resumes or extends the file of `plan` (with plain starts) over the corpus that
    /// `meta` describes.
    pub fn begin(target: &OutputFile, meta: &SequencesMeta, plan: &Plan) -> Result<Begun> {
        let starts: Vec<u32> = plan.heads().map(|head| head[0]).collect();
        let wanted = Contents { meta, starts: &starts };
        let earlier = earlier_results(target, &wanted)?;
        if earlier.as_ref().is_some_and(|earlier| earlier.meta().length >= meta.length) {
            return Ok(Begun::Finished);
        }
        let mut writer = SequencesWriter::open(&target.path, meta)?;
        let resumed = if target.overwrite { None } else { writer.resume(&wanted)? };
        writer.rows = match resumed {
            Some(unfinished) => unfinished,
            None => writer.create(&starts)?,
        };
        let plan = match &earlier {
            Some(earlier) => extending(earlier, &writer.rows, meta.length)?,
            None => {
                let heads = writer.rows.iter().map(|&row| starts[row as usize]).collect();
                Plan::continuing(heads, 1, meta.length)
            }
        };
        Ok(Begun::Open(Box::new(writer), plan))
    }

    /// Opens the partial file, new or not, and locks it.
    fn open(path: &Path, meta: &SequencesMeta) -> Result<SequencesWriter> {
        let partial = partial_path(path);
        let file = partial::open(&partial)?;
        Ok(SequencesWriter {
            path: path.to_owned(),
            partial,
            file,
            meta: meta.clone(),
            tensors: SequencesTensors::new(meta, meta.header(None).len() as u64),
            rows: Vec::new(),
            synced: Mutex::new(Instant::now()),
        })
    }

    /// Which rows an earlier run has left to do; `None` where there was none.
    fn resume(&mut self, wanted: &Contents) -> Result<Option<Vec<u32>>> {
        let bytes = self.file.metadata().map_err(|error| self.error("read", 0, &error))?.len();
        if bytes == 0 {
            return Ok(None);
        }
        let map = map::map(&self.file, &self.partial)?;
        if map.iter().take(8).all(|&byte| byte == 0) {
            // Killed before the header was written.
            return Ok(None);
        }
        let SequencesHeader { meta, tensors, .. } = SequencesHeader::parse(&map)
            .map_err(|reason| known::refused(&self.partial, &map, "sequences", reason))?;
        let bytes = |range: &Range<u64>| &map[range.start as usize..range.end as usize];
        let found = Contents { meta: &meta, starts: bytemuck::cast_slice(bytes(&tensors.starts)) };
        found.require(wanted, &self.partial)?;
        require_same(&self.partial, "length", &meta.length, &wanted.meta.length)?;
        let checksums: &[u64] = bytemuck::cast_slice(bytes(&tensors.row_checksums));
        let rows = bytes(&tensors.sequences).chunks_exact(meta.row_bytes() as usize);
        let unfinished = (0..)
            .zip(rows.zip(checksums))
            .filter(|&(index, (row, &sum))| sum == 0 || sum != row_checksum(index, row))
            .map(|(index, _)| index)
            .collect();
        // The header is written again at the end, byte for byte.
        (self.meta, self.tensors) = (meta, tensors);
        Ok(Some(unfinished))
    }

    /// Gives the file its size, header and starts, and leaves nothing behind where that fails. All
    /// rows are to do.
    fn create(&self, starts: &[u32]) -> Result<Vec<u32>> {
        let create = || -> io::Result<()> {
            self.file.set_len(0)?;
            reserve(&self.file, self.tensors.file_bytes())?;
            write_at(&self.file, bytemuck::cast_slice(starts), self.tensors.starts.start)?;
            // The header last: a file that has one is whole.
            write_at(&self.file, &self.meta.header(None), 0)?;
            self.file.sync_all()?;
            sync_directory(&self.partial)
        };
        create().map_err(|error| {
            let _ = std::fs::remove_file(&self.partial);
            self.error("create", self.tensors.file_bytes(), &error)
        })?;
        Ok((0..self.meta.count).collect())
    }

    /// Brings the whole file to the disk and gives it its name.
    pub fn finish(self) -> Result<()> {
        let begin = self.tensors.row_checksums.start;
        // Row checksums and starts, one behind the other.
        let mut bytes = vec![0; (self.tensors.sequences.start - begin) as usize];
        let mut finish = || -> io::Result<()> {
            read_at(&self.file, &mut bytes, begin)?;
            let (checksums, starts) = bytes.split_at(self.meta.count as usize * 8);
            let checksum = total_checksum(checksums, starts);
            // Rows first, so that a header with a checksum means that they are there.
            self.file.sync_data()?;
            write_at(&self.file, &self.meta.header(Some(checksum)), 0)?;
            partial::finish(&self.file, &self.partial, &self.path)
        };
        finish().map_err(|error| self.error("finish", 0, &error))
    }

    /// How many sequences were finished before this run.
    pub fn already_finished(&self) -> u64 {
        u64::from(self.meta.count) - self.rows.len() as u64
    }

    fn row_begin(&self, row: u32) -> u64 {
        self.tensors.sequences.start + u64::from(row) * self.meta.row_bytes()
    }

    fn write_row(&self, row: u32, items: &[u32]) -> io::Result<()> {
        let bytes = to_bytes(items, self.meta.item_bytes());
        write_at(&self.file, &bytes, self.row_begin(row))?;
        let checksum = row_checksum(row, &bytes).to_le_bytes();
        write_at(&self.file, &checksum, self.tensors.row_checksums.start + u64::from(row) * 8)?;
        let Ok(mut synced) = self.synced.try_lock() else { return Ok(()) };
        if synced.elapsed() > SYNC_EVERY {
            self.file.sync_data()?;
            *synced = Instant::now();
        }
        Ok(())
    }

    fn read_row(&self, row: u32, items: &mut [u32]) -> io::Result<()> {
        let item_bytes = self.meta.item_bytes() as usize;
        let mut bytes = vec![0; items.len() * item_bytes];
        read_at(&self.file, &mut bytes, self.row_begin(row))?;
        let item =
            |bytes: &[u8]| bytes.iter().rev().fold(0, |item, &byte| item << 8 | u32::from(byte));
        let numbers = bytes.chunks_exact(item_bytes).map(item);
        items.iter_mut().zip(numbers).for_each(|(to, item)| *to = item);
        Ok(())
    }

    fn error(&self, action: &'static str, bytes: u64, error: &io::Error) -> Error {
        file_error(action, &self.partial, bytes, error)
    }
}

impl PutSequences for SequencesWriter {
    fn put(&self, index: usize, row: &[u32]) -> Result<()> {
        let bytes = self.meta.row_bytes();
        self.write_row(self.rows[index], row).map_err(|error| self.error("write", bytes, &error))
    }

    fn get(&self, index: usize, row: &mut [u32]) -> Result<()> {
        self.read_row(self.rows[index], row).map_err(|error| self.error("read", 0, &error))
    }
}

impl Drop for SequencesWriter {
    /// What is written stays for the next run.
    fn drop(&mut self) {
        let _ = self.file.sync_data();
    }
}

/// Which sequences a file holds, or is to hold.
struct Contents<'a> {
    meta: &'a SequencesMeta,
    starts: &'a [u32],
}

impl Contents<'_> {
    /// The error that names the first thing in which the file at `path`, which holds these, is of
    /// other results than wanted; lengths may differ.
    fn require(&self, wanted: &Contents, path: &Path) -> Result<()> {
        let (found, want) = (self.meta, wanted.meta);
        require_same(path, "number of items", &found.num_items, &want.num_items)?;
        require_same(path, "centring", &found.centered, &want.centered)?;
        require_same(path, "corpus fingerprint", &found.fingerprint, &want.fingerprint)?;
        require_same(path, "number of starts", &found.count, &want.count)?;
        let mut pairs = self.starts.iter().zip(wanted.starts);
        match pairs.position(|(found, wanted)| found != wanted) {
            Some(at) => {
                let text = |starts: &[u32]| format!("{} at {at}", starts[at]);
                require_same(path, "start", &text(self.starts), &text(wanted.starts))
            }
            None => Ok(()),
        }
    }
}

/// The finished results that are there already, of the wanted sequences but maybe shorter.
fn earlier_results(target: &OutputFile, wanted: &Contents) -> Result<Option<SequencesFile>> {
    if !target.may_hold_results() {
        return Ok(None);
    }
    let earlier = SequencesFile::open(&target.path)?;
    let found = Contents { meta: earlier.meta(), starts: earlier.starts() };
    found.require(wanted, &target.path)?;
    Ok(Some(earlier))
}

/// The plan that goes on behind `rows` of an earlier file.
fn extending(earlier: &SequencesFile, rows: &[u32], length: u32) -> Result<Plan> {
    let head = earlier.meta().length;
    let mut heads = crate::error::zeroed(rows.len() * head as usize, "the heads of the sequences")?;
    for (&row, to) in rows.iter().zip(heads.chunks_exact_mut(head as usize)) {
        earlier.row(row)?.iter().zip(to).for_each(|(item, to)| *to = item);
    }
    // A damaged item must not reach an engine.
    earlier.verify()?;
    Ok(Plan::continuing(heads, head, length))
}
