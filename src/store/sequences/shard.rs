//! What a file of a part of a run says of the whole: three texts of its metadata.
//!
//! `shard` is the part, `of_sequences` how many sequences the whole run has, `of_heads` a hash of
//! what these begin with. A file that holds a whole run has none of them.

use xxhash_rust::xxh3::Xxh3;

use crate::shard::Shard;
use crate::store::tensors::Header;

const SHARD: &str = "shard";
const OF_SEQUENCES: &str = "of_sequences";
const OF_HEADS: &str = "of_heads";

/// A part, and what it is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShardMeta {
    /// The part.
    pub shard: Shard,
    /// Sequences of the whole run.
    pub of_sequences: u32,
    /// Hash of all heads of the whole run, of their items as little-endian u32.
    pub of_heads: String,
}

impl ShardMeta {
    /// As the metadata have it.
    pub(super) fn texts(&self) -> [(&'static str, String); 3] {
        [
            (SHARD, self.shard.to_string()),
            (OF_SEQUENCES, self.of_sequences.to_string()),
            (OF_HEADS, self.of_heads.clone()),
        ]
    }

    /// Reads what the metadata of a file of `count` sequences say, if vkd wrote them so.
    pub(super) fn of(
        header: &Header,
        count: u32,
    ) -> std::result::Result<Option<ShardMeta>, String> {
        let found = [SHARD, OF_SEQUENCES, OF_HEADS].map(|key| (key, header.text(key).to_owned()));
        if found.iter().all(|(_, text)| text.is_empty()) {
            return Ok(None);
        }
        let [(_, shard), (_, of_sequences), (_, of_heads)] = &found;
        let read = |shard: Shard| {
            let of_sequences = of_sequences.parse().ok()?;
            let fits = shard.part(of_sequences).is_ok_and(|part| part.end - part.start == count);
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_hash = of_heads.len() == 32 && of_heads.bytes().all(is_digit);
            (fits && is_hash).then(|| ShardMeta { shard, of_sequences, of_heads: of_heads.clone() })
        };
        let meta = shard.parse().ok().and_then(read);
        match meta.filter(|meta| meta.texts() == found) {
            None => Err(format!(
                "its {count} sequences are the part \"{shard}\" of \"{of_sequences}\" with the \
                 heads \"{of_heads}\", which vkd does not write"
            )),
            meta => Ok(meta),
        }
    }
}

/// Hash of the items of all heads of a run, one head after the other. 32 hex digits.
pub(crate) fn heads_hash(items: impl Iterator<Item = u32>) -> String {
    let mut hash = Xxh3::new();
    items.for_each(|item| hash.update(&item.to_le_bytes()));
    format!("{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rule::Rule;
    use crate::store::sequences::format::{SequencesHeader, SequencesMeta, SequencesTensors};

    #[test]
    fn parts_have_one_text() {
        let of_heads = heads_hash([3, 1, 4, 1, 5, 9].into_iter());
        let bytes: Vec<u8> = [3u32, 1, 4, 1, 5, 9].into_iter().flat_map(u32::to_le_bytes).collect();
        assert_eq!(of_heads, format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes)));
        let shard = ShardMeta { shard: "2/4".parse().unwrap(), of_sequences: 6, of_heads };
        let whole = SequencesMeta {
            version: "0.1.0".into(),
            fingerprint: "00112233445566778899aabbccddeeff".into(),
            centered: true,
            num_items: 100,
            count: 2,
            length: 9,
            head: 1,
            rule: Rule::Centroid,
            values: false,
            shard: None,
        };
        let part = SequencesMeta { shard: Some(shard), ..whole.clone() };
        let header = part.frame(None).unwrap().finished(&[]);
        let tensors = SequencesTensors::new(&part, None, header.len() as u64);
        let parsed = |text: &str| {
            let mut file = [&header[..8], text.as_bytes()].concat();
            file.resize(tensors.file_bytes() as usize, 0);
            SequencesHeader::parse(&file)
        };
        let text = String::from_utf8(header[8..].to_vec()).unwrap();
        assert_eq!(parsed(&text).unwrap().meta, part);
        let hash = part.shard.as_ref().map(|shard| shard.of_heads.clone()).unwrap();
        for (from, to) in [
            ("\"2/4\"", "\"1/4\""),
            ("\"2/4\"", "\"5/4\""),
            ("\"2/4\"", "\"0/4\""),
            ("\"2/4\"", "\"2-4\""),
            ("\"shard\"", "\"Shard\""),
            ("\"of_sequences\":\"6\"", "\"of_sequences\":\"1\""),
            ("\"of_sequences\":\"6\"", "\"of_sequences\":\"x\""),
            ("\"of_heads\"", "\"of_Heads\""),
            (hash.as_str(), hash.replacen(|_| true, "g", 1).as_str()),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            let error = parsed(&changed).unwrap_err().at(Path::new("file")).to_string();
            assert!(error.contains("which vkd does not write"), "{to}: {error}");
        }
        assert!(!String::from_utf8_lossy(whole.frame(None).unwrap().unfinished()).contains("of_"));
    }
}
