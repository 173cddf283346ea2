//! The JSON of a site.
//!
//! A page: `{"id":"a","metadata":...,"similar":[{"id":"b","similarity":0.912345},...]}`, or
//! `"different":["b","c",...]`. The rankings:
//! `{"list":"similar","ids":["a",...],"items":[0,...],"rankings":[[1,...],...]}` with numbers that
//! are places in `ids`. Similarities have six decimals, rounded half away from zero: the integers
//! that they come from resolve 0.00003. What every entry of an item looks like is laid out once, a
//! page then is mostly copies.

use super::request::List;
use super::row::SiteRow;

/// Texts one behind the other.
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    longest: usize,
}

impl Texts {
    fn new(count: u32, mut write: impl FnMut(u32, &mut Vec<u8>)) -> Texts {
        let mut texts = Texts { bytes: Vec::new(), ends: Vec::new(), longest: 0 };
        texts.ends.reserve_exact(count as usize);
        for item in 0..count {
            let begin = texts.bytes.len();
            write(item, &mut texts.bytes);
            texts.longest = texts.longest.max(texts.bytes.len() - begin);
            texts.ends.push(texts.bytes.len() as u32);
        }
        texts
    }

    fn get(&self, item: u32) -> &[u8] {
        let item = item as usize;
        let begin = item.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin as usize..self.ends[item] as usize]
    }
}

/// Writes the JSON of pages and rankings.
pub(super) struct Json {
    list: List,
    num_items: u32,
    /// `"id"`, quoted and escaped.
    ids: Texts,
    /// What an entry begins with, and the comma before it.
    entries: Texts,
    /// `,17`
    numbers: Texts,
}

impl Json {
    pub(super) fn new(list: List, num_items: u32, ids: Option<&[String]>) -> Json {
        let quoted = |item: u32, to: &mut Vec<u8>| match ids {
            // Writing a text into memory does not fail.
            Some(ids) => serde_json::to_writer(to, &ids[item as usize]).unwrap_or_default(),
            None => to.extend(format!("\"{item}\"").bytes()),
        };
        let ids = Texts::new(num_items, quoted);
        let entries = Texts::new(num_items, |item, to| match list {
            List::Similar => {
                to.extend(b",{\"id\":");
                to.extend(ids.get(item));
                to.extend(b",\"similarity\":");
            }
            List::Different => {
                to.push(b',');
                to.extend(ids.get(item));
            }
        });
        let numbers = Texts::new(num_items, |item, to| to.extend(format!(",{item}").bytes()));
        Json { list, num_items, ids, entries, numbers }
    }

    /// The page of a row, into `page`.
    pub(super) fn page(&self, row: &SiteRow, metadata: Option<&str>, page: &mut Vec<u8>) {
        page.clear();
        // An entry, its number and its brace.
        page.reserve(row.others.len() * (self.entries.longest + 11) + 64);
        page.extend(b"{\"id\":");
        page.extend(self.ids.get(row.item));
        if let Some(metadata) = metadata {
            page.extend(b",\"metadata\":");
            page.extend(metadata.trim().bytes());
        }
        page.extend(b",\"");
        page.extend(self.list.name().bytes());
        page.extend(b"\":[");
        // The first entry has no comma before it.
        let mut comma = 1;
        match self.list {
            List::Similar => {
                for (&other, &similarity) in row.others.iter().zip(row.similarities) {
                    page.extend_from_slice(&self.entries.get(other)[comma..]);
                    push_similarity(page, similarity);
                    page.push(b'}');
                    comma = 0;
                }
            }
            List::Different => {
                for &other in row.others {
                    page.extend_from_slice(&self.entries.get(other)[comma..]);
                    comma = 0;
                }
            }
        }
        page.extend(b"]}\n");
    }

    /// What the rankings begin with; `items` are those of the rows.
    pub(super) fn begin_rankings(&self, items: impl Iterator<Item = u32>) -> Vec<u8> {
        let mut text = format!("{{\"list\":\"{}\",\"ids\":[", self.list.name()).into_bytes();
        for item in 0..self.num_items {
            if item > 0 {
                text.push(b',');
            }
            text.extend(self.ids.get(item));
        }
        text.extend(b"],\"items\":");
        self.ranking(items, &mut text);
        text.extend(b",\"rankings\":[\n");
        text
    }

