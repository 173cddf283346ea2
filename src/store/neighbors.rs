//! A file of neighbours: three tensors.
//!
//! `row_checksums`, 64 bits a row; `similarities`, rows x k floats; `indices`, rows x k item numbers of 16 bits if all fit,
//! else 32. Written as NAME.partial, which gets its name when it is whole and on the disk; a run that was cut short begins
//! anew (a search takes seconds). Reading is as for sequences: mapped, checked, without a copy.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use memmap2::Mmap;
use safetensors::tensor::Dtype;
use xxhash_rust::xxh3::Xxh3;

use super::format::{total_checksum, UNFINISHED};
use super::partial::{self, partial_path};
use super::place::{reserve, write_at};
use super::reader::{bad, checked_rows, Row};
use super::tensors::{self, item_dtype, Header, Tensor};
use super::writer::{differs, Target};
use super::{file_error, map};
use crate::engine::neighbors::similarity;
use crate::engine::NeighborRows;
use crate::error::{Error, Result};

/// The format and its version.
pub(super) const FORMAT: &str = "vkd neighbours 1";

/// What the neighbours obey, and the version of the integer arithmetic.
const RULE: &str = "greatest cosine similarity, integers 1";

/// What a file of neighbours holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeighborsMeta {
    /// The version of the library that wrote the file.
    pub version: String,
    /// Hash of the prepared items, 32 hex digits.
    pub fingerprint: String,
    /// Hash of the prepared queries; "" where these are the items.
    pub queries: String,
    /// Whether the mean was subtracted.
    pub centered: bool,
    /// Items of the corpus.
    pub num_items: u32,
    /// Rows: items, or queries.
    pub count: u32,
    /// Neighbours of each.
    pub k: u32,
}

impl NeighborsMeta {
    fn tensors(&self) -> [Tensor; 3] {
        let shape = [self.count, self.k];
        [
            Tensor::new("row_checksums", Dtype::U64, &[self.count]),
            Tensor::new("similarities", Dtype::F32, &shape),
            Tensor::new("indices", item_dtype(self.num_items), &shape),
        ]
    }

    fn item_bytes(&self) -> u32 {
        item_dtype(self.num_items).bitsize() as u32 / 8
    }

    fn header(&self, checksum: u64) -> Vec<u8> {
        let texts = BTreeMap::from([
            ("format", FORMAT.into()),
            ("rule", RULE.into()),
            ("version", self.version.clone()),
            ("fingerprint", self.fingerprint.clone()),
            ("queries", self.queries.clone()),
            ("centered", self.centered.to_string()),
            ("items", self.num_items.to_string()),
            ("checksum", format!("{checksum:016x}")),
        ]);
        tensors::header(&texts, &self.tensors())
    }

    /// The first thing in which another file is of other neighbours; k may differ.
    fn compare(&self, path: &Path, found: &NeighborsMeta) -> Result<()> {
        let pairs = [
            ("number of items", found.num_items.to_string(), self.num_items.to_string()),
            ("number of rows", found.count.to_string(), self.count.to_string()),
            ("centring", found.centered.to_string(), self.centered.to_string()),
            ("corpus fingerprint", found.fingerprint.clone(), self.fingerprint.clone()),
            ("queries fingerprint", found.queries.clone(), self.queries.clone()),
        ];
        match pairs.into_iter().find(|(_, found, wanted)| found != wanted) {
            Some((what, found, wanted)) => Err(differs(path, what, &found, &wanted)),
            None => Ok(()),
        }
    }
}

/// Where the tensors lie in the file, in bytes.
#[derive(Debug, Clone)]
struct Places {
    checksums: Range<u64>,
    similarities: Range<u64>,
    indices: Range<u64>,
}

impl Places {
    fn new(meta: &NeighborsMeta, data: u64) -> Places {
        let mut ranges = tensors::ranges(&meta.tensors(), data).into_iter();
        let mut next = || ranges.next().unwrap_or_default();
        Places { checksums: next(), similarities: next(), indices: next() }
    }
}

