//! Finished sequences, mapped.
//!
//! Opening checks header, sizes, the checksum over all row checksums, the ids, and a few rows; it
//! costs the same for any number of long rows. `verify` checks every row. A row is a slice of the
//! file's own memory: nothing is copied, and all readers of a file share one copy in the system's
//! cache.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::format::{SequencesHeader, SequencesMeta, SequencesTensors};
use crate::corpus::{Elements, Shape};
use crate::error::{Error, Result};
use crate::ids::IdSlice;
use crate::sequence::SequenceMut;
use crate::store::checksums::{checked_rows, row_checksum_of_parts};
use crate::store::errors::bad_file;
use crate::store::ids::{check_ids, FileIds};
use crate::store::items::{require_items, Repeats, Row};
use crate::store::origin::Origin;
use crate::store::{known, map};

/// A finished file of sequences. Any thread may read it.
#[derive(Debug)]
pub struct SequencesFile {
    path: PathBuf,
    meta: SequencesMeta,
    tensors: SequencesTensors,
    map: Mmap,
    found_ids: FileIds,
}

impl SequencesFile {
    /// Maps a finished file and checks it (see the head of this module).
    ///
    /// Nobody may cut the file short or write into it while it is open. Reading a part of a mapped
    /// file that is gone raises SIGBUS, which ends the process; bytes that change are read as they
    /// are then, and no check here sees it. vkd itself replaces files by renaming, which leaves the
    /// one that is open as it is; a program that has to replace one does the same.
    pub fn open(path: &Path) -> Result<SequencesFile> {
        SequencesFile::of(map::open(path)?, path)
    }

    /// The same for a file that is open already.
    pub(super) fn of_file(file: &File, path: &Path) -> Result<SequencesFile> {
        SequencesFile::of(map::open_file(file, path)?, path)
    }

    fn of(map: Mmap, path: &Path) -> Result<SequencesFile> {
        let SequencesHeader { meta, tensors, frame } = SequencesHeader::parse(&map)
            .map_err(|refusal| known::refused(path, &map, "sequences", refusal))?;
        let (path, found_ids) = (path.to_owned(), FileIds::default());
        let file = SequencesFile { path, meta, tensors, map, found_ids };
        let (outside, ids) = (&file.tensors.outside(), &file.tensors.ids.text);
        frame.check(&file.path, &[file.bytes(outside), file.bytes(ids)])?;
        check_ids(&file.path, file.ids())?;
        checked_rows(file.meta.count).try_for_each(|index| file.check_row(index))?;
        Ok(file)
    }

    /// What the file holds.
    pub fn meta(&self) -> &SequencesMeta {
        &self.meta
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of an item number: 2 or 4.
    pub fn item_bytes(&self) -> u32 {
        self.meta.item_bytes()
    }

    /// The start of every sequence.
    pub fn starts(&self) -> &[u32] {
        bytemuck::cast_slice(self.bytes(&self.tensors.starts))
    }

    /// What every sequence begins with, one head after the other: the starts, where a head is one.
    pub fn heads(&self) -> &[u32] {
        bytemuck::cast_slice(self.bytes(&self.tensors.given()))
    }

    /// The ids of the items; `None` where the file has none.
    pub fn ids(&self) -> Option<IdSlice<'_>> {
        self.tensors.ids.slice(&self.map)
    }

    /// The item that has an id; `None` where none has it, as in a file without ids. Of ids of which
    /// two are equal an error.
    pub fn find_id(&self, id: &str) -> Result<Option<u32>> {
        let find = |ids| self.found_ids.find(&self.path, ids, id);
        self.ids().map_or(Ok(None), find)
    }

    /// Refuses embeddings that are not those that the file was computed from, by their fingerprint,
    /// and `ids` that are not the file's, where both have some. No row is computed.
    pub fn check(&self, elements: Elements, shape: Shape, ids: Option<IdSlice>) -> Result<()> {
        let SequencesMeta { num_items, centered, fingerprint, .. } = &self.meta;
        let (num_items, centered, path) = (*num_items, *centered, &*self.path);
        let origin = Origin { path, num_items, centered, fingerprint, ids: self.ids() };
        origin.check(elements, shape, ids)
    }

