//! The ids of items: one text, and where each ends; and a table that finds the item of an id.
//!
//! They come with embeddings from files, or from the caller, and go along into files of results.
//! `IdSlice` is what both have in common: ids as they lie in memory or in a mapped file, which may
//! say anything until it is checked.

use std::hash::{BuildHasher, RandomState};

use crate::error::{Error, Result};
use crate::flaw::Flaw;
use crate::memory::{filled, reserve, room, Bytes};

/// An empty place of the table. No item has this number: there are at most so many.
const EMPTY: u32 = u32::MAX;

/// The ids of all items, each different from the others.
#[derive(Debug)]
pub struct Ids {
    text: String,
    /// Where each ends in the text.
    ends: Vec<u64>,
    table: IdTable,
}

impl Ids {
    /// These ids, in the order of the items. Two that are equal are an error.
    pub fn new<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Result<Ids> {
        let mut list = IdList::default();
        ids.into_iter().try_for_each(|id| list.push(id.as_ref()))?;
        let too_many = |_| IdsFault::from(Flaw::TooManyItems);
        let num_items = u32::try_from(list.len()).map_err(too_many);
        num_items.and_then(|num_items| list.finish(num_items)).map_err(IdsFault::of_caller)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of an item.
    pub fn get(&self, item: u32) -> Option<&str> {
        self.as_slice().get(item)
    }

    /// All ids in the order of the items.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        self.as_slice().iter()
    }

    /// The item that has the id.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.table.find(self.as_slice(), id)
    }

    /// Bytes of memory that they take.
    pub(crate) fn bytes(&self) -> Bytes {
        let (text, table) = (self.text.len() as u64, self.table.items.len() as u64);
        Bytes::new(text) + Bytes::of::<u64>(self.ends.len() as u64) + Bytes::of::<u32>(table)
    }

    /// As they lie in memory.
    pub fn as_slice(&self) -> IdSlice<'_> {
        IdSlice { text: self.text.as_bytes(), ends: &self.ends }
    }

    /// All ids, one behind the other.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where each ends in the text.
    pub(crate) fn ends(&self) -> &[u64] {
        &self.ends
    }
}

impl PartialEq for Ids {
    fn eq(&self, other: &Ids) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Ids {}

/// The ids of all items, in memory or in a file: the bytes of one text, and where each id ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdSlice<'a> {
    text: &'a [u8],
    ends: &'a [u64],
}

impl<'a> IdSlice<'a> {
    /// Ids of a file; `check` tells whether they are some.
    pub(crate) fn new(text: &'a [u8], ends: &'a [u64]) -> IdSlice<'a> {
        IdSlice { text, ends }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of an item.
    pub fn get(&self, item: u32) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(item)?).ok()
    }

    /// All ids in the order of the items.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a str> {
        (0..self.ends.len()).map(move |item| self.get(item as u32).unwrap_or_default())
    }

    /// A copy of each.
    pub(crate) fn to_texts(self) -> Result<Vec<String>> {
        let what = "a copy of the ids";
        let mut all = room(self.len(), what)?;
        for id in self.iter() {
            let mut bytes = room(id.len(), what)?;
            bytes.extend_from_slice(id.as_bytes());
            // It was a text before.
            all.push(String::from_utf8(bytes).unwrap_or_default());
        }
        Ok(all)
    }

    /// The bytes of an id.
    fn bytes(&self, item: u32) -> Option<&'a [u8]> {
        let end = *self.ends.get(item as usize)?;
        let begin = (item as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(usize::try_from(begin).ok()?..usize::try_from(end).ok()?)
    }

    /// Says why these are no ids, but for some that are equal.
    pub(crate) fn check(&self) -> std::result::Result<(), &'static str> {
        let text = std::str::from_utf8(self.text).map_err(|_| "its ids are not UTF-8")?;
        let is_end = |&end: &u64| usize::try_from(end).is_ok_and(|end| text.is_char_boundary(end));
        let fits = self.ends.is_sorted() && self.ends.iter().all(is_end);
        match fits && self.ends.last().copied().unwrap_or(0) == text.len() as u64 {
            true => Ok(()),
            false => Err("its ids do not fit their ends"),
        }
    }

    /// The first item that has another id in `other`, or in one of the two none.
    pub(crate) fn first_difference(&self, other: &IdSlice) -> Option<u32> {
        if self == other {
            return None;
        }
        let most = self.len().max(other.len()) as u64;
        (0..most).map(|item| item as u32).find(|&item| self.bytes(item) != other.bytes(item))
    }

    /// All ids, one behind the other.
    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Where each ends in the text.
    pub(crate) fn ends(&self) -> &'a [u64] {
        self.ends
    }
}

/// Finds the item of an id, among the ids that it was made of.
#[derive(Debug)]
pub(crate) struct IdTable {
    /// Item numbers, each near the place that the hash of its id says.
    items: Vec<u32>,
    /// Seeded, so that no file can be made to have all its ids at one place.
    seed: RandomState,
}

impl IdTable {
    /// The table of these ids, unless two of them are equal.
    pub(crate) fn new(ids: IdSlice) -> std::result::Result<IdTable, IdsFault> {
        let places = (ids.len() as u64 * 2).next_power_of_two() as usize;
        let items = filled(places, EMPTY, "the table of the ids")?;
        let mut table = IdTable { items, seed: RandomState::new() };
        for (item, id) in (0..).zip(ids.iter()) {
            let place = table.place(ids, id);
            let first = table.items[place];
            if first != EMPTY {
                let id = shortened(id);
                return Err(Flaw::RepeatedId { id, first, second: item }.into());
            }
            table.items[place] = item;
        }
        Ok(table)
    }