fn row_checksum(row: u32, similarities: &[u8], indices: &[u8]) -> u64 {
    let mut hash = Xxh3::with_seed(row.into());
    hash.update(similarities);
    hash.update(indices);
    hash.digest().max(1)
}

/// A file of neighbours that is being written.
#[derive(Debug)]
pub struct NeighborsWriter {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    meta: NeighborsMeta,
    places: Places,
    checksums: Mutex<Vec<u64>>,
}

impl NeighborsWriter {
    /// Begins a file; `None` where it is there already, with as many neighbours or more.
    pub fn begin(target: &Target, meta: &NeighborsMeta) -> Result<Option<NeighborsWriter>> {
        let path = &target.path;
        if !target.overwrite && !matches!(path.try_exists(), Ok(false)) {
            let earlier = NeighborsFile::open(path)?;
            meta.compare(path, earlier.meta())?;
            if earlier.meta().k >= meta.k {
                return Ok(None);
            }
        }
        let partial = partial_path(path);
        let file = partial::open(&partial)?;
        let header = meta.header(UNFINISHED);
        let places = Places::new(meta, header.len() as u64);
        let create = || -> io::Result<()> {
            file.set_len(0)?;
            reserve(&file, places.indices.end)?;
            write_at(&file, &header, 0)
        };
        create().map_err(|error| {
            let _ = std::fs::remove_file(&partial);
            file_error("create", &partial, places.indices.end, &error)
        })?;
        let checksums = Mutex::new(vec![0; meta.count as usize]);
        let (path, meta) = (path.clone(), meta.clone());
        Ok(Some(NeighborsWriter { path, partial, file, meta, places, checksums }))
    }

    /// Brings the whole file to the disk and gives it its name.
    pub fn finish(self) -> Result<()> {
        let checksums = self.checksums.into_inner().unwrap_or_else(PoisonError::into_inner);
        let checksums: &[u8] = bytemuck::cast_slice(&checksums);
        let finish = || -> io::Result<()> {
            write_at(&self.file, checksums, self.places.checksums.start)?;
            write_at(&self.file, &self.meta.header(total_checksum(checksums, &[])), 0)?;
            partial::finish(&self.file, &self.partial, &self.path)
        };
        finish().map_err(|error| file_error("finish", &self.partial, 0, &error))
    }
}

impl NeighborRows for NeighborsWriter {
    fn put(&self, row: u32, indices: &[u32], dots: &[i32]) -> Result<()> {
        let similarities: Vec<f32> = dots.iter().map(|&dot| similarity(dot)).collect();
        let similarities: &[u8] = bytemuck::cast_slice(&similarities);
        let small: Vec<u16>;
        let indices: &[u8] = match self.meta.item_bytes() {
            2 => {
                small = indices.iter().map(|&item| item as u16).collect();
                bytemuck::cast_slice(&small)
            }
            _ => bytemuck::cast_slice(indices),
        };
        let place =
            |range: &Range<u64>, bytes: &[u8]| range.start + u64::from(row) * bytes.len() as u64;
        let write = || -> io::Result<()> {
            write_at(&self.file, similarities, place(&self.places.similarities, similarities))?;
            write_at(&self.file, indices, place(&self.places.indices, indices))
        };
        let bytes = (similarities.len() + indices.len()) as u64;
        write().map_err(|error| file_error("write", &self.partial, bytes, &error))?;
        let mut checksums = self.checksums.lock().unwrap_or_else(PoisonError::into_inner);
        checksums[row as usize] = row_checksum(row, similarities, indices);
        Ok(())
    }
}

/// A finished file of neighbours. Any thread may read it.
#[derive(Debug)]
pub struct NeighborsFile {
    path: PathBuf,
    meta: NeighborsMeta,
    places: Places,
    map: Mmap,
}

