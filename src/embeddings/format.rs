//! Which format a file has, told from its first bytes and never from its name.

use super::binary_words;
use super::npy;
use super::vectors::is_fvecs;
use super::words::{self, Header};
use super::zip;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Npy,
    Npz,
    Tensors,
    /// The text begins at this byte.
    Json(usize),
    /// The same.
    Words(usize),
    BinaryWords(Header),
    Fvecs,
}

impl Format {
    /// The name that users see.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Format::Npy => "npy",
            Format::Npz => "npz",
            Format::Tensors => "safetensors",
            Format::Json(_) => "JSON",
            Format::Words(_) => "words as text (word2vec or GloVe)",
            Format::BinaryWords(_) => "word2vec, binary",
            Format::Fvecs => "fvecs",
        }
    }
}

/// What some editors put before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl Format {
    /// The format of a file of these bytes, if it is known.
    pub(super) fn of(bytes: &[u8]) -> Option<Format> {
        if bytes.starts_with(npy::MAGIC) {
            return Some(Format::Npy);
        } else if zip::MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
            return Some(Format::Npz);
        } else if is_tensors(bytes) {
            return Some(Format::Tensors);
        } else if is_fvecs(bytes) {
            // Its first four bytes are a small number, and the last of them is no text.
            return Some(Format::Fvecs);
        }
        let begin = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
        let first = bytes[begin..].iter().find(|byte| !b" \t\r\n".contains(byte));
        if matches!(first, Some(b'[' | b'{')) {
            return Some(Format::Json(begin));
        }
        match Header::read(bytes) {
            Some(header) if binary_words::is_binary(bytes, &header) => {
                Some(Format::BinaryWords(header))
            }
            Some(_) => Some(Format::Words(begin)),
            None => words::is_words(&bytes[begin..]).then_some(Format::Words(begin)),
        }
    }
}

/// Whether a header of safetensors begins behind its length, which no text has: one of its eight
/// bytes is 0 or 255 unless the file is far larger than any is.
fn is_tensors(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{') && bytes[..8].iter().any(|byte| matches!(byte, 0 | 0xff))
}
