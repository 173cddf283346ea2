//! The bytes of a file of neighbours: three tensors.
//!
//! `row_checksums`, 64 bits a row; `similarities`, rows x k floats; `indices`, rows x k item
//! numbers of 16 bits if all fit, else 32.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::tensor::Dtype;

use crate::store::checksums;
use crate::store::items::{item_bytes, item_dtype};
use crate::store::tensors::{self, Header, Tensor};
use crate::units;

/// The format and its version.
pub(in crate::store) const FORMAT: &str = "vkd neighbors 1";

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

    /// The header's bytes, with its length before it. That of an unfinished file (`None`) is as
    /// long as that of the finished one.
    pub(super) fn header(&self, checksum: Option<u64>) -> Vec<u8> {
        let texts = BTreeMap::from([
            ("format", FORMAT.into()),
            ("rule", RULE.into()),
            ("version", self.version.clone()),
            ("fingerprint", self.fingerprint.clone()),
            ("queries", self.queries.clone()),
            ("centered", self.centered.to_string()),
            ("items", self.num_items.to_string()),
            ("checksum", checksums::to_text(checksum)),
        ]);
        tensors::header(&texts, &self.tensors())
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
    /// The checksum of the whole; `None`: the file is not finished.
    pub(super) checksum: Option<u64>,
}

impl NeighborsHeader {
    /// Reads the header of a whole file, or says what is wrong with it.
    pub(super) fn parse(file: &[u8]) -> Result<NeighborsHeader, String> {
        let header = Header::parse(file)?;
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
            let [count, k, items] = [count, k, meta.num_items].map(units::count);
            return Err(format!("it claims {count} x {k} neighbours of {items} items"));
        }
        header.check(&meta.tensors(), file.len() as u64)?;
        let tensors = NeighborsTensors::new(&meta, header.data_begin);
        let checksum = checksums::from_text(header.text("checksum"))?;
        Ok(NeighborsHeader { meta, tensors, checksum })
    }
}
