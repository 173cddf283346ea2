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
use crate::ids::{IdSlice, Ids};
use crate::memory::{collected, zeroed, zeroed_of};
use crate::progress::Progress;
use crate::store::checksums::{row_checksum_of_parts, Frame};
use crate::store::errors::require_same;
use crate::store::family::Family;
use crate::store::ids::{id_bytes, require_same_ids};
use crate::store::items::to_bytes;
use crate::store::map;
use crate::store::output_file::{OutputFile, OutputPlace};
use crate::store::partial::PartialFile;
use crate::store::place::{read_at, reserve, write_at};
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
        let ids = target.ids.as_deref().map(Ids::as_slice);
        let wanted = Contents { meta, ids };
        let suffices = |earlier: &NeighborsFile| earlier.meta().k >= meta.k;
        if wanted.in_file(place.earlier()?, &target.path)?.is_some_and(|file| suffices(&file)) {
            return Ok(None);
        }
        let mut partial = place.hold()?;
        // Another run may have finished before this one held the place.
        let earlier = wanted.in_file(partial.earlier()?, &target.path)?;
        if earlier.as_ref().is_some_and(suffices) {
            return Ok(None);
        }
        // Where this run has no ids, those that are there stay.
        let ids = ids.or(earlier.as_ref().and_then(NeighborsFile::ids));
        let frame = meta.frame(id_bytes(ids))?;
        if !target.overwrite {
            wanted.require_same_partial(&partial, &frame)?;
        }
        let tensors = NeighborsTensors::new(meta, id_bytes(ids), frame.unfinished().len() as u64);
        let row_checksums = zeroed(meta.count as usize, "the checksums of the rows")?;
        partial.create(tensors.file_bytes(), |file| {
            // The header first: a file without one is none of vkd's.
            write_at(file, frame.unfinished(), 0)?;
            reserve(file, tensors.file_bytes())?;
            tensors.ids.write(file, ids)
        })?;
        partial.remove_unless_published();
        let (meta, row_checksums) = (meta.clone(), Mutex::new(row_checksums));
        Ok(Some(NeighborsWriter { partial, frame, meta, tensors, row_checksums }))
    }

    /// Brings the whole file to the disk and gives it its name.
    pub fn finish(self) -> Result<()> {
        let row_checksums = lock(&self.row_checksums);
        let parts = [self.tensors.outside(), self.tensors.ids.text.clone()];
        let room = |part: &Range<u64>| zeroed_of(part.end - part.start, "the checksums and ids");
        let (mut outside, mut ids): (Vec<u8>, Vec<u8>) = (room(&parts[0])?, room(&parts[1])?);
        self.partial.with("finish", 0, |file| {
            let checksums = bytemuck::cast_slice(&row_checksums);
            write_at(file, checksums, self.tensors.row_checksums.start)?;
            read_at(file, &mut outside, parts[0].start)?;
            read_at(file, &mut ids, parts[1].start)?;
            write_at(file, &self.frame.finished(&[&outside, &ids]), 0)
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

/// Which neighbours a file holds, or is to hold.
struct Contents<'a> {
    meta: &'a NeighborsMeta,
    ids: Option<IdSlice<'a>>,
}

impl Contents<'_> {
    /// These neighbours, maybe fewer or more of each, in the finished `file` at `path`, if there is
    /// one; refused where it is of other rows.
    fn in_file(&self, file: Option<File>, path: &Path) -> Result<Option<NeighborsFile>> {
        let Some(file) = file else { return Ok(None) };
        let file = NeighborsFile::of_file(&file, path)?;
        Contents { meta: file.meta(), ids: file.ids() }.require(self, path)?;
        Ok(Some(file))
    }

    /// Refuses a partial file that another run than this one left, of whatever results.
    fn require_same_partial(&self, partial: &PartialFile, frame: &Frame) -> Result<()> {
        let path = partial.partial_path();
        if partial.with("read", 0, |file| Ok(file.metadata()?.len()))? == 0 {
            return Ok(());
        }
        let map = partial.with("map", 0, |file| Ok(map::map(file, path)))??;
        if map.starts_with(frame.unfinished()) {
            return Ok(());
        }
        let NeighborsHeader { meta, tensors, .. } =
            NeighborsHeader::parse(&map).map_err(|refusal| refusal.at(path))?;
        Contents { meta: &meta, ids: tensors.ids.slice(&map) }.require(self, path)?;
        require_same(path, "k", &meta.k, &self.meta.k)
    }

    /// The error that names the first thing in which the file at `path`, which holds these, is of
    /// other rows than those that are wanted; k may differ.
    fn require(&self, wanted: &Contents, path: &Path) -> Result<()> {
        let (found, want) = (self.meta, wanted.meta);
        require_same(path, "number of items", &found.num_items, &want.num_items)?;
        require_same(path, "number of rows", &found.count, &want.count)?;
        require_same(path, "centring", &found.centered, &want.centered)?;
        // Before the fingerprint: it tells more.
        require_same_ids(path, self.ids, wanted.ids)?;
        require_same(path, "corpus fingerprint", &found.fingerprint, &want.fingerprint)?;
        require_same(path, "queries fingerprint", &found.queries, &want.queries)
    }
}
