//! Names what a file is that is not the one wanted, by its first bytes: a file that was mixed up
//! with another must not be called damaged.

use std::path::Path;

use super::errors::Refusal;
use super::tensors::Header;
use crate::error::Error;

/// Beginnings of files that are likely to be given by mistake, and what the caller can do.
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (b"\x93NUMPY", "a numpy array (.npy)", "it is embeddings: vkd.load_npy reads it in Lua"),
    (b"PK\x03\x04", "a zip archive (.npz or other)", ELSE),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"{\"list\":\"", "the rankings of a site", ELSE),
    (b"{\"id\":\"", "a page of a site", ELSE),
    (b"\x7fELF", "a program or a shared library", ELSE),
];

const ELSE: &str = "give the path of another file";

/// The error for a file that cannot be read as what was wanted ("sequences", "neighbours",
/// "results"): what it is, if `bytes` (all of it) tell; else what `refusal` says.
pub(super) fn refused(path: &Path, bytes: &[u8], wanted: &'static str, refusal: Refusal) -> Error {
    let name = || path.display().to_string();
    if let Some((_, is, next)) = FOREIGN.iter().find(|(begin, ..)| bytes.starts_with(begin)) {
        return Error::ForeignFile { path: name(), is, next };
    }
    let Ok(header) = Header::parse(bytes) else { return refusal.at(path) };
    let format = header.text("format");
    match format.split(' ').nth(1).filter(|_| format.starts_with("vkd ")) {
        None if format.is_empty() => Error::ForeignFile {
            path: name(),
            is: "a safetensors file that vkd did not write",
            next: ELSE,
        },
        Some("sequences") if wanted == "neighbours" => {
            Error::OtherKind { path: name(), holds: "sequences", wanted }
        }
        Some("neighbors") if wanted == "sequences" => {
            Error::OtherKind { path: name(), holds: "neighbours", wanted }
        }
        _ => refusal.at(path),
    }
}
