//! The bytes of a safetensors file: a header of metadata and tensors, then the tensors one behind
//! the other.
//!
//! 8 bytes: length of the header; the header, JSON padded with spaces to a multiple of 8; the data,
//! little endian. Equal contents give equal bytes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use safetensors::tensor::{Dtype, Metadata, SafeTensors};
use serde_json::json;

use super::checksums::Frame;
use super::errors::Refusal;
use super::family::Family;
use crate::units;

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor {
    name: &'static str,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl Tensor {
    pub(super) fn new(name: &'static str, dtype: Dtype, shape: &[u32]) -> Tensor {
        Tensor { name, dtype, shape: shape.iter().map(|&length| length as usize).collect() }
    }

    /// So many bytes.
    pub(super) fn of_bytes(name: &'static str, bytes: u64) -> Tensor {
        // What the address space does not hold is in no file that is mapped.
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        Tensor { name, dtype: Dtype::U8, shape: vec![length] }
    }

    fn bytes(&self) -> u64 {
        // What cannot be counted fits no file.
        let values = self.shape.iter().map(|&length| length as u64).fold(1, u64::saturating_mul);
        values.saturating_mul(self.dtype.bitsize() as u64 / 8)
    }

    /// Where it lies behind `end`, which becomes its own end.
    fn range_from(&self, end: &mut u64) -> Range<u64> {
        let begin = *end;
        *end = begin.saturating_add(self.bytes());
        begin..*end
    }
}

/// Where `tensors` lie behind byte `begin`.
fn ranges(tensors: &[Tensor], begin: u64) -> impl Iterator<Item = Range<u64>> + '_ {
    let mut end = begin;
    tensors.iter().map(move |tensor| tensor.range_from(&mut end))
}

/// Where the one of them lies that has this name; nowhere if none has.
pub(super) fn range_of(tensors: &[Tensor], begin: u64, name: &str) -> Range<u64> {
    let mut named = tensors.iter().zip(ranges(tensors, begin));
    named.find(|(tensor, _)| tensor.name == name).map_or(0..0, |(_, range)| range)
}

/// The header's bytes, with its length before it.
pub(super) fn header(texts: &BTreeMap<&str, String>, tensors: &[Tensor]) -> Vec<u8> {
    // A BTreeMap writes its keys in order, so equal contents give equal bytes.
    let mut header = BTreeMap::from([("__metadata__", json!(texts))]);
    for (tensor, range) in tensors.iter().zip(ranges(tensors, 0)) {
        header.insert(
            tensor.name,
            json!({
                "dtype": tensor.dtype.to_string(),
                "shape": tensor.shape,
                "data_offsets": [range.start, range.end],
            }),
        );
    }
    let mut text = serde_json::to_string(&header).unwrap_or_default().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut text);
    bytes
}

/// Bytes of a header at the most: far more than vkd writes.
const LONGEST_HEADER: usize = 1 << 20;

/// A header that was read.
pub(super) struct Header {
    metadata: Metadata,
    bytes: Vec<u8>,
    /// Where the tensors begin.
    pub(super) data_begin: u64,
}

impl Header {
    /// Reads the header of a whole file, or says what is wrong with it.
    pub(super) fn parse(file: &[u8]) -> Result<Header, Refusal> {
        if !Family::Results.knows(file) {
            return Err(Refusal::Foreign("its header is not as vkd writes it".into()));
        }
        Header::read(file).map_err(Refusal::Damaged)
    }

    fn read(file: &[u8]) -> Result<Header, String> {
        let length = file.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        if length > LONGEST_HEADER as u64 {
            return Err(format!("its header has {length} bytes, more than {LONGEST_HEADER}"));
        }
        let (length, metadata) =
            SafeTensors::read_metadata(file).map_err(|error| format!("{error}"))?;
        let data_begin = length + 8;
        if !data_begin.is_multiple_of(8) {
            return Err("its tensors are not aligned to 8 bytes".into());
        }
        let bytes = file[..data_begin].to_vec();
        Ok(Header { metadata, bytes, data_begin: data_begin as u64 })
    }

