//! The bytes of a file of sequences: three to seven tensors.
//!
//! `row_checksums`, 64 bits a sequence; where items have ids `id_ends` and `ids` (see `ids`), the
//! latter behind all others; `starts`, 32 bits a sequence; where heads have several
//! items `heads`, count x head item numbers of 32 bits; where there are values `values`, count x
//! length floats; `sequences`, count x length item numbers of 16 bits if all fit, else 32. What the
//! sequences are of stands in the header's metadata. The bytes depend on the results alone, not on
//! when or in how many runs they were computed.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::tensor::Dtype;

use super::shard::ShardMeta;
use crate::error::{Error, Result};
use crate::rule::Rule;
use crate::store::checksums::{self, Frame};
use crate::store::errors::Refusal;
use crate::store::ids::{self, IdBytes, IdRanges};
use crate::store::items::{item_bytes, item_dtype};
use crate::store::tensors::{self, Header, Tensor};
use crate::units;

/// The format and its version.
pub(in crate::store) const FORMAT: &str = "vkd sequences 2";

/// The version of the integer arithmetic.
const INTEGERS: &str = "1";

/// The names of the tensors.
const ROW_CHECKSUMS: &str = "row_checksums";
const STARTS: &str = "starts";
const HEADS: &str = "heads";
const VALUES: &str = "values";
const SEQUENCES: &str = "sequences";

/// What a file of sequences holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequencesMeta {
    /// The version of the library that began the file.
    pub version: String,
    /// Hash of the prepared integers, 32 hex digits.
    pub fingerprint: String,
    /// Whether the mean was subtracted.
    pub centered: bool,
    /// Items of the corpus.
    pub num_items: u32,
    /// Sequences.
    pub count: u32,
    /// Items of a sequence.
    pub length: u32,
    /// Items of a head, at least 1: what was given of each sequence.
    pub head: u32,
    /// What a sequence asks of its next item.
    pub rule: Rule,
    /// Whether each place of a sequence has a value.
    pub values: bool,
    /// Which part of a whole run these sequences are; `None`: they are the whole.
    pub shard: Option<ShardMeta>,
}

impl SequencesMeta {
    fn tensors(&self, ids: IdBytes) -> Vec<Tensor> {
        let shape = [self.count, self.length];
        let heads = Tensor::new(HEADS, Dtype::U32, &[self.count, self.head]);
        let mut tensors = vec![Tensor::new(ROW_CHECKSUMS, Dtype::U64, &[self.count])];
        tensors.extend(ids::ends_tensor(self.num_items, ids));
        tensors.push(Tensor::new(STARTS, Dtype::U32, &[self.count]));
        tensors.extend((self.head > 1).then_some(heads));
        tensors.extend(self.values.then(|| Tensor::new(VALUES, Dtype::F32, &shape)));
        tensors.push(Tensor::new(SEQUENCES, item_dtype(self.num_items), &shape));
        tensors.extend(ids::text_tensor(ids));
        tensors
    }

    /// Bytes of an item number: 2 or 4.
    pub(super) fn item_bytes(&self) -> u32 {
        item_bytes(self.num_items)
    }

    /// Bytes of a sequence's items.
    pub(super) fn row_bytes(&self) -> u64 {
        u64::from(self.length) * u64::from(self.item_bytes())
    }

    /// Bytes of a sequence's values.
    pub(super) fn value_bytes(&self) -> u64 {
        if self.values {
            u64::from(self.length) * size_of::<f32>() as u64
        } else {
            0
        }
    }

    /// The header, of a file that is not finished.
    pub(super) fn frame(&self, ids: IdBytes) -> Result<Frame> {
        let unfinished = checksums::unfinished();
        let mut texts = BTreeMap::from([
            ("format", FORMAT.into()),
            ("rule", self.rule.name().into()),
            ("integers", INTEGERS.into()),
            ("version", self.version.clone()),
            ("fingerprint", self.fingerprint.clone()),
            ("centered", self.centered.to_string()),
            ("items", self.num_items.to_string()),
            ("checksum", unfinished.clone()),
        ]);
        texts.extend(self.shard.iter().flat_map(ShardMeta::texts));
        texts.extend(self.rule.lambda().map(|lambda| ("lambda", lambda.value().to_string())));
        let header = tensors::header(&texts, &self.tensors(ids));
        Frame::new(&header, &unfinished).map_err(|detail| Error::Internal { detail })
    }
}

/// Where the tensors lie in the file, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SequencesTensors {
    pub(super) row_checksums: Range<u64>,
    pub(super) starts: Range<u64>,
    /// Empty where a head is a start.
    pub(super) heads: Range<u64>,
    /// Empty where there are none.
    pub(super) values: Range<u64>,
    pub(super) sequences: Range<u64>,
    pub(super) ids: IdRanges,
}

