//! The checksums of a file of results: one for each row, and one of these in the header.
//!
//! A row's stands in the tensor `row_checksums`, 0 while the row is not there; the one over all of
//! them stands in the header as 16 hex digits, 0 while the file is not finished.

use std::path::Path;

use xxhash_rust::xxh3::{xxh3_64_with_seed, Xxh3};

use super::errors::bad_file;
use crate::error::Result;

/// The checksum of a file that is not finished.
const UNFINISHED: u64 = 0;

/// Rows that are checked when a file is opened.
const CHECKED_ROWS: u32 = 16;

/// The checksum of row `row`, never 0.
pub(super) fn row_checksum(row: u32, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, row.into()).max(1)
}

/// The checksum of row `row` that lies in several tensors, never 0.
pub(super) fn row_checksum_of_parts(row: u32, parts: &[&[u8]]) -> u64 {
    let mut hash = Xxh3::with_seed(row.into());
    parts.iter().for_each(|part| hash.update(part));
    hash.digest().max(1)
}

/// The checksum of all row checksums and of what else is not in a row, never `UNFINISHED`.
pub(super) fn total_checksum(row_checksums: &[u8], others: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(row_checksums);
    hash.update(others);
    hash.digest().max(1)
}

/// The text of the header; equally long for a file that is not finished (`None`).
pub(super) fn to_text(total: Option<u64>) -> String {
    format!("{:016x}", total.unwrap_or(UNFINISHED))
}

/// Reads the text of a header. `None`: the file is not finished.
pub(super) fn from_text(text: &str) -> std::result::Result<Option<u64>, String> {
    match u64::from_str_radix(text, 16) {
        Ok(UNFINISHED) => Ok(None),
        Ok(total) => Ok(Some(total)),
        Err(_) => Err("its checksum is unreadable".into()),
    }
}

/// Refuses a file that is not finished, or whose header has another checksum than `actual`.
pub(super) fn check_total(path: &Path, header: Option<u64>, actual: u64) -> Result<()> {
    match header {
        None => Err(bad_file(path, "it is not finished")),
        Some(total) if total != actual => {
            Err(bad_file(path, "its row checksums do not fit its checksum"))
        }
        Some(_) => Ok(()),
    }
}

/// The rows that are checked when a file of `count` rows is opened: some, spread over it, and the
/// last.
pub(super) fn checked_rows(count: u32) -> impl Iterator<Item = u32> {
    let step = count.div_ceil(CHECKED_ROWS).max(1) as usize;
    (0..count).step_by(step).chain([count - 1])
}