    /// The header's bytes, and its checksum.
    pub(super) fn frame(&self) -> Result<Frame, String> {
        Frame::new(&self.bytes, self.text("checksum"))
    }

    /// A text of the metadata; "" where there is none.
    pub(super) fn text(&self, key: &str) -> &str {
        let texts: Option<&HashMap<String, String>> = self.metadata.metadata().as_ref();
        texts.and_then(|texts| texts.get(key)).map(String::as_str).unwrap_or_default()
    }

    /// Checks what kind of results these are, in this version of their format.
    pub(super) fn expect(&self, format: &'static str) -> Result<(), Refusal> {
        let kind = |format: &str| format.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let found = self.text("format");
        if kind(found) != kind(format) {
            return Err(Refusal::Other { found: found.into(), wanted: format });
        }
        Ok(self.expect_text("format", format)?)
    }

    /// Checks a text of the metadata of which this version of vkd knows one.
    pub(super) fn expect_text(&self, key: &str, wanted: &str) -> Result<(), String> {
        match self.text(key) {
            found if found == wanted => Ok(()),
            found => Err(format!(
                "its {key} is \"{found}\", not \"{wanted}\" as this version of vkd writes"
            )),
        }
    }

    /// A yes or no of the metadata.
    pub(super) fn flag(&self, key: &'static str) -> Result<bool, String> {
        self.text(key).parse().map_err(|_| format!("its {key} is neither true nor false"))
    }

    /// A number of the metadata.
    pub(super) fn number(&self, key: &'static str) -> Result<u32, String> {
        self.text(key).parse().map_err(|_| format!("its number of {key} is unreadable"))
    }

    /// Whether there is a tensor of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.metadata.info(name).is_some()
    }

    /// The two lengths of a tensor.
    pub(super) fn shape(&self, name: &str) -> Result<[u32; 2], String> {
        let info = self.metadata.info(name).ok_or(format!("it has no tensor \"{name}\""))?;
        let small = |number: usize| u32::try_from(number).map_err(|_| "its shape is too large");
        match info.shape.as_slice() {
            &[rows, columns] => Ok([small(rows)?, small(columns)?]),
            other => Err(format!("its {name} have the shape {other:?}")),
        }
    }

    /// The length of a tensor that is a list.
    pub(super) fn length(&self, name: &str) -> Result<u64, String> {
        match self.metadata.info(name).map(|info| info.shape.as_slice()) {
            Some(&[length]) => Ok(length as u64),
            other => Err(format!("its {name} have the shape {:?}", other.unwrap_or_default())),
        }
    }

    /// Checks that a file of `file_bytes` bytes has exactly these tensors, where they should be.
    pub(super) fn check(&self, tensors: &[Tensor], file_bytes: u64) -> Result<(), String> {
        for (tensor, range) in tensors.iter().zip(ranges(tensors, 0)) {
            let fits = self.metadata.info(tensor.name).is_some_and(|info| {
                info.dtype == tensor.dtype
                    && info.shape == tensor.shape
                    && info.data_offsets == (range.start as usize, range.end as usize)
            });
            if !fits {
                return Err(format!("its tensor \"{}\" is not as expected", tensor.name));
            }
        }
        let last = ranges(tensors, self.data_begin).last();
        let end = last.map_or(self.data_begin, |range| range.end);
        if file_bytes != end {
            let (found, wanted) = (units::bytes(file_bytes), units::bytes(end));
            return Err(format!("it has {found}, its header says {wanted}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_beyond_counting_do_not_wrap() {
        let huge = [u32::MAX, u32::MAX];
        let tensors = ["a", "b"].map(|name| Tensor::new(name, Dtype::U64, &huge));
        assert!(ranges(&tensors, 8).eq([8..u64::MAX, u64::MAX..u64::MAX]));
        assert_eq!(range_of(&tensors, 8, "a"), 8..u64::MAX);
        assert_eq!(range_of(&tensors, 8, "c"), 0..0);
    }
}