impl SequencesTensors {
    /// Tensors that begin at byte `begin`, the end of the header.
    pub(super) fn new(meta: &SequencesMeta, ids: IdBytes, begin: u64) -> SequencesTensors {
        let tensors = meta.tensors(ids);
        let range = |name| tensors::range_of(&tensors, begin, name);
        SequencesTensors {
            row_checksums: range(ROW_CHECKSUMS),
            starts: range(STARTS),
            heads: range(HEADS),
            values: range(VALUES),
            sequences: range(SEQUENCES),
            ids: IdRanges::new(&tensors, begin),
        }
    }

    /// What is in no row, but for the text of the ids: row checksums, the ends of ids, starts and
    /// heads, one behind the other.
    pub(super) fn outside(&self) -> Range<u64> {
        self.row_checksums.start..self.starts.end.max(self.heads.end)
    }

    /// The first item of each head where these are starts, else all items.
    pub(super) fn given(&self) -> Range<u64> {
        if self.heads.is_empty() {
            self.starts.clone()
        } else {
            self.heads.clone()
        }
    }

    /// The items of row `row`.
    pub(super) fn row_items(&self, meta: &SequencesMeta, row: u32) -> Range<u64> {
        row_range(&self.sequences, meta.row_bytes(), row)
    }

    /// The values of row `row`; empty where there are none.
    pub(super) fn row_values(&self, meta: &SequencesMeta, row: u32) -> Range<u64> {
        row_range(&self.values, meta.value_bytes(), row)
    }

    /// Bytes of the whole file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.sequences.end.max(self.ids.text.end)
    }
}

fn row_range(tensor: &Range<u64>, row_bytes: u64, row: u32) -> Range<u64> {
    let begin = tensor.start + u64::from(row) * row_bytes;
    begin..begin + row_bytes
}

/// The header of a file, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SequencesHeader {
    pub(super) meta: SequencesMeta,
    pub(super) tensors: SequencesTensors,
    /// Its bytes, and the checksum of the whole.
    pub(super) frame: Frame,
}

impl SequencesHeader {
    /// Reads the header of a whole file, or says what is wrong with it.
    pub(super) fn parse(file: &[u8]) -> std::result::Result<SequencesHeader, Refusal> {
        let header = Header::parse(file)?;
        header.expect(FORMAT)?;
        header.expect_text("integers", INTEGERS)?;
        let frame = header.frame()?;
        let num_items = header.number("items")?;
        let [count, length] = header.shape(SEQUENCES)?;
        let [_, head] = if header.has(HEADS) { header.shape(HEADS)? } else { [count, 1] };
        let meta = SequencesMeta {
            version: header.text("version").into(),
            fingerprint: header.text("fingerprint").into(),
            centered: header.flag("centered")?,
            num_items,
            count,
            length,
            head,
            rule: rule(header.text("rule"), header.text("lambda"))?,
            values: header.has(VALUES),
            shard: ShardMeta::of(&header, count)?,
        };
        if count == 0 || length == 0 || length > num_items {
            let [count, length, items] = [count, length, num_items].map(units::count);
            return Err(format!("it claims {count} x {length} picks of {items} items").into());
        }
        if head == 0 || head > length {
            let [head, length] = [head, length].map(units::count);
            return Err(format!("it claims heads of {head} items in rows of {length}").into());
        }
        let ids = ids::id_bytes_of(&header)?;
        header.check(&meta.tensors(ids), file.len() as u64)?;
        let tensors = SequencesTensors::new(&meta, ids, header.data_begin);
        Ok(SequencesHeader { meta, tensors, frame })
    }
}

