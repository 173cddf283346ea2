//! The bytes of a file of sequences: three tensors.
//!
//! `row_checksums`, 64 bits a sequence; `starts`, 32 bits a sequence; `sequences`, count x length item numbers of 16 bits if
//! all fit, else 32. What the sequences are of stands in the header's metadata. The bytes depend on the results alone, not on
//! when or in how many runs they were computed.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::tensor::Dtype;
use xxhash_rust::xxh3::{xxh3_64_with_seed, Xxh3};

use super::tensors::{self, item_dtype, Header, Tensor};
use crate::corpus::Corpus;

/// The format and its version.
pub(super) const FORMAT: &str = "vkd sequences 1";

/// What the sequences obey: the greedy rule, and the version of the integer arithmetic.
const RULE: &str = "farthest from the centroid, integers 1";

/// The checksum of a file that is not finished.
pub(super) const UNFINISHED: u64 = 0;

/// What a results file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The version of the library that began the file.
    pub version: String,
    /// Hash of the prepared integers, 32 hex digits.
    pub fingerprint: String,
    /// Whether the mean was subtracted.
    pub centered: bool,
    /// Items of the corpus.
    pub num_items: u32,
    /// Sequences.
    pub count: u32,
    /// Items of a sequence.
    pub length: u32,
}

/// Hash of a prepared corpus: its shape, rows and weights.
pub fn fingerprint(corpus: &Corpus) -> String {
    let mut hash = Xxh3::new();
    hash.update(&corpus.num_items().to_le_bytes());
    hash.update(&corpus.dim().to_le_bytes());
    for item in 0..corpus.num_items() {
        hash.update(bytemuck::cast_slice(corpus.row(item)));
    }
    hash.update(bytemuck::cast_slice(corpus.weights()));
    format!("{:032x}", hash.digest128())
}

/// The checksum of row `index`; never 0, which stands for a row that is not there.
pub(super) fn row_checksum(index: u32, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, index.into()).max(1)
}

/// The checksum of all row checksums and the starts, never `UNFINISHED`.
pub(super) fn total_checksum(row_checksums: &[u8], starts: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(row_checksums);
    hash.update(starts);
    hash.digest().max(1)
}

/// Where the tensors lie in the file, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) row_checksums: Range<u64>,
    pub(super) starts: Range<u64>,
    pub(super) sequences: Range<u64>,
    /// Bytes of an item number: 2 or 4.
    pub(super) item_bytes: u32,
}

impl Layout {
    /// Tensors behind `data`, the end of the header.
    fn new(meta: &Meta, data: u64) -> Layout {
        let mut ranges = tensors::ranges(&tensors_of(meta), data).into_iter();
        let mut next = || ranges.next().unwrap_or_default();
        Layout {
            row_checksums: next(),
            starts: next(),
            sequences: next(),
            item_bytes: item_dtype(meta.num_items).bitsize() as u32 / 8,
        }
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.sequences.end
    }
}

fn tensors_of(meta: &Meta) -> [Tensor; 3] {
    [
        Tensor::new("row_checksums", Dtype::U64, &[meta.count]),
        Tensor::new("starts", Dtype::U32, &[meta.count]),
        Tensor::new("sequences", item_dtype(meta.num_items), &[meta.count, meta.length]),
    ]
}

/// The header's bytes, with its length before it, and where the tensors follow. The header of an unfinished file (`None`)
/// is as long as that of the finished one.
pub(super) fn header(meta: &Meta, checksum: Option<u64>) -> (Vec<u8>, Layout) {
    let texts = BTreeMap::from([
        ("format", FORMAT.into()),
        ("rule", RULE.into()),
        ("version", meta.version.clone()),
        ("fingerprint", meta.fingerprint.clone()),
        ("centered", meta.centered.to_string()),
        ("items", meta.num_items.to_string()),
        ("checksum", format!("{:016x}", checksum.unwrap_or(UNFINISHED))),
    ]);
    let bytes = tensors::header(&texts, &tensors_of(meta));
    let layout = Layout::new(meta, bytes.len() as u64);
    (bytes, layout)
}

/// Reads the header of a whole file of `file_bytes` bytes from its first bytes (all of it, or at least the header). Returns
/// what it holds, where, and its checksum (`None`: not finished), or what is wrong with it.
pub(super) fn parse(bytes: &[u8], file_bytes: u64) -> Result<(Meta, Layout, Option<u64>), String> {
    let header = Header::parse(bytes)?;
    header.expect(FORMAT, RULE)?;
    let checksum = header.checksum()?;
    let num_items = header.number("items")?;
    let [count, length] = header.shape("sequences")?;
    let meta = Meta {
        version: header.text("version").into(),
        fingerprint: header.text("fingerprint").into(),
        centered: header.text("centered") == "true",
        num_items,
        count,
        length,
    };
    if meta.count == 0 || meta.length == 0 || meta.length > num_items {
        return Err(format!("it has {count} sequences of {length} of {num_items} items"));
    }
    header.check(&tensors_of(&meta), file_bytes)?;
    let layout = Layout::new(&meta, header.data);
    Ok((meta, layout, (checksum != UNFINISHED).then_some(checksum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(num_items: u32, count: u32, length: u32) -> Meta {
        let fingerprint = "00112233445566778899aabbccddeeff".into();
        let version = "0.1.0".into();
        Meta { version, fingerprint, centered: true, num_items, count, length }
    }

    #[test]
    fn headers_are_read_back_and_keep_their_length() {
        for (num_items, item_bytes) in [(1, 2), (65_536, 2), (65_537, 4)] {
            let meta = meta(num_items, 7, 1);
            let (unfinished, layout) = header(&meta, None);
            let (finished, same) = header(&meta, Some(77));
            assert_eq!((unfinished.len(), &layout), (finished.len(), &same));
            assert_eq!((layout.item_bytes, finished.len() % 8), (item_bytes, 0));
            let mut file = finished;
            file.resize(layout.file_bytes() as usize, 0);
            let read = parse(&file, layout.file_bytes()).unwrap();
            assert_eq!(read, (meta, layout, Some(77)));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (mut file, layout) = header(&meta(100, 5, 9), Some(1));
        file.resize(layout.file_bytes() as usize, 0);
        assert!(parse(&file, layout.file_bytes() - 1).unwrap_err().contains("bytes instead of"));
        let changed = |from: &str, to: &str| {
            let place =
                file.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
            let mut changed = file.clone();
            changed[place..place + to.len()].copy_from_slice(to.as_bytes());
            parse(&changed, layout.file_bytes()).unwrap_err()
        };
        let error = changed("sequences 1", "sequences 2");
        assert!(error.contains("sequences 2"), "{error}");
        let error = changed("[5,9]", "[9,5]");
        assert!(error.contains("row_checksums"), "{error}");
    }
}
