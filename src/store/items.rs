//! Item numbers as they lie in a file: 16 bits each where that is enough for the corpus, else 32.

use std::borrow::Cow;
use std::path::Path;

use safetensors::tensor::Dtype;

use super::errors::bad_file;
use crate::error::Result;
use crate::memory::zeroed;

/// The type of item numbers below `num_items`.
pub(super) fn item_dtype(num_items: u32) -> Dtype {
    if num_items <= 1 << 16 {
        Dtype::U16
    } else {
        Dtype::U32
    }
}

/// Bytes of an item number below `num_items`: 2 or 4.
pub(super) fn item_bytes(num_items: u32) -> u32 {
    item_dtype(num_items).bitsize() as u32 / 8
}

/// `items` as bytes of a file, `item_bytes` each.
pub(super) fn to_bytes(items: &[u32], item_bytes: u32) -> Cow<'_, [u8]> {
    if item_bytes != 2 {
        return Cow::Borrowed(bytemuck::cast_slice(items));
    }
    let mut bytes = vec![0; items.len() * 2];
    for (to, &item) in bytes.chunks_exact_mut(2).zip(items) {
        to.copy_from_slice(&(item as u16).to_le_bytes());
    }
    Cow::Owned(bytes)
}

/// Item numbers in the file's own type, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a> {
    /// Of a corpus of up to 65,536 items.
    U16(&'a [u16]),
    /// Of a larger one.
    U32(&'a [u32]),
}

impl<'a> Row<'a> {
    /// `bytes` of a file, `item_bytes` for each item and aligned to them.
    pub(super) fn new(bytes: &'a [u8], item_bytes: u32) -> Row<'a> {
        match item_bytes {
            2 => Row::U16(bytemuck::cast_slice(bytes)),
            _ => Row::U32(bytemuck::cast_slice(bytes)),
        }
    }
}

impl Row<'_> {
    /// The item at `place`.
    pub fn get(&self, place: usize) -> Option<u32> {
        match self {
            Row::U16(items) => items.get(place).map(|&item| item.into()),
            Row::U32(items) => items.get(place).copied(),
        }
    }

    /// All items in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (small, large): (&[u16], &[u32]) = match self {
            Row::U16(items) => (items, &[]),
            Row::U32(items) => (&[], items),
        };
        small.iter().map(|&item| item.into()).chain(large.iter().copied())
    }
}

/// Finds items that come twice in a row. Takes no more memory than the file does, however many
/// items its header says that there are.
pub(super) enum Repeats {
    /// A bit for each item, all 0 between two rows.
    Bits(Vec<u64>),
    /// Room for a row: slower, by the sorting.
    Sorted(Vec<u32>),
}

impl Repeats {
    /// For rows of `length` items in a file of `file_bytes` bytes.
    pub(super) fn new(num_items: u32, length: u32, file_bytes: usize) -> Result<Repeats> {
        let (what, words) = ("the check of the rows", num_items.div_ceil(64) as usize);
        Ok(match words <= file_bytes / 8 {
            true => Repeats::Bits(zeroed(words, what)?),
            false => Repeats::Sorted(zeroed(length as usize, what)?),
        })
    }

    /// An item that comes twice in `row`, whose items are all of the corpus.
    pub(super) fn find(&mut self, row: &Row) -> Option<u32> {
        match self {
            Repeats::Bits(bits) => {
                let place = |item: u32| (item as usize / 64, 1 << (item % 64));
                let found = row.iter().find(|&item| {
                    let (word, bit) = place(item);
                    let seen = bits[word] & bit != 0;
                    bits[word] |= bit;
                    seen
                });
                row.iter().for_each(|item| bits[place(item).0] = 0);
                found
            }
            Repeats::Sorted(sorted) => {
                row.iter().zip(&mut *sorted).for_each(|(item, to)| *to = item);
                sorted.sort_unstable();
                sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
            }
        }
    }
}

/// Refuses row `index` of the file at `path` where it holds anything but items of a corpus.
pub(super) fn require_items(path: &Path, index: u32, row: &Row, num_items: u32) -> Result<()> {
    match row.iter().find(|&item| item >= num_items) {
        Some(item) => {
            let reason = format!("row {index} holds {item}, which is no item of the corpus");
            Err(bad_file(path, reason))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_found_both_ways() {
        for (num_items, file_bytes, bits) in [(200, 1000, true), (4_000_000_000, 1000, false)] {
            let mut repeats = Repeats::new(num_items, 3, file_bytes).unwrap();
            assert_eq!(matches!(repeats, Repeats::Bits(_)), bits);
            for (row, expected) in [([1, 199, 2], None), ([199, 2, 199], Some(199))] {
                assert_eq!(repeats.find(&Row::U32(&row)), expected);
                assert_eq!(repeats.find(&Row::U32(&[2, 199, 65])), None);
            }
        }
    }

    #[test]
    fn numbers_are_read_back_at_both_widths() {
        for (num_items, items) in [(1 << 16, [0, 1, 65_535]), ((1 << 16) + 1, [0, 7, 65_536])] {
            let width = item_bytes(num_items);
            let bytes = to_bytes(&items, width);
            assert_eq!(bytes.len(), 3 * width as usize);
            // A vector of bytes need not be aligned as a file is.
            let aligned: Vec<u64> = bytes
                .chunks(8)
                .map(|chunk| chunk.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
                .collect();
            let bytes = &bytemuck::cast_slice(&aligned)[..bytes.len()];
            let row = Row::new(bytes, width);
            assert!(row.iter().eq(items));
            assert_eq!((row.get(2), row.get(3)), (Some(items[2]), None));
        }
    }
}