impl NeighborsFile {
    /// Maps a finished file and checks its header, its size, its checksum and a few rows.
    pub fn open(path: &Path) -> Result<NeighborsFile> {
        let (map, file_bytes) = map::open(path)?;
        let (meta, places, checksum) =
            parse(&map, file_bytes).map_err(|reason| bad(path, reason))?;
        let file = NeighborsFile { path: path.to_owned(), meta, places, map };
        if checksum == UNFINISHED {
            return Err(bad(path, "it is not finished".into()));
        }
        if checksum != total_checksum(file.bytes(&file.places.checksums), &[]) {
            return Err(bad(path, "its row checksums do not fit its checksum".into()));
        }
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

    /// The neighbours of row `row`: items and similarities.
    pub fn row(&self, row: u32) -> Result<(Row<'_>, &[f32])> {
        if row >= self.meta.count {
            return Err(Error::BadOption {
                option: "index",
                got: row.to_string(),
                allowed: format!("there are {} rows, numbered from 0", self.meta.count),
            });
        }
        let (similarities, indices) = self.row_bytes(row);
        let items = match self.item_bytes() {
            2 => Row::U16(bytemuck::cast_slice(indices)),
            _ => Row::U32(bytemuck::cast_slice(indices)),
        };
        Ok((items, bytemuck::cast_slice(similarities)))
    }

    /// Checks every row: its checksum, and that it holds items of the corpus, nearest first.
    pub fn verify(&self) -> Result<()> {
        for row in 0..self.meta.count {
            self.check_row(row)?;
            let (items, similarities) = self.row(row)?;
            if items.iter().any(|item| item >= self.meta.num_items) {
                return Err(bad(&self.path, format!("row {row} holds no item of the corpus")));
            }
            if !similarities.windows(2).all(|pair| pair[0] >= pair[1]) {
                return Err(bad(&self.path, format!("row {row} is not in order")));
            }
        }
        Ok(())
    }

    fn check_row(&self, row: u32) -> Result<()> {
        let (similarities, indices) = self.row_bytes(row);
        let checksums: &[u64] = bytemuck::cast_slice(self.bytes(&self.places.checksums));
        if checksums[row as usize] != row_checksum(row, similarities, indices) {
            return Err(bad(&self.path, format!("row {row} does not fit its checksum")));
        }
        Ok(())
    }

    /// The bytes of a row's similarities and indices.
    fn row_bytes(&self, row: u32) -> (&[u8], &[u8]) {
        let k = u64::from(self.meta.k);
        let of = |range: &Range<u64>, bytes: u64| {
            let begin = range.start + u64::from(row) * bytes;
            self.bytes(&(begin..begin + bytes))
        };
        let item_bytes = u64::from(self.item_bytes());
        (of(&self.places.similarities, k * 4), of(&self.places.indices, k * item_bytes))
    }

    fn bytes(&self, range: &Range<u64>) -> &[u8] {
        // The places were checked against the file's size.
        &self.map[range.start as usize..range.end as usize]
    }
}

/// Reads the header of a whole file, or says what is wrong with it.
fn parse(
    bytes: &[u8],
    file_bytes: u64,
) -> std::result::Result<(NeighborsMeta, Places, u64), String> {
    let header = Header::parse(bytes)?;
    header.expect(FORMAT, RULE)?;
    let [count, k] = header.shape("indices")?;
    let meta = NeighborsMeta {
        version: header.text("version").into(),
        fingerprint: header.text("fingerprint").into(),
        queries: header.text("queries").into(),
        centered: header.text("centered") == "true",
        num_items: header.number("items")?,
        count,
        k,
    };
    if count == 0 || k == 0 || k > meta.num_items {
        return Err(format!("it has {count} rows of {k} of {} items", meta.num_items));
    }
    header.check(&meta.tensors(), file_bytes)?;
    let places = Places::new(&meta, header.data);
    Ok((meta, places, header.checksum()?))
}