    /// The item that has the id.
    pub(crate) fn find(&self, ids: IdSlice, id: &str) -> Option<u32> {
        let item = self.items[self.place(ids, id)];
        Some(item).filter(|&item| item != EMPTY)
    }

    /// Where the item of an id is, or would be.
    fn place(&self, ids: IdSlice, id: &str) -> usize {
        // A power of two, of which at most half is taken.
        let mask = self.items.len() - 1;
        let mut place = self.seed.hash_one(id) as usize & mask;
        loop {
            let item = self.items[place];
            if item == EMPTY || ids.bytes(item) == Some(id.as_bytes()) {
                return place;
            }
            place = (place + 1) & mask;
        }
    }
}

/// Why ids are none.
#[derive(Debug)]
pub(crate) enum IdsFault {
    /// What is wrong with them.
    Flaw(Box<Flaw>),
    /// Such as too little memory.
    Other(Box<Error>),
}

impl From<Flaw> for IdsFault {
    fn from(flaw: Flaw) -> IdsFault {
        IdsFault::Flaw(Box::new(flaw))
    }
}

impl From<Error> for IdsFault {
    fn from(error: Error) -> IdsFault {
        IdsFault::Other(Box::new(error))
    }
}

impl IdsFault {
    /// The error of ids that the caller gives; a file has a name, which its reader adds.
    pub(crate) fn of_caller(self) -> Error {
        match self {
            IdsFault::Flaw(flaw) => Error::Ids { flaw },
            IdsFault::Other(error) => *error,
        }
    }
}

/// Ids as they are read.
#[derive(Debug, Default)]
pub(crate) struct IdList {
    text: String,
    ends: Vec<u64>,
}

impl IdList {
    /// Ids that lie in one text already.
    pub(crate) fn of(text: String, ends: Vec<u64>) -> IdList {
        IdList { text, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds the id of the next item.
    pub(crate) fn push(&mut self, id: &str) -> Result<()> {
        let what = "the ids";
        let free = self.text.capacity() - self.text.len();
        if free < id.len() {
            let more = id.len().max(self.text.len() / 4).max(1 << 10);
            let mut bytes = std::mem::take(&mut self.text).into_bytes();
            reserve(&mut bytes, more, what)?;
            // It was a text before.
            self.text = String::from_utf8(bytes).unwrap_or_default();
        }
        if self.ends.len() == self.ends.capacity() {
            let more = (self.ends.len() / 4).max(1 << 7);
            reserve(&mut self.ends, more, what)?;
        }
        self.text.push_str(id);
        self.ends.push(self.text.len() as u64);
        Ok(())
    }

    /// The ids of `num_items` items, each different from the others.
    pub(crate) fn finish(self, num_items: u32) -> std::result::Result<Ids, IdsFault> {
        let ids = self.ends.len() as u64;
        if ids != u64::from(num_items) {
            return Err(Flaw::IdCount { ids, num_items }.into());
        }
        let IdList { text, ends } = self;
        let table = IdTable::new(IdSlice { text: text.as_bytes(), ends: &ends })?;
        Ok(Ids { text, ends, table })
    }
}

/// An id as a message shows it.
pub(crate) fn shortened(id: &str) -> String {
    id.chars().take(60).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_finds_its_item_and_none_comes_twice() {
        let mut list = IdList::default();
        (0..1000).for_each(|item| list.push(&format!("poem {item}")).unwrap());
        let ids = list.finish(1000).unwrap();
        for item in 0..1000 {
            assert_eq!(ids.find(&format!("poem {item}")), Some(item));
        }
        assert_eq!((ids.find("poem 1000"), ids.get(1000), ids.len()), (None, None, 1000));
        assert!(ids.iter().eq((0..1000).map(|item| format!("poem {item}"))));
        let mut list = IdList::default();
        ["a", "", "b", ""].iter().for_each(|id| list.push(id).unwrap());
        match list.finish(4) {
            Err(IdsFault::Flaw(flaw)) => {
                assert_eq!(*flaw, Flaw::RepeatedId { id: String::new(), first: 1, second: 3 });
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ids_that_a_file_only_claims_are_no_ids() {
        let ids = |text, ends| IdSlice::new(text, ends);
        assert_eq!(ids("aé".as_bytes(), &[1, 1, 3]).check(), Ok(()));
        assert_eq!(ids(b"", &[]).check(), Ok(()));
        for (text, ends) in [
            ("aé".as_bytes(), &[1, 2, 3][..]),
            (b"abc", &[2, 1, 3]),
            (b"abc", &[1, 2]),
            (b"abc", &[1, 2, 4]),
            (b"abc", &[1, u64::MAX, 3]),
            (b"abc", &[]),
            (b"a\xff", &[1, 2]),
        ] {
            let ids = ids(text, ends);
            assert!(ids.check().is_err(), "{ids:?}");
            assert_eq!(ids.iter().len(), ends.len());
        }
    }

    #[test]
    fn the_first_id_that_differs_is_named() {
        let of = |ids: &[&str]| Ids::new(ids).unwrap();
        let (one, two) = (of(&["a", "bc", "d"]), of(&["a", "b", "cd"]));
        assert_eq!(one.as_slice().first_difference(&two.as_slice()), Some(1));
        assert_eq!(one.as_slice().first_difference(&of(&["a", "bc"]).as_slice()), Some(2));
        assert_eq!(one.as_slice().first_difference(&of(&["a", "bc", "d"]).as_slice()), None);
        assert!(one == of(&["a", "bc", "d"]) && one != two);
        let error = Ids::new(["a", "b", "a"]).unwrap_err();
        assert!(error.to_string().contains("items 0 and 2 (0-based)"), "{error}");
    }
}
