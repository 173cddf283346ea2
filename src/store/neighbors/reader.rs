//! Finished neighbours, mapped: as for sequences, checked at opening and read without a copy.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::format::{NeighborsHeader, NeighborsMeta, NeighborsTensors};
use crate::corpus::{Elements, Shape};
use crate::error::{Error, Result};
use crate::ids::IdSlice;
use crate::store::checksums::{checked_rows, row_checksum_of_parts};
use crate::store::errors::bad_file;
use crate::store::ids::{check_ids, FileIds};
use crate::store::items::{require_items, Row};
use crate::store::origin::Origin;
use crate::store::{known, map};

/// A finished file of neighbours. Any thread may read it.
#[derive(Debug)]
pub struct NeighborsFile {
    path: PathBuf,
    meta: NeighborsMeta,
    tensors: NeighborsTensors,
    map: Mmap,
    found_ids: FileIds,
}

/// The neighbours of an item or a query, nearest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeighborsRow<'a> {
    /// Their numbers.
    pub items: Row<'a>,
    /// Their cosine similarities.
    pub similarities: &'a [f32],
}

/// A row as it lies in the file.
struct RowBytes<'a> {
    similarities: &'a [u8],
    indices: &'a [u8],
}

impl NeighborsFile {
    /// Maps a finished file and checks its header, its size, its checksum, its ids and a few rows.
    ///
    /// Nobody may cut the file short or write into it while it is open. Reading a part of a mapped
    /// file that is gone raises SIGBUS, which ends the process; bytes that change are read as they
    /// are then, and no check here sees it. vkd itself replaces files by renaming, which leaves the
    /// one that is open as it is; a program that has to replace one does the same.
    pub fn open(path: &Path) -> Result<NeighborsFile> {
        NeighborsFile::of(map::open(path)?, path)
    }

    /// The same for a file that is open already.
    pub(super) fn of_file(file: &File, path: &Path) -> Result<NeighborsFile> {
        NeighborsFile::of(map::open_file(file, path)?, path)
    }

    fn of(map: Mmap, path: &Path) -> Result<NeighborsFile> {
        let NeighborsHeader { meta, tensors, frame } = NeighborsHeader::parse(&map)
            .map_err(|refusal| known::refused(path, &map, "neighbours", refusal))?;
        let (path, found_ids) = (path.to_owned(), FileIds::default());
        let file = NeighborsFile { path, meta, tensors, map, found_ids };
        let (outside, ids) = (&file.tensors.outside(), &file.tensors.ids.text);
        frame.check(&file.path, &[file.bytes(outside), file.bytes(ids)])?;
        check_ids(&file.path, file.ids())?;
        checked_rows(file.meta.count).try_for_each(|row| file.check_row(row))?;
        Ok(file)
    }

    /// What the file holds.
    pub fn meta(&self) -> &NeighborsMeta {
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

    /// Refuses embeddings that are not the items that the file was computed from, by their
    /// fingerprint, and `ids` that are not the file's, where both have some. Nothing is computed,
    /// and queries are not looked at.
    pub fn check(&self, elements: Elements, shape: Shape, ids: Option<IdSlice>) -> Result<()> {
        let NeighborsMeta { num_items, centered, fingerprint, .. } = &self.meta;
        let (num_items, centered, path) = (*num_items, *centered, &*self.path);
        let origin = Origin { path, num_items, centered, fingerprint, ids: self.ids() };
        origin.check(elements, shape, ids)
    }

    /// The neighbours of row `row`.
    pub fn row(&self, row: u32) -> Result<NeighborsRow<'_>> {
        if row >= self.meta.count {
            return Err(Error::BadOption {
                option: "index",
                got: row.to_string(),
                allowed: format!("rows are numbered from 0 to {}", self.meta.count - 1),
            });
        }
        let RowBytes { similarities, indices } = self.row_bytes(row);
        let items = Row::new(indices, self.item_bytes());
        Ok(NeighborsRow { items, similarities: bytemuck::cast_slice(similarities) })
    }

    /// Row `row`, checked as `verify` does but for the order: it fits its checksum, and holds items
    /// of the corpus only.
    pub fn checked_row(&self, row: u32) -> Result<NeighborsRow<'_>> {
        let found = self.row(row)?;
        self.check_row(row)?;
        require_items(&self.path, row, &found.items, self.meta.num_items)?;
        Ok(found)
    }

    /// Checks every row: its checksum, and that it holds items of the corpus, nearest first; and
    /// that no two ids are equal.
    pub fn verify(&self) -> Result<()> {
        self.ids().map_or(Ok(()), |ids| self.found_ids.table(&self.path, ids).map(|_| ()))?;
        for row in 0..self.meta.count {
            let NeighborsRow { similarities, .. } = self.checked_row(row)?;
            if !similarities.windows(2).all(|pair| pair[0] >= pair[1]) {
                return Err(bad_file(&self.path, format!("row {row} is not in order")));
            }
        }
        Ok(())
    }

    /// Gives back what was read of the map, each time some rows more were.
    pub(crate) fn release_after(&self, row: u32) {
        let entry_bytes = 4 + u64::from(self.item_bytes());
        map::release_after(&self.map, row, u64::from(self.meta.k) * entry_bytes);
    }

    fn check_row(&self, row: u32) -> Result<()> {
        let RowBytes { similarities, indices } = self.row_bytes(row);
        let checksums: &[u64] = bytemuck::cast_slice(self.bytes(&self.tensors.row_checksums));
        if checksums[row as usize] != row_checksum_of_parts(row, &[similarities, indices]) {
            return Err(bad_file(&self.path, format!("row {row} does not fit its checksum")));
        }
        Ok(())
    }

    fn row_bytes(&self, row: u32) -> RowBytes<'_> {
        let of = |tensor: &Range<u64>, value_bytes: u32| {
            let bytes = u64::from(self.meta.k) * u64::from(value_bytes);
            let begin = tensor.start + u64::from(row) * bytes;
            self.bytes(&(begin..begin + bytes))
        };
        RowBytes {
            similarities: of(&self.tensors.similarities, 4),
            indices: of(&self.tensors.indices, self.item_bytes()),
        }
    }

    fn bytes(&self, range: &Range<u64>) -> &[u8] {
        // The places of the tensors were checked against the file's size.
        &self.map[range.start as usize..range.end as usize]
    }
}
