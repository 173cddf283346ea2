//! Texts that files hold again and again, such as an id in quotes: laid out once, one behind the
//! other.

use crate::error::Result;
use crate::memory::room;

const TEXTS: &str = "the texts of the items";

/// Texts one behind the other.
pub(crate) struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    longest: usize,
}

impl Texts {
    /// `count` texts, each of which `write` appends, always the same.
    pub(crate) fn new(count: u32, mut write: impl FnMut(u32, &mut Vec<u8>)) -> Result<Texts> {
        let (mut text, mut length, mut longest) = (Vec::new(), 0, 0);
        for item in 0..count {
            text.clear();
            write(item, &mut text);
            length += text.len();
            longest = longest.max(text.len());
        }
        let (mut bytes, mut ends) = (room(length, TEXTS)?, room(count as usize, TEXTS)?);
        for item in 0..count {
            write(item, &mut bytes);
            ends.push(bytes.len());
        }
        Ok(Texts { bytes, ends, longest })
    }

    pub(crate) fn get(&self, item: u32) -> &[u8] {
        let item = item as usize;
        let begin = item.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[item]]
    }

    /// Bytes of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }
}

/// Appends a JSON string.
pub(crate) fn push_quoted(text: &str, to: &mut Vec<u8>) {
    // Writing a text into memory does not fail.
    serde_json::to_writer(to, text).unwrap_or_default();
}
