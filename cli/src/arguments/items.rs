//! Lists of items as users write them: `0,7,10-20,sea,id:42,@FILE`.
//!
//! A number is an item from 0, two numbers with - between them all from the first to the last. What
//! is no number is an id; with `id:` before it, it is one in any case. `@FILE` has one of these on
//! each line. Heads are lists with ; between them; in a file, one on each line.

use std::fs;

use vkd::{Embeddings, Error, Heads};

use super::standard_input::name_of;
use crate::failure::{self, Failure};

/// The items of a list; `None` of all.
pub(crate) fn starts(list: &str, embeddings: &Embeddings) -> Result<Option<Vec<u32>>, Failure> {
    match list {
        "all" => Ok(None),
        list => items(list, "--starts", embeddings).map(Some),
    }
}

/// Several lists, equally long.
pub(crate) fn heads(lists: &str, embeddings: &Embeddings) -> Result<Heads, Failure> {
    let (mut all, mut length) = (Vec::new(), None);
    let lists = match lists.strip_prefix('@') {
        Some(path) => lines(path)?,
        None => lists.split(';').map(String::from).collect(),
    };
    for (number, list) in lists.iter().enumerate() {
        let head = items(list, "--heads", embeddings)?;
        let first = *length.get_or_insert(head.len());
        if head.len() != first {
            let text = "all heads of a run are equally long";
            let here = head.len();
            let refusal = format!("head {number} has {here} items, the first {first}; {text}");
            return Err(Failure::Usage(refusal));
        }
        all.extend(head);
    }
    let length = u32::try_from(length.unwrap_or(0)).unwrap_or(u32::MAX);
    Ok(Heads { items: all, length })
}

fn items(list: &str, option: &str, embeddings: &Embeddings) -> Result<Vec<u32>, Failure> {
    let reader = Reader { option, embeddings };
    let mut items = Vec::new();
    for one in list.split(',') {
        match one.strip_prefix('@') {
            Some(path) => {
                lines(path)?.iter().try_for_each(|line| reader.add(line, &mut items))?;
            }
            None => reader.add(one, &mut items)?,
        }
    }
    Ok(items)
}

/// Reads what stands for one item or for several.
struct Reader<'a> {
    option: &'a str,
    embeddings: &'a Embeddings,
}

impl Reader<'_> {
    fn add(&self, one: &str, items: &mut Vec<u32>) -> Result<(), Failure> {
        match meaning(one) {
            Meaning::Range(range) if range.last < range.first => {
                Err(self.refused(one, "write the lower number first"))
            }
            Meaning::Range(range) => {
                self.require(range.first, one)?;
                self.require(range.last, one)?;
                items.extend(range.first..=range.last);
                Ok(())
            }
            Meaning::Id("") => {
                Err(self.refused(one, "write a number or an id before and behind every comma"))
            }
            Meaning::Id(id) => {
                items.push(self.find(id)?);
                Ok(())
            }
            Meaning::TooLarge => Err(self.refused(one, "no corpus has so many items")),
        }
    }

    /// Refuses a number that is no item.
    fn require(&self, item: u32, one: &str) -> Result<(), Failure> {
        let items = self.embeddings.shape().num_items;
        match item < items {
            true => Ok(()),
            false => {
                let last = items - 1;
                let text = format!("item numbers run from 0 to {last} (id:{one} is an id)");
                Err(Failure::Failed(format!("{} has {one}; {text}", self.option)))
            }
        }
    }

    fn find(&self, id: &str) -> Result<u32, Failure> {
        let path = || name_of(self.embeddings.path());
        match self.embeddings.ids() {
            None => {
                let has = format!("{} has \"{id}\", which is no number", self.option);
                let why = failure::in_our_words(&Error::NoIds { path: path() });
                Err(Failure::Failed(format!("{has}; {why}")))
            }
            Some(ids) => {
                let unknown = || Error::NoSuchId { path: path(), id: id.into() };
                Ok(ids.find(id).ok_or_else(unknown)?)
            }
        }
    }

    fn refused(&self, one: &str, allowed: &str) -> Failure {
        Failure::Usage(format!("{} has \"{one}\"; {allowed}", self.option))
    }
}

/// What a text between two commas means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning<'a> {
    Range(Range),
    Id(&'a str),
    /// A number, but of no item.
    TooLarge,
}

/// Items, the last one among them.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u32,
    last: u32,
}

fn meaning(text: &str) -> Meaning<'_> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(id) = text.strip_prefix("id:") {
        return Meaning::Id(id);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    if !is_number(first) || !is_number(last) {
        return Meaning::Id(text);
    }
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => Meaning::Range(Range { first, last }),
        _ => Meaning::TooLarge,
    }
}

/// The lines of a file but for those that are empty.
fn lines(path: &str) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::Failed(format!("cannot read {path}: {error}; name a text file behind the @"))
    })?;
    Ok(text.lines().filter(|line| !line.is_empty()).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ranges_and_ids_are_told_apart() {
        let range = |first, last| Meaning::Range(Range { first, last });
        for (text, is) in [
            ("7", range(7, 7)),
            ("007", range(7, 7)),
            ("10-20", range(10, 20)),
            ("20-10", range(20, 10)),
            ("id:7", Meaning::Id("7")),
            ("id:10-20", Meaning::Id("10-20")),
            ("sea", Meaning::Id("sea")),
            ("sea-7", Meaning::Id("sea-7")),
            ("-7", Meaning::Id("-7")),
            ("7-", Meaning::Id("7-")),
            ("1-2-3", Meaning::Id("1-2-3")),
            ("", Meaning::Id("")),
            ("4294967296", Meaning::TooLarge),
        ] {
            assert_eq!(meaning(text), is, "{text}");
        }
    }
}
