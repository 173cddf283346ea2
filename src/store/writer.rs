//! A file of sequences that grows.
//!
//! NAME.partial has its final size and shape from the beginning (so a full disk shows before the work). A finished sequence is
//! written to its place, then its checksum to `row_checksums`: that tensor is the journal. Once a second the file is brought to
//! the disk. At the end the header gets its checksum and the file is brought to the disk, renamed to NAME, and the
//! directory too. Whoever writes holds a lock on the partial file.
//!
//! Resuming believes the rows whose checksums fit. A file of shorter sequences is extended: its rows become heads of the
//! new ones, in a new partial file; the old file stays until the new one takes its place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::format::{self, Layout, Meta};
use super::partial::{self, partial_path};
use super::place::{read_at, reserve, sync_directory, write_at};
use super::reader::SequencesFile;
use super::{file_error, map};
use crate::engine::Rows;
use crate::error::{Error, Result};
use crate::plan::Plan;

/// How much a loss of power may cost.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub path: PathBuf,
    /// Replace whatever is there, instead of resuming, extending or refusing.
    pub overwrite: bool,
}

/// What a run has to do for a file.
#[derive(Debug)]
pub enum Begun {
    /// Nothing: the file holds all that is asked for.
    Finished,
    /// These sequences, in this order, into the writer.
    Open(Box<Writer>, Plan),
}

/// An open partial file.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    meta: Meta,
    layout: Layout,
    /// The row in the file of every sequence of the plan.
    rows: Vec<u32>,
    synced: Mutex<Instant>,
}

impl Writer {
    /// Begins, resumes or extends the file of `plan` (with plain starts) over the corpus that `meta` describes.
    pub fn begin(target: &Target, meta: &Meta, plan: &Plan) -> Result<Begun> {
        let starts: Vec<u32> = plan.heads().map(|head| head[0]).collect();
        let path = &target.path;
        let earlier = match path.try_exists() {
            Ok(false) => None,
            _ if target.overwrite => None,
            _ => Some(SequencesFile::open(path)?),
        };
        if let Some(earlier) = &earlier {
            compare(path, earlier.meta(), earlier.starts(), meta, &starts)?;
            if earlier.meta().length >= meta.length {
                return Ok(Begun::Finished);
            }
        }
        let partial = partial_path(path);
        let mut writer = Writer::open(path, &partial, meta)?;
        let known = if target.overwrite { None } else { writer.resume(&starts)? };
        let finished = match known {
            Some(finished) => finished,
            None => writer.create(&starts)?,
        };
        writer.rows = (0..meta.count).filter(|&row| !finished[row as usize]).collect();
        let plan = match &earlier {
            Some(earlier) => continuing(earlier, &writer.rows, meta.length)?,
            None => {
                let heads = writer.rows.iter().map(|&row| starts[row as usize]).collect();
                Plan::continuing(heads, 1, meta.length)
            }
        };
        Ok(Begun::Open(Box::new(writer), plan))
    }

    /// Opens the partial file, new or not, and locks it.
    fn open(path: &Path, partial: &Path, meta: &Meta) -> Result<Writer> {
        let file = partial::open(partial)?;
        let (_, layout) = format::header(meta, None);
        let (path, partial) = (path.to_owned(), partial.to_owned());
        let synced = Mutex::new(Instant::now());
        Ok(Writer { path, partial, file, meta: meta.clone(), layout, rows: Vec::new(), synced })
    }

    /// Which rows an earlier run has finished; `None` where there was none.
    fn resume(&mut self, starts: &[u32]) -> Result<Option<Vec<bool>>> {
        let bytes = self.file.metadata().map_err(|error| self.error("read", 0, &error))?.len();
        if bytes == 0 {
            return Ok(None);
        }
        let map = map::map(&self.file, &self.partial)?;
        if map.iter().take(8).all(|&byte| byte == 0) {
            // Killed before the header was written.
            return Ok(None);
        }
        let bad = |reason| {
            let path = self.partial.display().to_string();
            Error::BadFile { path, reason }
        };
        let (meta, layout, _) = format::parse(&map, bytes).map_err(bad)?;
        let tensor = |range: &std::ops::Range<u64>| &map[range.start as usize..range.end as usize];
        compare(
            &self.partial,
            &meta,
            bytemuck::cast_slice(tensor(&layout.starts)),
            &self.meta,
            starts,
        )?;
        if meta.length != self.meta.length {
            return Err(differs(&self.partial, "length", &meta.length, &self.meta.length));
        }
        let checksums: &[u64] = bytemuck::cast_slice(tensor(&layout.row_checksums));
        let row_bytes = (u64::from(meta.length) * u64::from(layout.item_bytes)) as usize;
        let rows = tensor(&layout.sequences).chunks_exact(row_bytes);
        let fits = |(index, (row, &checksum)): (u32, (&[u8], &u64))| {
            checksum != 0 && checksum == format::row_checksum(index, row)
        };
        let finished = (0..).zip(rows.zip(checksums)).map(fits).collect();
        // The header is written again at the end, byte for byte.
        (self.meta, self.layout) = (meta, layout);
        Ok(Some(finished))
    }

    /// Gives the file its size, header and starts. Leaves nothing behind where that fails.
    fn create(&self, starts: &[u32]) -> Result<Vec<bool>> {
        let create = || -> io::Result<()> {
            self.file.set_len(0)?;
            reserve(&self.file, self.layout.file_bytes())?;
            let starts: &[u8] = bytemuck::cast_slice(starts);
            write_at(&self.file, starts, self.layout.starts.start)?;
            // The header last: a file that has one is whole.
            write_at(&self.file, &format::header(&self.meta, None).0, 0)?;
            self.file.sync_all()?;
            sync_directory(&self.partial)
        };
        create().map_err(|error| {
            let _ = std::fs::remove_file(&self.partial);
            self.error("create", self.layout.file_bytes(), &error)
        })?;
        Ok(vec![false; self.meta.count as usize])
    }