    /// Sequence `index`.
    pub fn row(&self, index: u32) -> Result<Row<'_>> {
        self.require_index(index)?;
        Ok(Row::new(self.row_bytes(index), self.item_bytes()))
    }

    /// The values of sequence `index`, one for each place; `None` where the file has none.
    pub fn values(&self, index: u32) -> Result<Option<&[f32]>> {
        self.require_index(index)?;
        Ok(self.meta.values.then(|| bytemuck::cast_slice(self.value_bytes(index))))
    }

    fn require_index(&self, index: u32) -> Result<()> {
        if index < self.meta.count {
            return Ok(());
        }
        Err(Error::BadOption {
            option: "index",
            got: index.to_string(),
            allowed: format!("sequences are numbered from 0 to {}", self.meta.count - 1),
        })
    }

    /// Sequence `index`, checked as `verify` does but for items that come twice: it fits its
    /// checksum, begins with its head, holds items of the corpus only, and values that are finite.
    pub fn checked_row(&self, index: u32) -> Result<Row<'_>> {
        let row = self.row(index)?;
        self.check_row(index)?;
        require_items(&self.path, index, &row, self.meta.num_items)?;
        match self.values(index)?.unwrap_or_default().iter().find(|value| !value.is_finite()) {
            Some(value) => {
                Err(bad_file(&self.path, format!("row {index} has {value} among its values")))
            }
            None => Ok(row),
        }
    }

    /// The first sequence that begins with `start`.
    pub fn find(&self, start: u32) -> Option<u32> {
        self.starts().iter().position(|&one| one == start).map(|index| index as u32)
    }

    /// Checks every row: its checksum, that it begins with its head and holds items of the corpus,
    /// each once, and that its values are finite; and that no two ids are equal.
    pub fn verify(&self) -> Result<()> {
        self.ids().map_or(Ok(()), |ids| self.found_ids.table(&self.path, ids).map(|_| ()))?;
        let mut repeats = Repeats::new(self.meta.num_items, self.meta.length, self.map.len())?;
        for index in 0..self.meta.count {
            self.release_after(index);
            if let Some(item) = repeats.find(&self.checked_row(index)?) {
                let reason = format!("item {item} comes twice in row {index}");
                return Err(bad_file(&self.path, reason));
            }
        }
        Ok(())
    }

    /// Row `index`, with items of the corpus only, into `to`, which has as many, and its values
    /// where `to` has some.
    pub(super) fn copy_row(&self, index: u32, to: SequenceMut) -> Result<()> {
        let row = self.checked_row(index)?;
        to.items.iter_mut().zip(row.iter()).for_each(|(to, item)| *to = item);
        let values = self.values(index)?.unwrap_or_default();
        to.values.iter_mut().zip(values).for_each(|(to, value)| *to = *value);
        self.release_after(index);
        Ok(())
    }

    /// Gives back what was read of the map, each time some rows more were.
    pub(crate) fn release_after(&self, index: u32) {
        map::release_after(&self.map, index, self.meta.row_bytes() + self.meta.value_bytes());
    }

    /// Gives back all that was read of the map.
    pub(super) fn release(&self) {
        map::release(&self.map);
    }

    fn check_row(&self, index: u32) -> Result<()> {
        let checksums: &[u64] = bytemuck::cast_slice(self.bytes(&self.tensors.row_checksums));
        let parts = [self.row_bytes(index), self.value_bytes(index)];
        if checksums[index as usize] != row_checksum_of_parts(index, &parts) {
            return Err(bad_file(&self.path, format!("row {index} does not fit its checksum")));
        }
        let (row, place) = (self.row(index)?, index as usize);
        let head = &self.heads()[place * self.meta.head as usize..][..self.meta.head as usize];
        let begins = row.iter().zip(head).all(|(item, &given)| item == given);
        if !begins || row.get(0) != Some(self.starts()[place]) {
            return Err(bad_file(&self.path, format!("row {index} does not begin with its head")));
        }
        Ok(())
    }

    fn row_bytes(&self, index: u32) -> &[u8] {
        self.bytes(&self.tensors.row_items(&self.meta, index))
    }

    fn value_bytes(&self, index: u32) -> &[u8] {
        self.bytes(&self.tensors.row_values(&self.meta, index))
    }

    fn bytes(&self, range: &Range<u64>) -> &[u8] {
        // The places of the tensors were checked against the file's size.
        &self.map[range.start as usize..range.end as usize]
    }
}
