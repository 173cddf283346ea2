//! A file of neighbours that is being written.
//!
//! It is NAME.partial, which gets its name when it is whole and on the disk; a run that was cut
//! short begins anew (a search takes seconds), so row checksums wait in memory until the end.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::format::{NeighborsMeta, NeighborsTensors};
use super::reader::NeighborsFile;
use crate::engine::neighbors::similarity;
use crate::engine::PutNeighbors;
use crate::error::Result;
use crate::memory::collected;
use crate::store::checksums::{row_checksum_of_parts, total_checksum};
use crate::store::errors::{file_error, require_same};
use crate::store::items::to_bytes;
use crate::store::output_file::OutputFile;
use crate::store::partial::{self, partial_path};
use crate::store::place::{reserve, write_at};
use crate::threads::lock;

/// A file of neighbours that is being written.
#[derive(Debug)]
pub struct NeighborsWriter {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    meta: NeighborsMeta,
    tensors: NeighborsTensors,
    row_checksums: Mutex<Vec<u64>>,
}

impl NeighborsWriter {
    /// Begins a file; `None` where it is there already, with as many neighbours or more.
    pub fn begin(target: &OutputFile, meta: &NeighborsMeta) -> Result<Option<NeighborsWriter>> {
        if target.may_hold_results() {
            let earlier = NeighborsFile::open(&target.path)?;
            require_same_rows(&target.path, earlier.meta(), meta)?;
            if earlier.meta().k >= meta.k {
                return Ok(None);
            }
        }
        NeighborsWriter::create(&target.path, meta).map(Some)
    }

    /// Gives the partial file its size and header, and leaves nothing behind where that fails.
    fn create(path: &Path, meta: &NeighborsMeta) -> Result<NeighborsWriter> {
        let partial = partial_path(path);
        let file = partial::open(&partial)?;
        let header = meta.header(None);
        let tensors = NeighborsTensors::new(meta, header.len() as u64);
        let create = || -> io::Result<()> {
            file.set_len(0)?;
            reserve(&file, tensors.file_bytes())?;
            write_at(&file, &header, 0)
        };
        create().map_err(|error| {
            let _ = std::fs::remove_file(&partial);
            file_error("create", &partial, tensors.file_bytes(), &error)
        })?;
        let row_checksums = Mutex::new(vec![0; meta.count as usize]);
        let (path, meta) = (path.to_owned(), meta.clone());
        Ok(NeighborsWriter { path, partial, file, meta, tensors, row_checksums })
    }

    /// Brings the whole file to the disk and gives it its name.
    pub fn finish(self) -> Result<()> {
        let row_checksums = lock(&self.row_checksums);
        let checksums: &[u8] = bytemuck::cast_slice(&row_checksums);
        let finish = || -> io::Result<()> {
            write_at(&self.file, checksums, self.tensors.row_checksums.start)?;
            write_at(&self.file, &self.meta.header(Some(total_checksum(checksums, &[]))), 0)?;
            partial::finish(&self.file, &self.partial, &self.path)
        };
        finish().map_err(|error| file_error("finish", &self.partial, 0, &error))
    }
}

impl PutNeighbors for NeighborsWriter {
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()> {
        let similarities = dots.iter().map(|&dot| similarity(dot));
        let similarities = collected(similarities, "the similarities of a row")?;
        let similarities: &[u8] = bytemuck::cast_slice(&similarities);
        let indices = &*to_bytes(indices, self.meta.item_bytes());
        let write = |tensor: &Range<u64>, bytes: &[u8]| {
            write_at(&self.file, bytes, tensor.start + u64::from(row) * bytes.len() as u64)
        };
        write(&self.tensors.similarities, similarities)
            .and_then(|()| write(&self.tensors.indices, indices))
            .map_err(|error| {
                let bytes = (similarities.len() + indices.len()) as u64;
                file_error("write", &self.partial, bytes, &error)
            })?;
        let checksum = row_checksum_of_parts(row, &[similarities, indices]);
        lock(&self.row_checksums)[row as usize] = checksum;
        Ok(())
    }
}

/// Refuses a file of other rows than those that are wanted; k may differ.
fn require_same_rows(path: &Path, found: &NeighborsMeta, wanted: &NeighborsMeta) -> Result<()> {
    require_same(path, "number of items", &found.num_items, &wanted.num_items)?;
    require_same(path, "number of rows", &found.count, &wanted.count)?;
    require_same(path, "centring", &found.centered, &wanted.centered)?;
    require_same(path, "corpus fingerprint", &found.fingerprint, &wanted.fingerprint)?;
    require_same(path, "queries fingerprint", &found.queries, &wanted.queries)
}
