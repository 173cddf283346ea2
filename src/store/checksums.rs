//! The checksums of a file of results: one for each row, and one of all that is not in a row.
//!
//! A row's stands in the tensor `row_checksums`, 0 while the row is not there; that of the whole
//! stands in the header as 16 hex digits, 0 while the file is not finished. It is over the header
//! with zeros for these digits, so that no bit of a file is outside of a checksum.

use std::ops::Range;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::errors::bad_file;
use crate::error::Result;

/// The checksum of a file that is not finished.
const UNFINISHED: u64 = 0;

/// Rows that are checked when a file is opened.
const CHECKED_ROWS: u32 = 16;

/// The checksum of row `row`, which lies in one tensor or in several, never 0.
pub(super) fn row_checksum_of_parts(row: u32, parts: &[&[u8]]) -> u64 {
    let mut hash = Xxh3::with_seed(row.into());
    parts.iter().for_each(|part| hash.update(part));
    hash.digest().max(1)
}

/// The text of a checksum that is not there yet.
pub(super) fn unfinished() -> String {
    to_text(UNFINISHED)
}

fn to_text(total: u64) -> String {
    format!("{total:016x}")
}

/// A header as it lies in a file, but for its checksum.
///
/// It is written back as it was found: whatever else it says, and however it is spaced, nothing
/// behind it moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// The header with zeros for its checksum.
    bytes: Vec<u8>,
    /// Where the checksum's digits are.
    digits: Range<usize>,
    /// The checksum. `None`: the file is not finished.
    total: Option<u64>,
}

impl Frame {
    /// The frame of `header`, whose metadata have `text` for a checksum.
    pub(super) fn new(header: &[u8], text: &str) -> std::result::Result<Frame, String> {
        // Not "+1" and the like: each checksum has one text.
        let total = u64::from_str_radix(text, 16).ok().filter(|&total| to_text(total) == text);
        let total = total.ok_or("its checksum is unreadable")?;
        let quoted = format!("\"{text}\"");
        let mut places =
            (0..header.len()).filter(|&at| header[at..].starts_with(quoted.as_bytes()));
        let (Some(at), None) = (places.next(), places.next()) else {
            return Err("its checksum cannot be told from another text".into());
        };
        let (mut bytes, digits) = (header.to_vec(), at + 1..at + 1 + text.len());
        bytes[digits.clone()].fill(b'0');
        Ok(Frame { bytes, digits, total: Some(total).filter(|&total| total != UNFINISHED) })
    }

    /// Whether the file is whole, as it says itself.
    pub(super) fn is_finished(&self) -> bool {
        self.total.is_some()
    }

    /// The header of a file that is not finished.
    pub(super) fn unfinished(&self) -> &[u8] {
        &self.bytes
    }

    /// The header of a finished file that has these `parts` beside its rows: the checksums of the
    /// rows, and what else is in no row.
    pub(super) fn finished(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut header = self.bytes.clone();
        let total = self.checksum(parts);
        header[self.digits.clone()].copy_from_slice(to_text(total).as_bytes());
        header
    }

    /// Refuses a file that is not finished, or whose checksum is another than that of its contents.
    pub(super) fn check(&self, path: &Path, parts: &[&[u8]]) -> Result<()> {
        match self.total {
            None => Err(bad_file(path, "it is not finished")),
            Some(total) if total != self.checksum(parts) => {
                Err(bad_file(path, "its header and row checksums do not fit its checksum"))
            }
            Some(_) => Ok(()),
        }
    }

    /// The checksum of all that is in no row, never `UNFINISHED`.
    fn checksum(&self, parts: &[&[u8]]) -> u64 {
        let mut hash = Xxh3::new();
        hash.update(&self.bytes);
        parts.iter().for_each(|part| hash.update(part));
        hash.digest().max(1)
    }
}

/// The rows that are checked when a file of `count` rows is opened: some, spread over it, and the
/// last.
pub(super) fn checked_rows(count: u32) -> impl Iterator<Item = u32> {
    let step = count.div_ceil(CHECKED_ROWS).max(1) as usize;
    (0..count).step_by(step).chain([count - 1])
}
