//! Names what a file is that is none of vkd's, by its first bytes: a file that was mixed up with
//! another must not be called damaged.

/// What a file is, and what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) is: &'static str,
    pub(super) next: &'static str,
}

const ELSE: &str = "give the path of another file";

/// Beginnings of files that are likely to be given by mistake.
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (b"\x93NUMPY", "a numpy array (.npy)", "it is embeddings: vkd.load_npy reads it in Lua"),
    (b"PK\x03\x04", "a zip archive (.npz or other)", ELSE),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"{\"list\":\"", "the rankings of a site", ELSE),
    (b"{\"id\":\"", "a page of a site", ELSE),
    (b"\x7fELF", "a program or a shared library", ELSE),
];

/// What a file with these first bytes is, whose header is not one that vkd wrote.
pub(super) fn by_begin(bytes: &[u8]) -> Known {
    let is_safetensors = bytes.len() > 8 && bytes[2..9] == *b"\0\0\0\0\0\0{";
    let found = FOREIGN.iter().find(|(begin, ..)| bytes.starts_with(begin));
    match found {
        Some(&(_, is, next)) => Known { is, next },
        None if bytes.is_empty() => Known { is: "empty", next: ELSE },
        None if is_safetensors => {
            Known { is: "a safetensors file that vkd did not write", next: ELSE }
        }
        None => Known { is: "something else", next: ELSE },
    }
}

/// What is no regular file.
pub(super) const IRREGULAR: Known = Known { is: "a folder, a device or a FIFO", next: ELSE };
