//! The bytes of a file of neighbours: three tensors.
//!
//! `row_checksums`, 64 bits a row; `similarities`, rows x k floats; `indices`, rows x k item
//! numbers of 16 bits if all fit, else 32.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::tensor::Dtype;

use crate::error::{Error, Result};
use crate::store::checksums::{self, Frame};
use crate::store::errors::Refusal;
use crate::store::items::{item_bytes, item_dtype};
use crate::store::tensors::{self, Header, Tensor};
use crate::units;

/// The format and its version.
pub(in crate::store) const FORMAT: &str = "vkd neighbors 2";

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

    /// Bytes of an item number: 2 or 4.
    pub(super) fn item_bytes(&self) -> u32 {
        item_bytes(self.num_items)
    }

    /// The header, of a file that is not finished.
    pub(super) fn frame(&self) -> Result<Frame> {
        let unfinished = checksums::unfinished();
        let texts = BTreeMap::from([
            ("format", FORMAT.into()),
            ("rule", RULE.into()),
            ("version", self.version.clone()),
            ("fingerprint", self.fingerprint.clone()),
            ("queries", self.queries.clone()),
            ("centered", self.centered.to_string()),
            ("items", self.num_items.to_string()),
            ("checksum", unfinished.clone()),
        ]);
        let header = tensors::header(&texts, &self.tensors());
        Frame::new(&header, &unfinished).map_err(|detail| Error::Internal { detail })
    }
}

/// Where the tensors lie in the file, in bytes.
#[derive(Debug, Clone)]
pub(super) struct NeighborsTensors {
    pub(super) row_checksums: Range<u64>,
    pub(super) similarities: Range<u64>,
    pub(super) indices: Range<u64>,
}

impl NeighborsTensors {
    /// Tensors that begin at byte `begin`, the end of the header.
    pub(super) fn new(meta: &NeighborsMeta, begin: u64) -> NeighborsTensors {
        let [row_checksums, similarities, indices] = tensors::ranges(&meta.tensors(), begin);
        NeighborsTensors { row_checksums, similarities, indices }
    }

    /// Bytes of the whole file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.indices.end
    }
}

/// The header of a file, read.
pub(super) struct NeighborsHeader {
    pub(super) meta: NeighborsMeta,
    pub(super) tensors: NeighborsTensors,
    /// Its bytes, and the checksum of the whole.
    pub(super) frame: Frame,
}

impl NeighborsHeader {
    /// Reads the header of a whole file, or says what is wrong with it.
    pub(super) fn parse(file: &[u8]) -> std::result::Result<NeighborsHeader, Refusal> {
        let header = Header::parse(file)?;
        header.expect(FORMAT)?;
        header.expect_text("rule", RULE)?;
        let [count, k] = header.shape("indices")?;
        let meta = NeighborsMeta {
            version: header.text("version").into(),
            fingerprint: header.text("fingerprint").into(),
            queries: header.text("queries").into(),
            centered: header.flag("centered")?,
            num_items: header.number("items")?,
            count,
            k,
        };
        if count == 0 || k == 0 || k > meta.num_items {
            let [count, k, items] = [count, k, meta.num_items].map(units::count);
            return Err(format!("it claims {count} x {k} neighbours of {items} items").into());
        }
        header.check(&meta.tensors(), file.len() as u64)?;
        let tensors = NeighborsTensors::new(&meta, header.data_begin);
        let frame = header.frame()?;
        Ok(NeighborsHeader { meta, tensors, frame })
    }
}
