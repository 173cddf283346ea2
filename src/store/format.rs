//! The bytes of a results file: a safetensors header, then three tensors.
//!
//! 8 bytes: length of the header; the header, JSON padded with spaces to a multiple of 8; `row_checksums`, 64 bits a
//! sequence; `starts`, 32 bits a sequence; `sequences`, count x length item numbers of 16 bits if all fit, else 32. All little
//! endian. What the sequences are of stands in the header's metadata. The bytes depend on the results alone, not on when or
//! in how many runs they were computed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use safetensors::tensor::{Dtype, SafeTensors};
use serde_json::json;
use xxhash_rust::xxh3::{xxh3_64_with_seed, Xxh3};

use crate::corpus::Corpus;

#[cfg(target_endian = "big")]
compile_error!("results files are mapped as they are: little endian only");

/// The format and its version.
const FORMAT: &str = "vkd sequences 1";

/// What the sequences obey: the greedy rule, and the version of the integer arithmetic.
const RULE: &str = "farthest from the centroid, integers 1";

/// The checksum of a file that is not finished.
const UNFINISHED: u64 = 0;

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
        let item_bytes = if meta.num_items <= 1 << 16 { 2 } else { 4 };
        let (count, length) = (u64::from(meta.count), u64::from(meta.length));
        let starts = data + count * 8;
        let sequences = starts + count * 4;
        let end = sequences + count * length * u64::from(item_bytes);
        Layout {
            row_checksums: data..starts,
            starts: starts..sequences,
            sequences: sequences..end,
            item_bytes,
        }
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.sequences.end
    }
}

/// The header's bytes, with its length before it, and where the tensors follow. The header of an unfinished file (`None`)
/// is as long as that of the finished one.
pub(super) fn header(meta: &Meta, checksum: Option<u64>) -> (Vec<u8>, Layout) {
    let relative = Layout::new(meta, 0);
    let tensor = |dtype: &str, shape: &[u32], range: &Range<u64>| json!({ "dtype": dtype, "shape": shape, "data_offsets": [range.start, range.end] });
    let dtype = if relative.item_bytes == 2 { "U16" } else { "U32" };
    // A BTreeMap writes its keys in order, so equal results give equal bytes.
    let header = BTreeMap::from([
        (
            "__metadata__",
            json!({
                "format": FORMAT,
                "rule": RULE,
                "version": meta.version,
                "fingerprint": meta.fingerprint,
                "centered": meta.centered.to_string(),
                "items": meta.num_items.to_string(),
                "checksum": format!("{:016x}", checksum.unwrap_or(UNFINISHED)),
            }),
        ),
        ("row_checksums", tensor("U64", &[meta.count], &relative.row_checksums)),
        ("starts", tensor("U32", &[meta.count], &relative.starts)),
        ("sequences", tensor(dtype, &[meta.count, meta.length], &relative.sequences)),
    ]);
    let mut text = serde_json::to_string(&header).unwrap_or_default().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut text);
    let layout = Layout::new(meta, bytes.len() as u64);
    (bytes, layout)
}

/// Reads the header of a whole file of `file_bytes` bytes from its first bytes (all of it, or at least the header). Returns
/// what it holds, where, and its checksum (`None`: not finished), or what is wrong with it.
pub(super) fn parse(bytes: &[u8], file_bytes: u64) -> Result<(Meta, Layout, Option<u64>), String> {
    let (header_len, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| format!("{error}"))?;
    let none = HashMap::new();
    let texts = metadata.metadata().as_ref().unwrap_or(&none);
    let text = |key: &str| texts.get(key).map(String::as_str).unwrap_or_default();
    if text("format") != FORMAT {
        return Err(format!("its format is \"{}\", not \"{FORMAT}\"", text("format")));
    }
    if text("rule") != RULE {
        return Err(format!("its rule is \"{}\", not \"{RULE}\"", text("rule")));
    }
    let checksum =
        u64::from_str_radix(text("checksum"), 16).map_err(|_| "its checksum is unreadable")?;
    let num_items: u32 = text("items").parse().map_err(|_| "its number of items is unreadable")?;
    let sequences = metadata.info("sequences").ok_or("it has no tensor \"sequences\"")?;
    let &[count, length] = sequences.shape.as_slice() else {
        return Err(format!("its sequences have the shape {:?}", sequences.shape));
    };
    let small = |number: usize| u32::try_from(number).map_err(|_| "its shape is too large");
    let meta = Meta {
        version: text("version").into(),
        fingerprint: text("fingerprint").into(),
        centered: text("centered") == "true",
        num_items,
        count: small(count)?,
        length: small(length)?,
    };
    if meta.count == 0 || meta.length == 0 || meta.length > num_items {
        return Err(format!("it has {count} sequences of {length} of {num_items} items"));
    }
    let data = header_len as u64 + 8;
    let layout = Layout::new(&meta, data);
    let dtype = if layout.item_bytes == 2 { Dtype::U16 } else { Dtype::U32 };
    let expected = [
        ("row_checksums", Dtype::U64, vec![count], &layout.row_checksums),
        ("starts", Dtype::U32, vec![count], &layout.starts),
        ("sequences", dtype, vec![count, length], &layout.sequences),
    ];
    for (name, dtype, shape, range) in expected {
        let offsets = ((range.start - data) as usize, (range.end - data) as usize);
        let fits = metadata.info(name).is_some_and(|info| {
            info.dtype == dtype && info.shape == shape && info.data_offsets == offsets
        });
        if !fits {
            return Err(format!("its tensor \"{name}\" is not as expected"));
        }
    }
    if !data.is_multiple_of(8) {
        return Err("its tensors are not aligned to 8 bytes".into());
    }
    if file_bytes != layout.file_bytes() {
        return Err(format!("it has {file_bytes} bytes instead of {}", layout.file_bytes()));
    }
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
