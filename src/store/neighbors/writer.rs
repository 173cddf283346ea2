//! A file of neighbours that is being written.
//!
//! It is NAME.partial, which gets its name when it is whole and on the disk. A run that was cut
//! short begins anew (a search takes seconds), so row checksums wait in memory until the end, and a
//! run that fails leaves nothing behind.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;

use super::format::{NeighborsHeader, NeighborsMeta, NeighborsTensors};
use super::reader::NeighborsFile;
use crate::engine::neighbors::similarity;
use crate::engine::PutNeighbors;
use crate::error::Result;
use crate::memory::{collected, zeroed};
use crate::progress::Progress;
use crate::store::checksums::{row_checksum_of_parts, Frame};
use crate::store::errors::require_same;
use crate::store::family::Family;
use crate::store::items::to_bytes;
use crate::store::map;
use crate::store::output_file::{OutputFile, OutputPlace};
use crate::store::partial::PartialFile;
use crate::store::place::{reserve, write_at};
use crate::threads::lock;

/// A file of neighbours that is being written.
#[derive(Debug)]
pub struct NeighborsWriter {
    partial: PartialFile,
    frame: Frame,
    meta: NeighborsMeta,
    tensors: NeighborsTensors,
    row_checksums: Mutex<Vec<u64>>,
}

impl NeighborsWriter {
    /// Begins a file; `None` where it is there already, with as many neighbours or more.
    pub fn begin(target: &OutputFile, meta: &NeighborsMeta) -> Result<Option<NeighborsWriter>> {
        let place = OutputPlace::new(target, Family::Results, &Progress::default())?;
        NeighborsWriter::begin_at(place, meta)
    }

    /// The same at a place that was looked at before.
    pub(crate) fn begin_at(
        place: OutputPlace,
        meta: &NeighborsMeta,
    ) -> Result<Option<NeighborsWriter>> {
        let target = place.target().clone();
        if holds_all(place.earlier()?, &target.path, meta)? {
            return Ok(None);
        }
        let mut partial = place.hold()?;
        // Another run may have finished before this one held the place.
        if holds_all(partial.earlier()?, &target.path, meta)? {
            return Ok(None);
        }
        let frame = meta.frame()?;
        if !target.overwrite {
            require_same_partial(&partial, meta, &frame)?;
        }
        let tensors = NeighborsTensors::new(meta, frame.unfinished().len() as u64);
        let row_checksums = zeroed(meta.count as usize, "the checksums of the rows")?;
        partial.create(tensors.file_bytes(), |file| {
            // The header first: a file without one is none of vkd's.
            write_at(file, frame.unfinished(), 0)?;
            reserve(file, tensors.file_bytes())
        })?;
        partial.remove_unless_published();
        let (meta, row_checksums) = (meta.clone(), Mutex::new(row_checksums));
        Ok(Some(NeighborsWriter { partial, frame, meta, tensors, row_checksums }))
    }

    /// Brings the whole file to the disk and gives it its name.
    pub fn finish(self) -> Result<()> {
        let row_checksums = lock(&self.row_checksums);
        let checksums: &[u8] = bytemuck::cast_slice(&row_checksums);
        self.partial.with("finish", 0, |file| {
            write_at(file, checksums, self.tensors.row_checksums.start)?;
            write_at(file, &self.frame.finished(checksums, &[]), 0)
        })?;
        self.partial.publish()
    }
}

impl PutNeighbors for NeighborsWriter {
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()> {
        let similarities = dots.iter().map(|&dot| similarity(dot));
        let similarities = collected(similarities, "the similarities of a row")?;
        let similarities: &[u8] = bytemuck::cast_slice(&similarities);
        let indices = &*to_bytes(indices, self.meta.item_bytes());
        let bytes = (similarities.len() + indices.len()) as u64;
        self.partial.with("write", bytes, |file| {
            let write = |tensor: &Range<u64>, bytes: &[u8]| {
                write_at(file, bytes, tensor.start + u64::from(row) * bytes.len() as u64)
            };
            write(&self.tensors.similarities, similarities)?;
            write(&self.tensors.indices, indices)
        })?;
        let checksum = row_checksum_of_parts(row, &[similarities, indices]);
        lock(&self.row_checksums)[row as usize] = checksum;
        Ok(())
    }
}

/// Whether the finished `file` at `path` is there and holds all that is wanted; refused where it is
/// of other rows.
fn holds_all(file: Option<File>, path: &Path, wanted: &NeighborsMeta) -> Result<bool> {
    let Some(file) = file else { return Ok(false) };
    let earlier = NeighborsFile::of_file(&file, path)?;
    require_same_rows(path, earlier.meta(), wanted)?;
    Ok(earlier.meta().k >= wanted.k)
}

/// Refuses a partial file that another run than this one left, of whatever results.
fn require_same_partial(
    partial: &PartialFile,
    wanted: &NeighborsMeta,
    frame: &Frame,
) -> Result<()> {
    let path = partial.partial_path();
    if partial.with("read", 0, |file| Ok(file.metadata()?.len()))? == 0 {
        return Ok(());
    }
    let map = partial.with("map", 0, |file| Ok(map::map(file, path)))??;
    if map.starts_with(frame.unfinished()) {
        return Ok(());
    }
    let found = NeighborsHeader::parse(&map).map_err(|refusal| refusal.at(path))?.meta;
    require_same_rows(path, &found, wanted)?;
    require_same(path, "k", &found.k, &wanted.k)
}

/// Refuses a file of other rows than those that are wanted; k may differ.
fn require_same_rows(path: &Path, found: &NeighborsMeta, wanted: &NeighborsMeta) -> Result<()> {
    require_same(path, "number of items", &found.num_items, &wanted.num_items)?;
    require_same(path, "number of rows", &found.count, &wanted.count)?;
    require_same(path, "centring", &found.centered, &wanted.centered)?;
    require_same(path, "corpus fingerprint", &found.fingerprint, &wanted.fingerprint)?;
    require_same(path, "queries fingerprint", &found.queries, &wanted.queries)
}
