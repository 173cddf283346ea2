//! Which files vkd may replace: those that it wrote for the same use, known by their beginning.

use std::fs::File;
use std::io;

use super::place::{read_at, read_some};

/// Files that may take each other's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Sequences and neighbours.
    Results,
    /// The rankings of a site.
    Rankings,
    /// Embeddings with their ids.
    Embeddings,
    /// Diversity caches (`diversity_cache.json`), also those that scripts wrote.
    DiversityCache,
    /// Rankings as the older library wrote them.
    OlderRankings,
    /// Full sequences as plain numbers (`sequences.bin`), also those that scripts wrote.
    SequencesBin,
}

/// Bytes of a file that are looked at: all of a header that vkd wrote.
const HEAD: usize = 4096;

/// What the metadata of results say, in any version of the format.
const FORMATS: [&[u8]; 2] = [b"\"vkd sequences ", b"\"vkd neighbo"];

/// What rankings begin with, before and behind the list's name (`site/json.rs` writes them).
const RANKINGS: [&[u8]; 2] = [b"{\"list\":\"", b"\",\"ids\":["];

/// Bytes of a list's name at the most: rankings are known by it.
pub(crate) const LONGEST_LIST: usize = 64;

/// What the metadata of embeddings that vkd wrote say, in any version of the format.
const EMBEDDINGS: &[u8] = b"\"vkd embeddings ";

/// What diversity caches begin with and hold, without white space.
const DIVERSITY_CACHE: [&[u8]; 3] = [b"{\"metadata\":{", b"\"num_poems\":", b"},\"sequences\":{"];

/// What older rankings begin with and hold (`export/shapes.rs` writes them).
const OLDER_RANKINGS: [&[u8]; 2] =
    [b"{\n  \"metadata\": {\n    \"total_poems\": ", b"\"format\": \"pre_sorted_rankings\""];

impl Family {
    /// Whether a file that begins with `head` is one of these, whole or not.
    pub(super) fn knows(self, head: &[u8]) -> bool {
        let head = &head[..head.len().min(HEAD)];
        let holds = |text: &[u8]| holds(head, text);
        // Behind the length of the header.
        let has_metadata = || head.get(8) == Some(&b'{') && holds(b"\"__metadata__\"");
        match self {
            Family::Results => has_metadata() && FORMATS.into_iter().any(holds),
            Family::Embeddings => has_metadata() && holds(EMBEDDINGS),
            Family::Rankings => begins_rankings(head),
            Family::DiversityCache => begins_cache(head),
            Family::OlderRankings => {
                head.starts_with(OLDER_RANKINGS[0]) && holds(OLDER_RANKINGS[1])
            }
            // It takes the size to know one.
            Family::SequencesBin => false,
        }
    }

    /// Whether `file` is one of these.
    pub(super) fn knows_file(self, file: &File) -> io::Result<bool> {
        if self == Family::SequencesBin {
            return is_sequences_bin(file);
        }
        let mut head = vec![0; HEAD];
        let read = read_some(file, &mut head)?;
        Ok(self.knows(&head[..read]))
    }

    /// What a file is not that this does not know.
    pub(super) fn unlike(self) -> &'static str {
        match self {
            Family::Results => "it is no results file of vkd",
            Family::Embeddings => "it is no safetensors file of embeddings that vkd wrote",
            Family::Rankings => "it does not hold rankings that vkd wrote",
            Family::DiversityCache => "it is no diversity cache",
            Family::OlderRankings => "it does not hold rankings in the older shape",
            Family::SequencesBin => "its size is not that of all sequences of so many items",
        }
    }
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Whether a file begins with the metadata of a diversity cache, however it is laid out.
fn begins_cache(head: &[u8]) -> bool {
    let dense: Vec<u8> = head.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let [begin, held @ ..] = DIVERSITY_CACHE;
    dense.starts_with(begin) && held.into_iter().all(|text| holds(&dense, text))
}

/// Whether a file has the size that its first number says: that, and as many rows of as many.
fn is_sequences_bin(file: &File) -> io::Result<bool> {
    let bytes = file.metadata()?.len();
    let mut first = [0; 4];
    if bytes < 8 {
        return Ok(false);
    }
    read_at(file, &mut first, 0)?;
    let n = u128::from(u32::from_le_bytes(first));
    Ok(u128::from(bytes) == 4 + 4 * n * n)
}

/// Whether a file begins with the head of rankings, of a list with any name.
fn begins_rankings(head: &[u8]) -> bool {
    let [before, behind] = RANKINGS;
    let Some(rest) = head.strip_prefix(before) else { return false };
    let end = rest.iter().position(|&byte| byte == b'"');
    end.is_some_and(|end| (1..=LONGEST_LIST).contains(&end) && rest[end..].starts_with(behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_same_use_are_known() {
        let header = b"\x10\0\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"vkd sequences 1\"}}";
        let rankings = b"{\"list\":\"similar\",\"ids\":[\"a\"";
        for (text, results, is_rankings) in [
            (&header[..], true, false),
            (&rankings[..], false, true),
            (b"a poem about \"vkd sequences 1\" and \"__metadata__\"", false, false),
            (b"{\"list\":\"similar\"}", false, false),
            (b"{\"list\":\"see also\",\"ids\":[\"a\"", false, true),
            (b"{\"list\":\"\",\"ids\":[\"a\"", false, false),
            (b"{\"list\":\"a\\\"b\",\"ids\":[\"a\"", false, false),
            (b"", false, false),
        ] {
            assert_eq!(Family::Results.knows(text), results);
            assert_eq!(Family::Rankings.knows(text), is_rankings);
        }
    }

    #[test]
    fn exports_are_known_by_their_shape() {
        let cache = b"{\"metadata\":{\"model\":\"m\",\"num_poems\":3},\n \"sequences\" : {\"0\"";
        let rankings = b"{\n  \"metadata\": {\n    \"total_poems\": 3,\n    \"format\": \
            \"pre_sorted_rankings\"";
        for (text, is_cache, is_rankings) in [
            (&cache[..], true, false),
            (&rankings[..], false, true),
            (b"{\"metadata\": {\"title\": \"num_poems\"}, \"sequences\": {", false, false),
            (b"{\"sequences\": {\"0\": [", false, false),
            (b"{\n  \"metadata\": {\n    \"total_poems\": 3", false, false),
            (b"", false, false),
        ] {
            assert_eq!(Family::DiversityCache.knows(text), is_cache);
            assert_eq!(Family::OlderRankings.knows(text), is_rankings);
            assert!(!Family::Results.knows(text) && !Family::Rankings.knows(text));
        }
    }
}
