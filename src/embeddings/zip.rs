//! The members of a zip archive, as far as npz needs them: stored or deflated, with 64-bit sizes.
//!
//! The directory at the end of the file says where each member begins, and how large it is. Nothing
//! that it says is believed before it was compared with the bytes that are there.

use std::ops::Range;

use miniz_oxide::inflate::{decompress_slice_iter_to_slice, TINFLStatus};

use super::stop::{Read, Stop};
use super::values::words_for;
use crate::flaw::Flaw;

/// What an archive begins with; an empty one begins with its end.
pub(super) const MAGIC: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// What deflate makes of a byte, at the most.
const MOST_RATIO: u64 = 1032;

/// Members that are looked at, at the most.
const MOST_MEMBERS: u64 = 1 << 16;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    is_deflated: bool,
    crc: u32,
    /// Bytes when it is unpacked.
    size: u64,
    /// Where its bytes lie in the archive.
    range: Range<usize>,
}

fn damaged(reason: &str) -> Stop {
    Stop::file(Flaw::Damaged { reason: reason.into() })
}

/// Little-endian numbers of a record.
#[derive(Debug, Clone, Copy)]
struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    fn at(bytes: &'a [u8], begin: u64, length: u64) -> Read<Record<'a>> {
        let range =
            usize::try_from(begin).ok().zip(usize::try_from(begin.saturating_add(length)).ok());
        let record = range.and_then(|(begin, end)| bytes.get(begin..end));
        record.map(Record).ok_or_else(|| damaged("its directory points behind its end"))
    }

    fn number(&self, begin: usize, length: usize) -> u64 {
        let bytes = self.0.get(begin..begin + length).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    fn begins(&self, magic: &[u8; 4]) -> bool {
        self.0.starts_with(magic)
    }
}

/// Where the directory lies.
struct Directory {
    begin: u64,
    count: u64,
}

impl Directory {
    fn find(bytes: &[u8]) -> Read<Directory> {
        // The end has 22 bytes, and a comment of at most 65,535 behind them.
        let tail = bytes.len().saturating_sub(22 + 65_535);
        let end = bytes[tail..].windows(4).rposition(|four| four == b"PK\x05\x06");
        let cut = || Stop::file(Flaw::Ends { within: "the zip archive" });
        let end = (tail + end.ok_or_else(cut)?) as u64;
        let record = Record::at(bytes, end, 22)?;
        let (mut count, mut begin) = (record.number(10, 2), record.number(16, 4));
        let needs_more = count == 0xffff || begin == 0xffff_ffff;
        if let Some(locator) = end.checked_sub(20).filter(|_| needs_more) {
            let locator = Record::at(bytes, locator, 20)?;
            if locator.begins(b"PK\x06\x07") {
                let record = Record::at(bytes, locator.number(8, 8), 56)?;
                (count, begin) = (record.number(32, 8), record.number(48, 8));
            }
        }
        if count > MOST_MEMBERS {
            return Err(damaged("its directory has too many entries"));
        }
        Ok(Directory { begin, count })
    }
}

/// All members of the archive in `bytes`.
pub(super) fn members(bytes: &[u8]) -> Read<Vec<Member>> {
    let Directory { mut begin, count } = Directory::find(bytes)?;
    let mut members = Vec::new();
    for _ in 0..count {
        let entry = Record::at(bytes, begin, 46)?;
        if !entry.begins(b"PK\x01\x02") {
            return Err(damaged("its directory has an entry that is none"));
        }
        let (name, extra) = (entry.number(28, 2), entry.number(30, 2));
        let length = 46 + name + extra + entry.number(32, 2);
        let entry = Record::at(bytes, begin, length)?;
        members.push(member(bytes, entry, name as usize, extra as usize)?);
        begin += length;
    }
    Ok(members)
}

/// The member that an entry of the directory describes.
fn member(bytes: &[u8], entry: Record, name: usize, extra: usize) -> Read<Member> {
    let text = String::from_utf8_lossy(&entry.0[46..46 + name]).into_owned();
    let mut sizes = [entry.number(24, 4), entry.number(20, 4), entry.number(42, 4)];
    wide_sizes(&entry.0[46 + name..46 + name + extra], &mut sizes);
    let [size, packed, begin] = sizes;
    if entry.number(8, 2) & 1 == 1 {
        return Err(damaged("a member is encrypted"));
    }
    let is_deflated = match entry.number(10, 2) {
        0 => false,
        8 => true,
        _ => return Err(damaged("a member is neither stored nor deflated")),
    };
    let local = Record::at(bytes, begin, 30)?;
    if !local.begins(b"PK\x03\x04") {
        return Err(damaged("its directory points to a member that is none"));
    }
    let begin = begin + 30 + local.number(26, 2) + local.number(28, 2);
    Record::at(bytes, begin, packed)?;
    let most = if is_deflated { packed.saturating_mul(MOST_RATIO) } else { packed };
    if size > most || (!is_deflated && size < packed) {
        let flaw = Flaw::Cut { what: "a member", needed: size, there: most };
        return Err(Stop::file(flaw));
    }
    let range = begin as usize..(begin + packed) as usize;
    Ok(Member { name: text, is_deflated, crc: entry.number(16, 4) as u32, size, range })
}

/// Reads what has no room in 32 bits from the extra fields, in their fixed order.
fn wide_sizes(mut extra: &[u8], sizes: &mut [u64; 3]) {
    while extra.len() >= 4 {
        let record = Record(extra);
        let (kind, length) = (record.number(0, 2), record.number(2, 2) as usize);
        let end = (4 + length).min(extra.len());
        if kind == 1 {
            let narrow = sizes.iter_mut().filter(|size| **size == 0xffff_ffff);
            for (size, eight) in narrow.zip(extra[4..end].chunks_exact(8)) {
                *size = Record(eight).number(0, 8);
            }
        }
        extra = &extra[end..];
    }
}

impl Member {
    /// Where its bytes lie, if they are not packed.
    pub(super) fn stored(&self) -> Option<Range<usize>> {
        (!self.is_deflated).then(|| self.range.clone())
    }

    /// Writes its first bytes to `to`; gives how many.
    pub(super) fn begin(&self, bytes: &[u8], to: &mut [u8]) -> usize {
        let packed = &bytes[self.range.clone()];
        if !self.is_deflated {
            let length = packed.len().min(to.len());
            to[..length].copy_from_slice(&packed[..length]);
            return length;
        }
        match decompress_slice_iter_to_slice(to, std::iter::once(packed), false, true) {
            Ok(length) => length,
            // There is more. What else is wrong is said when all of it is unpacked.
            Err(_) => to.len(),
        }
    }

    /// Its size when it is unpacked.
    pub(super) fn size(&self) -> usize {
        self.size as usize
    }

    /// All of it, unpacked.
    pub(super) fn unpack(&self, bytes: &[u8]) -> Read<Vec<u64>> {
        let mut words = words_for(self.size)?;
        let to = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..self.size as usize];
        let packed = &bytes[self.range.clone()];
        match decompress_slice_iter_to_slice(to, std::iter::once(packed), false, true) {
            Ok(length) if length == to.len() => {}
            Ok(_) | Err(TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput) => {
                return Err(damaged("a member is shorter than its directory says"));
            }
            Err(TINFLStatus::HasMoreOutput) => {
                return Err(damaged("a member is longer than its directory says"));
            }
            Err(_) => return Err(damaged("a member cannot be unpacked")),
        }
        match checksum(to) == self.crc {
            true => Ok(words),
            false => Err(damaged("a member does not fit its checksum")),
        }
    }
}

/// The checksum of a zip member (CRC-32).
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |sum: u32, byte: &u8| sum >> 8 ^ TABLE[(sum as u8 ^ byte) as usize];
    !bytes.iter().fold(u32::MAX, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u32, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_zip() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }
}