    /// Brings the whole file to the disk and gives it its name.
    pub fn finish(self) -> Result<()> {
        let mut ends =
            vec![0; (self.layout.sequences.start - self.layout.row_checksums.start) as usize];
        let finish = |ends: &mut [u8]| -> io::Result<()> {
            read_at(&self.file, ends, self.layout.row_checksums.start)?;
            let (checksums, starts) = ends.split_at(self.meta.count as usize * 8);
            let checksum = format::total_checksum(checksums, starts);
            // Rows first, so that a header with a checksum means that they are there.
            self.file.sync_data()?;
            write_at(&self.file, &format::header(&self.meta, Some(checksum)).0, 0)?;
            partial::finish(&self.file, &self.partial, &self.path)
        };
        finish(&mut ends).map_err(|error| self.error("finish", 0, &error))
    }

    /// How many sequences were finished before this run.
    pub fn already_finished(&self) -> u64 {
        u64::from(self.meta.count) - self.rows.len() as u64
    }

    fn write_row(&self, row: u32, items: &[u32]) -> io::Result<()> {
        let bytes = match self.layout.item_bytes {
            2 => bytemuck::cast_slice(&items.iter().map(|&item| item as u16).collect::<Vec<_>>())
                .to_vec(),
            _ => bytemuck::cast_slice(items).to_vec(),
        };
        let place = self.layout.sequences.start + u64::from(row) * bytes.len() as u64;
        write_at(&self.file, &bytes, place)?;
        let checksum = format::row_checksum(row, &bytes).to_le_bytes();
        write_at(&self.file, &checksum, self.layout.row_checksums.start + u64::from(row) * 8)?;
        let Ok(mut synced) = self.synced.try_lock() else { return Ok(()) };
        if synced.elapsed() > SYNC_EVERY {
            self.file.sync_data()?;
            *synced = Instant::now();
        }
        Ok(())
    }

    fn read_row(&self, row: u32, items: &mut [u32]) -> io::Result<()> {
        let mut bytes = vec![0; items.len() * self.layout.item_bytes as usize];
        let place = self.layout.sequences.start + u64::from(row) * bytes.len() as u64;
        read_at(&self.file, &mut bytes, place)?;
        let item =
            |bytes: &[u8]| bytes.iter().rev().fold(0, |item, &byte| item << 8 | u32::from(byte));
        let numbers = bytes.chunks_exact(self.layout.item_bytes as usize).map(item);
        items.iter_mut().zip(numbers).for_each(|(to, item)| *to = item);
        Ok(())
    }

    fn error(&self, action: &'static str, bytes: u64, error: &io::Error) -> Error {
        file_error(action, &self.partial, bytes, error)
    }
}

impl Rows for Writer {
    fn put(&self, index: usize, row: &[u32]) -> Result<()> {
        let bytes = row.len() as u64 * u64::from(self.layout.item_bytes);
        self.write_row(self.rows[index], row).map_err(|error| self.error("write", bytes, &error))
    }

    fn get(&self, index: usize, row: &mut [u32]) -> Result<()> {
        self.read_row(self.rows[index], row).map_err(|error| self.error("read", 0, &error))
    }
}

impl Drop for Writer {
    /// What is written stays for the next run.
    fn drop(&mut self) {
        let _ = self.file.sync_data();
    }
}

/// The plan that goes on behind the rows of an earlier file.
fn continuing(earlier: &SequencesFile, rows: &[u32], length: u32) -> Result<Plan> {
    let head = earlier.meta().length;
    let mut heads = crate::error::zeroed(rows.len() * head as usize, "the heads of the sequences")?;
    for (&row, to) in rows.iter().zip(heads.chunks_exact_mut(head as usize)) {
        earlier.row(row)?.iter().zip(to).for_each(|(item, to)| *to = item);
    }
    // A damaged item must not reach an engine.
    earlier.verify()?;
    Ok(Plan::continuing(heads, head, length))
}

/// The error that names the first thing in which a file is of other results; lengths may differ.
fn compare(
    path: &Path,
    found: &Meta,
    found_starts: &[u32],
    wanted: &Meta,
    wanted_starts: &[u32],
) -> Result<()> {
    if found.num_items != wanted.num_items {
        return Err(differs(path, "number of items", &found.num_items, &wanted.num_items));
    }
    if found.centered != wanted.centered {
        return Err(differs(path, "centring", &found.centered, &wanted.centered));
    }
    if found.fingerprint != wanted.fingerprint {
        return Err(differs(path, "corpus fingerprint", &found.fingerprint, &wanted.fingerprint));
    }
    if found.count != wanted.count {
        return Err(differs(path, "number of starts", &found.count, &wanted.count));
    }
    let other = found_starts.iter().zip(wanted_starts).position(|(found, wanted)| found != wanted);
    match other {
        Some(at) => {
            let text = |starts: &[u32]| format!("{} at {at}", starts[at]);
            Err(differs(path, "start", &text(found_starts), &text(wanted_starts)))
        }
        None => Ok(()),
    }
}

pub(super) fn differs(
    path: &Path,
    what: &'static str,
    found: &impl ToString,
    wanted: &impl ToString,
) -> Error {
    let path = path.display().to_string();
    Error::FileMismatch { path, what, found: found.to_string(), wanted: wanted.to_string() }
}
