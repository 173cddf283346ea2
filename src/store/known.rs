//! Names what a file is that is not the one wanted, by its first bytes: a file that was mixed up
//! with another must not be called damaged.

use std::path::Path;

use safetensors::SafeTensors;

use super::errors::Refusal;
use super::tensors::Header;
use crate::error::Error;

/// Beginnings of files that are likely to be given by mistake, and what the caller can do.
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (b"\x93NUMPY", "a numpy array (.npy)", "it is embeddings: vkd.load reads it in Lua"),
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
    let Ok(header) = Header::parse(bytes) else {
        return match SafeTensors::read_metadata(bytes) {
            Ok(_) => not_ours(path, bytes, refusal),
            Err(_) => refusal.at(path),
        };
    };
    let format = header.text("format");
    match format.split(' ').nth(1).filter(|_| format.starts_with("vkd ")) {
        None if format.is_empty() => not_ours(path, bytes, refusal),
        Some("sequences") if wanted == "neighbours" => {
            Error::OtherKind { path: name(), holds: "sequences", wanted }
        }
        Some("neighbors") if wanted == "sequences" => {
            Error::OtherKind { path: name(), holds: "neighbours", wanted }
        }
        _ => refusal.at(path),
    }
}

/// The error for a safetensors file, unless it says that it is one of vkd's, which is damaged then.
fn not_ours(path: &Path, bytes: &[u8], refusal: Refusal) -> Error {
    let names_vkd = SafeTensors::read_metadata(bytes).is_ok_and(|(_, metadata)| {
        let format = metadata.metadata().as_ref().and_then(|texts| texts.get("format"));
        format.is_some_and(|format| format.starts_with("vkd "))
    });
    match names_vkd {
        true => refusal.at(path),
        false => Error::ForeignFile {
            path: path.display().to_string(),
            is: "a safetensors file that vkd did not write",
            next: ELSE,
        },
    }
}
