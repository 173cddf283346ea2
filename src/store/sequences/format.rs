//! The bytes of a file of sequences: three tensors.
//!
//! `row_checksums`, 64 bits a sequence; `starts`, 32 bits a sequence; `sequences`, count x length
//! item numbers of 16 bits if all fit, else 32. What the sequences are of stands in the header's
//! metadata. The bytes depend on the results alone, not on when or in how many runs they were
//! computed.

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
pub(in crate::store) const FORMAT: &str = "vkd sequences 2";

/// What the sequences obey: the greedy rule, and the version of the integer arithmetic.
const RULE: &str = "farthest from the centroid, integers 1";

/// What a file of sequences holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequencesMeta {
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

impl SequencesMeta {
    fn tensors(&self) -> [Tensor; 3] {
        [
            Tensor::new("row_checksums", Dtype::U64, &[self.count]),
            Tensor::new("starts", Dtype::U32, &[self.count]),
            Tensor::new("sequences", item_dtype(self.num_items), &[self.count, self.length]),
        ]
    }

    /// Bytes of an item number: 2 or 4.
    pub(super) fn item_bytes(&self) -> u32 {
        item_bytes(self.num_items)
    }

    /// Bytes of a sequence.
    pub(super) fn row_bytes(&self) -> u64 {
        u64::from(self.length) * u64::from(self.item_bytes())
    }

    /// The header, of a file that is not finished.
    pub(super) fn frame(&self) -> Result<Frame> {
        let unfinished = checksums::unfinished();
        let texts = BTreeMap::from([
            ("format", FORMAT.into()),
            ("rule", RULE.into()),
            ("version", self.version.clone()),
            ("fingerprint", self.fingerprint.clone()),
            ("centered", self.centered.to_string()),
            ("items", self.num_items.to_string()),
            ("checksum", unfinished.clone()),
        ]);
        let header = tensors::header(&texts, &self.tensors());
        Frame::new(&header, &unfinished).map_err(|detail| Error::Internal { detail })
    }
}

/// Where the tensors lie in the file, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SequencesTensors {
    pub(super) row_checksums: Range<u64>,
    pub(super) starts: Range<u64>,
    pub(super) sequences: Range<u64>,
}

impl SequencesTensors {
    /// Tensors that begin at byte `begin`, the end of the header.
    pub(super) fn new(meta: &SequencesMeta, begin: u64) -> SequencesTensors {
        let [row_checksums, starts, sequences] = tensors::ranges(&meta.tensors(), begin);
        SequencesTensors { row_checksums, starts, sequences }
    }

    /// Bytes of the whole file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.sequences.end
    }
}

/// The header of a file, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SequencesHeader {
    pub(super) meta: SequencesMeta,
    pub(super) tensors: SequencesTensors,
    /// Its bytes, and the checksum of the whole.
    pub(super) frame: Frame,
}

impl SequencesHeader {
    /// Reads the header of a whole file, or says what is wrong with it.
    pub(super) fn parse(file: &[u8]) -> std::result::Result<SequencesHeader, Refusal> {
        let header = Header::parse(file)?;
        header.expect(FORMAT, RULE)?;
        let frame = header.frame()?;
        let num_items = header.number("items")?;
        let [count, length] = header.shape("sequences")?;
        let meta = SequencesMeta {
            version: header.text("version").into(),
            fingerprint: header.text("fingerprint").into(),
            centered: header.flag("centered")?,
            num_items,
            count,
            length,
        };
        if count == 0 || length == 0 || length > num_items {
            let [count, length, items] = [count, length, num_items].map(units::count);
            return Err(format!("it claims {count} x {length} picks of {items} items").into());
        }
        header.check(&meta.tensors(), file.len() as u64)?;
        let tensors = SequencesTensors::new(&meta, header.data_begin);
        Ok(SequencesHeader { meta, tensors, frame })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn meta(num_items: u32, count: u32, length: u32) -> SequencesMeta {
        let fingerprint = "00112233445566778899aabbccddeeff".into();
        let version = "0.1.0".into();
        SequencesMeta { version, fingerprint, centered: true, num_items, count, length }
    }

    #[test]
    fn headers_are_read_back_and_keep_their_length() {
        for (num_items, item_bytes) in [(1, 2), (65_536, 2), (65_537, 4)] {
            let meta = meta(num_items, 7, 1);
            let frame = meta.frame().unwrap();
            let mut file = frame.finished(b"sums", b"starts");
            assert_eq!((file.len(), file.len() % 8), (frame.unfinished().len(), 0));
            assert_eq!(meta.item_bytes(), item_bytes);
            let tensors = SequencesTensors::new(&meta, file.len() as u64);
            file.resize(tensors.file_bytes() as usize, 0);
            let read = SequencesHeader::parse(&file).unwrap();
            assert_eq!((read.meta, read.tensors), (meta, tensors));
            let path = Path::new("file");
            read.frame.check(path, b"sums", b"starts").unwrap();
            assert!(read.frame.check(path, b"sum", b"starts").is_err());
            assert!(frame.check(path, b"sums", b"starts").is_err());
            assert_eq!(read.frame.unfinished(), frame.unfinished());
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let meta = meta(100, 5, 9);
        let mut file = meta.frame().unwrap().finished(&[], &[]);
        let tensors = SequencesTensors::new(&meta, file.len() as u64);
        file.resize(tensors.file_bytes() as usize, 0);
        assert!(SequencesHeader::parse(&file).is_ok());
        assert!(SequencesHeader::parse(&file[..file.len() - 1]).is_err());
        let header = Header::parse(&file).unwrap();
        let error = header.check(&meta.tensors(), tensors.file_bytes() - 1).unwrap_err();
        assert!(error.contains("its header says"), "{error}");
        let changed = |from: &str, to: &str| {
            let place =
                file.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
            let mut changed = file.clone();
            changed[place..place + to.len()].copy_from_slice(to.as_bytes());
            SequencesHeader::parse(&changed).unwrap_err().at(Path::new("file")).to_string()
        };
        let error = changed("sequences 2", "sequences 1");
        assert!(error.contains("sequences 1") && error.contains("damaged"), "{error}");
        let error = changed("sequences 2", "neighbors 2");
        assert!(error.contains("neighbors 2") && !error.contains("damaged"), "{error}");
        let error = changed("vkd sequences", "VKD sequences");
        assert!(error.contains("no results file of vkd"), "{error}");
        let error = changed("[5,9]", "[9,5]");
        assert!(error.contains("row_checksums"), "{error}");
    }
}