    pub(super) fn end_rankings(&self) -> &'static [u8] {
        b"\n]}\n"
    }

    /// A list of item numbers.
    pub(super) fn ranking(&self, items: impl Iterator<Item = u32>, text: &mut Vec<u8>) {
        text.push(b'[');
        let mut comma = 1;
        for item in items {
            text.extend_from_slice(&self.numbers.get(item)[comma..]);
            comma = 0;
        }
        text.push(b']');
    }
}

/// All three-digit numbers.
static THREE_DIGITS: [[u8; 3]; 1000] = {
    let mut all = [[b'0'; 3]; 1000];
    let mut number = 0;
    while number < 1000 {
        let digits = [number / 100, number / 10 % 10, number % 10];
        all[number] = [b'0' + digits[0] as u8, b'0' + digits[1] as u8, b'0' + digits[2] as u8];
        number += 1;
    }
    all
};

/// A similarity with six decimals.
fn push_similarity(to: &mut Vec<u8>, similarity: f32) {
    let millionths = (f64::from(similarity) * 1e6).round() as i32;
    if millionths < 0 {
        to.push(b'-');
    }
    let magnitude = millionths.unsigned_abs() as usize;
    let decimals = magnitude % 1_000_000;
    let mut text = *b"0.000000";
    text[0] += (magnitude / 1_000_000).min(9) as u8;
    text[2..5].copy_from_slice(&THREE_DIGITS[decimals / 1000]);
    text[5..8].copy_from_slice(&THREE_DIGITS[decimals % 1000]);
    to.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarities_have_six_decimals() {
        let text = |similarity| {
            let mut to = Vec::new();
            push_similarity(&mut to, similarity);
            String::from_utf8(to).unwrap()
        };
        let cases = [
            (1.0, "1.000000"),
            (-1.0, "-1.000000"),
            (0.0, "0.000000"),
            (-1e-9, "0.000000"),
            (0.5, "0.500000"),
            (-0.123_456_7, "-0.123457"),
            (0.000_001, "0.000001"),
            (1.000_03, "1.000030"),
        ];
        for (similarity, expected) in cases {
            assert_eq!(text(similarity), expected);
        }
    }

    #[test]
    fn pages_are_json_whatever_the_ids() {
        let ids = ["a\"b".to_owned(), "é".into(), "c".into()];
        for list in [List::Similar, List::Different] {
            let json = Json::new(list, 3, Some(&ids));
            let mut page = Vec::new();
            let (others, similarities) = (&[2, 1], &[0.5, -0.25]);
            let row = SiteRow { number: 0, item: 0, others, similarities };
            json.page(&row, Some(" {\"x\": [1]} "), &mut page);
            let value: serde_json::Value = serde_json::from_slice(&page).unwrap();
            assert_eq!((&value["id"], &value["metadata"]["x"][0]), (&"a\"b".into(), &1.into()));
            let first = match list {
                List::Similar => &value["similar"][0]["id"],
                List::Different => &value["different"][0],
            };
            assert_eq!(first, "c");
            let row = SiteRow { number: 1, item: 1, others: &[], similarities: &[] };
            json.page(&row, None, &mut page);
            let value: serde_json::Value = serde_json::from_slice(&page).unwrap();
            assert_eq!(value[list.name()].as_array().unwrap().len(), 0);
            let mut rankings = json.begin_rankings([2, 0].into_iter());
            json.ranking([1, 0].into_iter(), &mut rankings);
            rankings.extend(json.end_rankings());
            let value: serde_json::Value = serde_json::from_slice(&rankings).unwrap();
            assert_eq!(value["items"], serde_json::json!([2, 0]));
            assert_eq!(value["rankings"], serde_json::json!([[1, 0]]));
            assert_eq!(value["ids"][1], "é");
        }
    }
}