/// The rule of the metadata's texts, if vkd wrote them so.
fn rule(name: &str, lambda: &str) -> std::result::Result<Rule, String> {
    let number = lambda.parse().ok().filter(|_| !lambda.is_empty());
    let written = |rule: &Rule| rule.lambda().map(|lambda| lambda.value().to_string());
    let rule = Rule::new(name, number).ok();
    rule.filter(|rule| written(rule).unwrap_or_default() == lambda).ok_or_else(|| {
        format!("its rule is \"{name}\" with the lambda \"{lambda}\", which vkd does not write")
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rule::Lambda;

    fn meta(num_items: u32, count: u32, length: u32) -> SequencesMeta {
        let fingerprint = "00112233445566778899aabbccddeeff".into();
        let version = "0.1.0".into();
        let (head, rule, values) = (1, Rule::Centroid, false);
        let centered = true;
        SequencesMeta {
            version,
            fingerprint,
            centered,
            num_items,
            count,
            length,
            head,
            rule,
            values,
            shard: None,
        }
    }

    #[test]
    fn headers_are_read_back_and_keep_their_length() {
        for (num_items, item_bytes) in [(1, 2), (65_536, 2), (65_537, 4)] {
            let meta = meta(num_items, 7, 1);
            let frame = meta.frame(None).unwrap();
            let mut file = frame.finished(&[b"sums", b"starts"]);
            assert_eq!((file.len(), file.len() % 8), (frame.unfinished().len(), 0));
            assert_eq!(meta.item_bytes(), item_bytes);
            let tensors = SequencesTensors::new(&meta, None, file.len() as u64);
            file.resize(tensors.file_bytes() as usize, 0);
            let read = SequencesHeader::parse(&file).unwrap();
            assert_eq!((read.meta, read.tensors), (meta, tensors));
            let path = Path::new("file");
            read.frame.check(path, &[b"sums", b"starts"]).unwrap();
            assert!(read.frame.check(path, &[b"sum", b"starts"]).is_err());
            assert!(frame.check(path, &[b"sums", b"starts"]).is_err());
            assert_eq!(read.frame.unfinished(), frame.unfinished());
        }
    }

    #[test]
    fn rules_heads_and_values_are_read_back() {
        let lambda = Lambda::new(0.7).unwrap();
        for rule in [Rule::Centroid, Rule::Farthest, Rule::Mmr(lambda), Rule::Chain] {
            for (head, values, ids) in
                [(1, true, None), (3, false, Some(0)), (3, true, None), (9, true, Some(77))]
            {
                let meta = SequencesMeta { head, rule, values, ..meta(70_000, 5, 9) };
                let mut file = meta.frame(ids).unwrap().finished(&[]);
                let begin = file.len() as u64;
                let tensors = SequencesTensors::new(&meta, ids, begin);
                let ends = if ids.is_some() { 70_000 * 8 } else { 0 };
                let heads = if head > 1 { 5 * 4 * u64::from(head) } else { 0 };
                let values = if values { 5 * 9 * 4 } else { 0 };
                assert_eq!(tensors.outside(), begin..begin + 60 + ends + heads);
                assert_eq!(tensors.sequences.start, begin + 60 + ends + heads + values);
                assert_eq!(tensors.file_bytes(), tensors.sequences.end + ids.unwrap_or(0));
                let last = tensors.row_values(&meta, 4);
                assert_eq!((last.end, last.end - last.start), (tensors.values.end, values / 5));
                file.resize(tensors.file_bytes() as usize, 0);
                let read = SequencesHeader::parse(&file).unwrap();
                assert_eq!((read.meta, read.tensors), (meta, tensors));
            }
        }
    }

    #[test]
    fn rules_have_one_text() {
        assert_eq!(rule("mmr", "0.70001220703125"), Ok(Rule::Mmr(Lambda::new(0.7).unwrap())));
        assert_eq!(rule("chain", ""), Ok(Rule::Chain));
        for (name, lambda) in
            [("mmr", ""), ("mmr", "0.7"), ("mmr", "0.50"), ("mmr", "2"), ("chain", "0.5"), ("", "")]
        {
            let error = rule(name, lambda).unwrap_err();
            assert!(error.contains(&format!("\"{lambda}\"")), "{error}");
        }
    }

    #[test]
    fn heads_that_no_row_holds_are_refused() {
        let meta = SequencesMeta { head: 9, ..meta(100, 5, 9) };
        let header = meta.frame(None).unwrap().finished(&[]);
        let end = SequencesTensors::new(&meta, None, header.len() as u64).file_bytes();
        let text = String::from_utf8(header[8..].to_vec()).unwrap();
        for (from, to) in [("\"shape\":[5,9]},\"row", "\"shape\":[5,8]},\"row"), ("[5,9]", "[5,0]")]
        {
            let text = text.replacen(from, to, 1);
            let mut file = [&header[..8], text.as_bytes()].concat();
            file.resize(end as usize, 0);
            assert!(SequencesHeader::parse(&file).is_err(), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let meta = meta(100, 5, 9);
        let mut file = meta.frame(None).unwrap().finished(&[]);
        let tensors = SequencesTensors::new(&meta, None, file.len() as u64);
        file.resize(tensors.file_bytes() as usize, 0);
        assert!(SequencesHeader::parse(&file).is_ok());
        assert!(SequencesHeader::parse(&file[..file.len() - 1]).is_err());
        let header = Header::parse(&file).unwrap();
        let error = header.check(&meta.tensors(None), tensors.file_bytes() - 1).unwrap_err();
        assert!(error.contains("its header says"), "{error}");
        let changed = |from: &str, to: &str| {
            let place =
                file.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
            let mut changed = file.clone();
            changed[place..place + to.len()].copy_from_slice(to.as_bytes());
            SequencesHeader::parse(&changed).unwrap_err().at(Path::new("file")).to_string()
        };
        let error = changed("sequences 2", "sequences 1");
        assert!(error.contains("sequences 1") && error.contains("damaged"), "{error}");
        let error = changed("sequences 2", "neighbors 2");
        assert!(error.contains("neighbors 2") && !error.contains("damaged"), "{error}");
        let error = changed("vkd sequences", "VKD sequences");
        assert!(error.contains("no results file of vkd"), "{error}");
        let error = changed("[5,9]", "[9,5]");
        assert!(error.contains("row_checksums"), "{error}");
    }
}
