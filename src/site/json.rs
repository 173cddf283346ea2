//! The JSON of a site.
//!
//! A page: `{"id":"a","metadata":...,"similar":[{"id":"b","similarity":0.912345},...]}`, or
//! `"different":["b","c",...]` from sequences (the list's name is the rule's or the caller's). The
//! rankings:
//! `{"list":"similar","ids":["a",...],"items":[0,...],"rankings":[[1,...],...]}` with numbers that
//! are places in `ids`. Similarities have six decimals, rounded half away from zero: the integers
//! that they come from resolve 0.00003. What every entry of an item looks like is laid out once, a
//! page then is mostly copies.

use super::ours::Form;
use super::request::{List, Site};
use super::row::SiteRow;
use crate::error::{Error, Result};
use crate::texts::{push_quoted, Texts};

/// Makes room for `count` values more.
fn room_for<T>(values: &mut Vec<T>, count: usize) -> Result<()> {
    let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
    let refused = Error::HostMemory { what: "the texts of a site", bytes };
    values.try_reserve_exact(count).map_err(|_| refused)
}

/// How the pages of an item look, with metadata and without: with any list that has its name of
/// itself, or with the name that the caller gives.
pub(super) fn page_form(site: &Site, item: u32) -> Form {
    let mut begin = b"{\"id\":".to_vec();
    push_quoted(&site.id(item), &mut begin);
    let head = |member: &str| [&begin, format!(",\"{member}\":").as_bytes()].concat();
    let members = ["metadata"].into_iter().chain(List::NAMES).chain(site.list.as_deref());
    Form { heads: members.map(head).collect(), tail: PAGE_TAIL, name: "page of this item" }
}

/// What a file of rankings ends with.
pub(super) const RANKINGS_TAIL: &[u8] = b"\n]}\n";

/// What a file of rankings begins with, up to its first id (`store/family.rs` knows it).
fn rankings_head(name: &str) -> Vec<u8> {
    format!("{{\"list\":\"{name}\",\"ids\":[").into_bytes()
}

/// What a page ends with.
const PAGE_TAIL: &[u8] = b"]}\n";

/// Writes the JSON of pages and rankings.
pub(super) struct Json<'a> {
    list: List,
    /// What the list is called.
    name: &'a str,
    num_items: u32,
    /// `"id"`, quoted and escaped.
    ids: Texts,
    /// What an entry begins with, and the comma before it.
    entries: Texts,
    /// `,17`
    numbers: Texts,
}

impl<'a> Json<'a> {
    /// For the lists of so many items; the site was checked.
    pub(super) fn new(list: List, num_items: u32, site: &'a Site) -> Result<Json<'a>> {
        let quoted = |item: u32, to: &mut Vec<u8>| match &site.ids {
            Some(ids) => push_quoted(&ids[item as usize], to),
            None => to.extend(format!("\"{item}\"").bytes()),
        };
        let ids = Texts::new(num_items, quoted)?;
        let entries = Texts::new(num_items, |item, to| match list {
            List::Similar => {
                to.extend(b",{\"id\":");
                to.extend(ids.get(item));
                to.extend(b",\"similarity\":");
            }
            List::Picks(_) => {
                to.push(b',');
                to.extend(ids.get(item));
            }
        })?;
        let numbers = Texts::new(num_items, |item, to| to.extend(format!(",{item}").bytes()))?;
        Ok(Json { list, name: site.list_name(list), num_items, ids, entries, numbers })
    }

    /// The page of a row, into `page`.
    pub(super) fn page(
        &self,
        row: &SiteRow,
        metadata: Option<&str>,
        page: &mut Vec<u8>,
    ) -> Result<()> {
        page.clear();
        // An entry, its number and its brace.
        let entries = row.others.len() * (self.entries.longest() + 11);
        room_for(
            page,
            entries + self.ids.longest() + self.name.len() + metadata.map_or(0, str::len) + 64,
        )?;
        page.extend(b"{\"id\":");
        page.extend(self.ids.get(row.item));
        if let Some(metadata) = metadata {
            page.extend(b",\"metadata\":");
            page.extend(metadata.trim().bytes());
        }
        page.extend(b",\"");
        page.extend(self.name.bytes());
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
            List::Picks(_) => {
                for &other in row.others {
                    page.extend_from_slice(&self.entries.get(other)[comma..]);
                    comma = 0;
                }
            }
        }
        page.extend(PAGE_TAIL);
        Ok(())
    }

    /// Gives what the rankings begin with to `put`, part by part; `items` are those of the rows.
    pub(super) fn begin_rankings(
        &self,
        items: impl Iterator<Item = u32>,
        mut put: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        put(&rankings_head(self.name))?;
        for item in 0..self.num_items {
            put(if item > 0 { b"," } else { b"" })?;
            put(self.ids.get(item))?;
        }
        put(b"],\"items\":[")?;
        for (place, item) in items.enumerate() {
            put(&self.numbers.get(item)[usize::from(place == 0)..])?;
        }
        put(b"],\"rankings\":[\n")
    }

    /// A list of item numbers, into `text`.
    pub(super) fn ranking(&self, items: &[u32], text: &mut Vec<u8>) -> Result<()> {
        text.clear();
        room_for(text, items.len() * self.numbers.longest() + 2)?;
        text.push(b'[');
        let mut comma = 1;
        for &item in items {
            text.extend_from_slice(&self.numbers.get(item)[comma..]);
            comma = 0;
        }
        text.push(b']');
        Ok(())
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
    use crate::rule::Rule;

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
        let ids = Some(vec!["a\"b".to_owned(), "é".into(), "c".into()]);
        let site = Site { ids, ..Site::default() };
        for list in [List::Similar, List::Picks(Rule::Centroid)] {
            let json = Json::new(list, 3, &site).unwrap();
            let mut page = Vec::new();
            let (others, similarities) = (&[2, 1], &[0.5, -0.25]);
            let row = SiteRow { number: 0, item: 0, others, similarities };
            json.page(&row, Some(" {\"x\": [1]} "), &mut page).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&page).unwrap();
            assert_eq!((&value["id"], &value["metadata"]["x"][0]), (&"a\"b".into(), &1.into()));
            let first = match list {
                List::Similar => &value["similar"][0]["id"],
                List::Picks(_) => &value["different"][0],
            };
            assert_eq!(first, "c");
            let row = SiteRow { number: 1, item: 1, others: &[], similarities: &[] };
            json.page(&row, None, &mut page).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&page).unwrap();
            assert_eq!(value[list.name()].as_array().unwrap().len(), 0);
            let (mut rankings, mut ranking) = (Vec::new(), Vec::new());
            let put = |part: &[u8]| {
                rankings.extend(part);
                Ok(())
            };
            json.begin_rankings([2, 0].into_iter(), put).unwrap();
            json.ranking(&[1, 0], &mut ranking).unwrap();
            rankings.extend(ranking);
            rankings.extend(RANKINGS_TAIL);
            let value: serde_json::Value = serde_json::from_slice(&rankings).unwrap();
            assert_eq!(value["items"], serde_json::json!([2, 0]));
            assert_eq!(value["rankings"], serde_json::json!([[1, 0]]));
            assert_eq!(value["ids"][1], "é");
        }
    }
}
