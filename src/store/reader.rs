//! Finished results, mapped.
//!
//! Opening checks header, sizes, the checksum over all row checksums, and a few rows; it costs the same for any
//! file. `verify` checks every row. A row is a slice of the file's own memory: nothing is copied, and all readers of
//! a file share one copy in the system's cache.

use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::format::{self, Layout, Meta};
use super::map;
use crate::error::{Error, Result};

/// Rows that are checked when a file is opened.
const CHECKED_ROWS: u32 = 16;

/// A finished file of sequences. Any thread may read it.
#[derive(Debug)]
pub struct SequencesFile {
    path: PathBuf,
    meta: Meta,
    layout: Layout,
    map: Mmap,
}

/// A sequence in the file's own type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a> {
    /// Of a corpus of up to 65,536 items.
    U16(&'a [u16]),
    /// Of a larger one.
    U32(&'a [u32]),
}

impl Row<'_> {
    /// The item at `place`.
    pub fn get(&self, place: usize) -> Option<u32> {
        match self {
            Row::U16(items) => items.get(place).map(|&item| item.into()),
            Row::U32(items) => items.get(place).copied(),
        }
    }

    /// All items in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (small, large): (&[u16], &[u32]) = match self {
            Row::U16(items) => (items, &[]),
            Row::U32(items) => (&[], items),
        };
        small.iter().map(|&item| item.into()).chain(large.iter().copied())
    }
}

impl SequencesFile {
    /// Maps a finished file and checks it (see the head of this module).
    pub fn open(path: &Path) -> Result<SequencesFile> {
        let (map, file_bytes) = map::open(path)?;
        let (meta, layout, checksum) =
            format::parse(&map, file_bytes).map_err(|reason| bad(path, reason))?;
        let file = SequencesFile { path: path.to_owned(), meta, layout, map };
        let Some(checksum) = checksum else {
            return Err(bad(path, "it is not finished".into()));
        };
        let (checksums, starts) = (&file.layout.row_checksums, &file.layout.starts);
        if checksum != format::total_checksum(file.bytes(checksums), file.bytes(starts)) {
            return Err(bad(path, "its row checksums do not fit its checksum".into()));
        }
        checked_rows(file.meta.count).try_for_each(|index| file.check_row(index))?;
        Ok(file)
    }

    /// What the file holds.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of an item number: 2 or 4.
    pub fn item_bytes(&self) -> u32 {
        self.layout.item_bytes
    }

    /// The start of every sequence.
    pub fn starts(&self) -> &[u32] {
        bytemuck::cast_slice(self.bytes(&self.layout.starts))
    }

    /// Sequence `index`.
    pub fn row(&self, index: u32) -> Result<Row<'_>> {
        if index >= self.meta.count {
            return Err(Error::BadOption {
                option: "index",
                got: index.to_string(),
                allowed: format!("there are {} sequences, numbered from 0", self.meta.count),
            });
        }
        let bytes = self.row_bytes(index);
        Ok(match self.layout.item_bytes {
            2 => Row::U16(bytemuck::cast_slice(bytes)),
            _ => Row::U32(bytemuck::cast_slice(bytes)),
        })
    }

    /// The first sequence that begins with `start`.
    pub fn find(&self, start: u32) -> Option<u32> {
        self.starts().iter().position(|&one| one == start).map(|index| index as u32)
    }

    /// Checks every row: its checksum, and that it begins with its start and holds items of the corpus, each once.
    pub fn verify(&self) -> Result<()> {
        let mut seen = vec![u32::MAX; self.meta.num_items as usize];
        for index in 0..self.meta.count {
            self.check_row(index)?;
            let row = self.row(index)?;
            for (place, item) in row.iter().enumerate() {
                match seen.get_mut(item as usize) {
                    Some(last) if *last != index => *last = index,
                    _ => {
                        let wrong = "is no item of the corpus, or comes twice";
                        let reason = format!("item {item} at place {place} of row {index} {wrong}");
                        return Err(bad(&self.path, reason));
                    }
                }
            }
        }
        Ok(())
    }

    fn check_row(&self, index: u32) -> Result<()> {
        let bytes = self.row_bytes(index);
        let checksums = self.bytes(&self.layout.row_checksums);
        let checksum: &[u64] = bytemuck::cast_slice(checksums);
        if checksum[index as usize] != format::row_checksum(index, bytes) {
            return Err(bad(&self.path, format!("row {index} does not fit its checksum")));
        }
        if self.row(index)?.get(0) != Some(self.starts()[index as usize]) {
            return Err(bad(&self.path, format!("row {index} does not begin with its start")));
        }
        Ok(())
    }

    fn row_bytes(&self, index: u32) -> &[u8] {
        let bytes = u64::from(self.meta.length) * u64::from(self.layout.item_bytes);
        let begin = self.layout.sequences.start + u64::from(index) * bytes;
        self.bytes(&(begin..begin + bytes))
    }

    fn bytes(&self, range: &std::ops::Range<u64>) -> &[u8] {
        // The layout was checked against the file's size.
        &self.map[range.start as usize..range.end as usize]
    }
}

/// The rows that are checked when a file of `count` rows is opened: some, spread over it, and the last.
pub(super) fn checked_rows(count: u32) -> impl Iterator<Item = u32> {
    let step = count.div_ceil(CHECKED_ROWS).max(1) as usize;
    (0..count).step_by(step).chain([count - 1])
}

pub(super) fn bad(path: &Path, reason: String) -> Error {
    Error::BadFile { path: path.display().to_string(), reason }
}
