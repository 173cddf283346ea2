//! The bytes of a file of neighbours: three tensors, or five.
//!
//! `row_checksums`, 64 bits a row; where items have ids `id_ends` and `ids` (see `ids`), the latter
//! behind all others; `similarities`, rows x k floats; `indices`, rows x k item
//! numbers of 16 bits if all fit, else 32.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::tensor::Dtype;

use crate::error::{Error, Result};
use crate::store::checksums::{self, Frame};
use crate::store::errors::Refusal;
use crate::store::ids::{self, IdBytes, IdRanges};
use crate::store::items::{item_bytes, item_dtype};
use crate::store::tensors::{self, Header, Tensor};
use crate::units;

/// The format and its version.
pub(in crate::store) const FORMAT: &str = "vkd neighbors 2";

/// What the neighbours obey, and the version of the integer arithmetic.
const RULE: &str = "greatest cosine similarity, integers 1";

/// The names of the tensors.
const ROW_CHECKSUMS: &str = "row_checksums";
const SIMILARITIES: &str = "similarities";
const INDICES: &str = "indices";

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
    fn tensors(&self, ids: IdBytes) -> Vec<Tensor> {
        let shape = [self.count, self.k];
        let mut tensors = vec![Tensor::new(ROW_CHECKSUMS, Dtype::U64, &[self.count])];
        tensors.extend(ids::ends_tensor(self.num_items, ids));
        tensors.push(Tensor::new(SIMILARITIES, Dtype::F32, &shape));
        tensors.push(Tensor::new(INDICES, item_dtype(self.num_items), &shape));
        tensors.extend(ids::text_tensor(ids));
        tensors
    }

    /// Bytes of an item number: 2 or 4.
    pub(super) fn item_bytes(&self) -> u32 {
        item_bytes(self.num_items)
    }

    /// The header, of a file that is not finished.
    pub(super) fn frame(&self, ids: IdBytes) -> Result<Frame> {
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
        let header = tensors::header(&texts, &self.tensors(ids));
        Frame::new(&header, &unfinished).map_err(|detail| Error::Internal { detail })
    }
}

/// Where the tensors lie in the file, in bytes.
#[derive(Debug, Clone)]
pub(super) struct NeighborsTensors {
    pub(super) row_checksums: Range<u64>,
    pub(super) similarities: Range<u64>,
    pub(super) indices: Range<u64>,
    pub(super) ids: IdRanges,
}

impl NeighborsTensors {
    /// Tensors that begin at byte `begin`, the end of the header.
    pub(super) fn new(meta: &NeighborsMeta, ids: IdBytes, begin: u64) -> NeighborsTensors {
        let tensors = meta.tensors(ids);
        let range = |name| tensors::range_of(&tensors, begin, name);
        NeighborsTensors {
            row_checksums: range(ROW_CHECKSUMS),
            similarities: range(SIMILARITIES),
            indices: range(INDICES),
            ids: IdRanges::new(&tensors, begin),
        }
    }

    /// What is in no row, but for the text of the ids: row checksums and the ends of ids, one
    /// behind the other.
    pub(super) fn outside(&self) -> Range<u64> {
        self.row_checksums.start..self.similarities.start
    }

    /// Bytes of the whole file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.indices.end.max(self.ids.text.end)
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
        let [count, k] = header.shape(INDICES)?;
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
        let ids = ids::id_bytes_of(&header)?;
        header.check(&meta.tensors(ids), file.len() as u64)?;
        let tensors = NeighborsTensors::new(&meta, ids, header.data_begin);
        let frame = header.frame()?;
        Ok(NeighborsHeader { meta, tensors, frame })
    }
}
