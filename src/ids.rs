//! The ids of items: one text, and where each ends; and a table that finds the item of an id.
//!
//! They come with embeddings from files, or from the caller, and go along into files of results.

use std::hash::{BuildHasher, RandomState};

use crate::error::{Error, Result};
use crate::flaw::Flaw;
use crate::memory::{filled, reserve};

/// An empty place of the table. No item has this number: there are at most so many.
const EMPTY: u32 = u32::MAX;

/// The ids of all items, each different from the others.
#[derive(Debug)]
pub struct Ids {
    text: String,
    /// Where each ends in the text.
    ends: Vec<u64>,
    /// Item numbers, each near the place that the hash of its id says.
    table: Vec<u32>,
    /// Seeded, so that no file can be made to have all its ids at one place.
    seed: RandomState,
}

impl Ids {
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
        let end = *self.ends.get(item as usize)?;
        let begin = (item as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(begin as usize..end as usize)
    }

    /// All ids in the order of the items.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        (0..self.ends.len()).map(|item| self.get(item as u32).unwrap_or_default())
    }

    /// The item that has the id.
    pub fn find(&self, id: &str) -> Option<u32> {
        let place = self.place(id);
        self.table.get(place).copied().filter(|&item| item != EMPTY)
    }

    /// Where in the table the item of an id is, or would be.
    fn place(&self, id: &str) -> usize {
        // A power of two, of which at most half is taken.
        let mask = self.table.len() - 1;
        let mut place = self.seed.hash_one(id) as usize & mask;
        loop {
            let item = self.table[place];
            if item == EMPTY || self.get(item) == Some(id) {
                return place;
            }
            place = (place + 1) & mask;
        }
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
        let places = (ids * 2).next_power_of_two() as usize;
        let table = filled(places, EMPTY, "the table of the ids")?;
        let IdList { text, ends } = self;
        let mut ids = Ids { text, ends, table, seed: RandomState::new() };
        for item in 0..num_items {
            let id = ids.get(item).unwrap_or_default();
            let place = ids.place(id);
            let first = ids.table[place];
            if first != EMPTY {
                let id = shortened(id);
                return Err(Flaw::RepeatedId { id, first, second: item }.into());
            }
            ids.table[place] = item;
        }
        Ok(ids)
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
}
