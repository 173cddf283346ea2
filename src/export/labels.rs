//! What stands for each item in a file of JSON: its number, or its id in quotes.

use crate::error::Result;
use crate::memory::reserve;
use crate::texts::{push_quoted, Texts};

/// What stands between two entries.
const SEPARATOR: &[u8] = b", ";

/// Bytes of a row beside its key and its entries.
const AROUND: usize = 16;

/// The labels of all items, and the rows that are made of them.
pub(crate) struct Labels {
    /// Of each item its label behind a separator.
    entries: Texts,
    /// Whether a label has quotes of its own.
    are_quoted: bool,
}

impl Labels {
    /// The numbers of `count` items.
    pub(crate) fn of_numbers(count: u32, number: impl Fn(u32) -> u32) -> Result<Labels> {
        let entries = Texts::new(count, |item, to| {
            to.extend(SEPARATOR);
            to.extend(number(item).to_string().bytes());
        })?;
        Ok(Labels { entries, are_quoted: false })
    }

    /// The ids of all items.
    pub(super) fn of_ids(ids: &[String]) -> Result<Labels> {
        let entries = Texts::new(ids.len() as u32, |item, to| {
            to.extend(SEPARATOR);
            push_quoted(&ids[item as usize], to);
        })?;
        Ok(Labels { entries, are_quoted: true })
    }

    /// Bytes of a row of so many entries at the most.
    pub(super) fn row_bytes(longest_label: u64, entries: u64) -> u64 {
        (longest_label + SEPARATOR.len() as u64) * (entries + 1) + AROUND as u64
    }

    /// Appends the row of an item, `    "KEY": [A, B, ...]`, and a comma unless it is the last.
    pub(crate) fn push_row(
        &self,
        item: u32,
        others: impl ExactSizeIterator<Item = u32>,
        is_last: bool,
        to: &mut Vec<u8>,
    ) -> Result<()> {
        let room = (others.len() + 1) * self.entries.longest() + AROUND;
        reserve(to, room, "a row of an export")?;
        to.extend_from_slice(b"    ");
        self.push_key(item, to);
        to.extend_from_slice(b": [");
        // The first entry has no separator before it.
        let mut skipped = SEPARATOR.len();
        for other in others {
            to.extend_from_slice(&self.entries.get(other)[skipped..]);
            skipped = 0;
        }
        to.extend_from_slice(if is_last { b"]\n" } else { b"],\n" });
        Ok(())
    }

    /// A key is a text whatever the label is.
    fn push_key(&self, item: u32, to: &mut Vec<u8>) {
        let label = &self.entries.get(item)[SEPARATOR.len()..];
        let quote: &[u8] = if self.are_quoted { b"" } else { b"\"" };
        to.extend_from_slice(quote);
        to.extend_from_slice(label);
        to.extend_from_slice(quote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_keys_in_quotes_whatever_the_labels() {
        let row = |labels: &Labels, others: &[u32], is_last| {
            let mut text = Vec::new();
            labels.push_row(1, others.iter().copied(), is_last, &mut text).unwrap();
            assert!(text.len() as u64 <= Labels::row_bytes(8, others.len() as u64));
            String::from_utf8(text).unwrap()
        };
        let numbers = Labels::of_numbers(3, |item| item * 100).unwrap();
        assert_eq!(row(&numbers, &[2, 0], false), "    \"100\": [200, 0],\n");
        assert_eq!(row(&numbers, &[], true), "    \"100\": []\n");
        let ids = ["sea", "a \"b\"", "\u{e6}\n"].map(String::from);
        let ids = Labels::of_ids(&ids).unwrap();
        assert_eq!(row(&ids, &[2, 0], true), "    \"a \\\"b\\\"\": [\"\u{e6}\\n\", \"sea\"]\n");
    }
}
