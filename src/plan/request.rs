//! What the caller asks for, and whether the corpus has it.

use std::ops::Range;

use super::shape::{PlanShape, UNBOUND};
use crate::error::{Error, Result};
use crate::memory::room;
use crate::rule::Rule;
use crate::shard::Shard;

/// Which sequences to compute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The first item of every sequence (0-based, duplicates allowed); `None`: every item in order.
    pub starts: Option<Vec<u32>>,
    /// Instead of starts: several items that each sequence begins with.
    pub heads: Option<Heads>,
    /// How many items a sequence holds, the head included; 0: all of them.
    pub length: u32,
    /// What a sequence asks of its next item.
    pub rule: Rule,
    /// Whether each place of a sequence gets a value, see [`crate::Sequences`].
    pub values: bool,
    /// Which part of these sequences; `None`: all of them.
    pub shard: Option<Shard>,
}

/// What sequences begin with: "these I have shown already".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// The items (0-based) of all heads, one head after the other. A head holds no item twice.
    pub items: Vec<u32>,
    /// Items of each head, at least 1.
    pub length: u32,
}

impl Request {
    /// Checks the request against a corpus of `num_items` items and fills in the defaults.
    pub fn shape(&self, num_items: u32) -> Result<PlanShape> {
        if num_items == 0 {
            return Err(Error::ZeroSize { name: "num_items" });
        }
        if self.length > num_items {
            return Err(Error::LengthOutOfRange { length: self.length, num_items });
        }
        let length = if self.length == 0 { num_items } else { self.length };
        let head = self.head();
        let part = self.part(self.whole_count(num_items)?)?;
        if head > length {
            return Err(Error::HeadTooLong { head, length });
        }
        let lists = if self.starts.is_some() || self.heads.is_some() { head } else { 0 };
        let (count, rule, values) = (part.end - part.start, self.rule, self.values);
        Ok(PlanShape { count, head, length, lists, rule, values, ..UNBOUND })
    }

    /// How many sequences the whole request has, whose heads are checked.
    pub(crate) fn whole_count(&self, num_items: u32) -> Result<u32> {
        let count = match (&self.starts, &self.heads) {
            (None, None) => num_items,
            (Some(starts), None) => checked_count(starts, num_items)?,
            (None, Some(heads)) => heads.checked_count(num_items)?,
            (Some(_), Some(_)) => return Err(Error::StartsAndHeads),
        };
        let name = if self.heads.is_some() { "num_heads" } else { "num_starts" };
        match count {
            0 => Err(Error::ZeroSize { name }),
            count => Ok(count),
        }
    }

    /// The items of all heads of the whole request, of which there are `count`.
    pub(crate) fn whole_heads(&self, count: u32) -> impl Iterator<Item = u32> + '_ {
        let (given, all) = match self.given() {
            Some(items) => (items, 0..0),
            None => (&[][..], 0..count),
        };
        given.iter().copied().chain(all)
    }

    /// The items of the heads that are given; `None`: every item is one.
    pub(super) fn given(&self) -> Option<&[u32]> {
        let heads = self.heads.as_ref().map(|heads| heads.items.as_slice());
        self.starts.as_deref().or(heads)
    }

    /// Items of a head.
    pub(super) fn head(&self) -> u32 {
        self.heads.as_ref().map_or(1, |heads| heads.length)
    }

    /// Which of `count` sequences are asked for.
    pub(super) fn part(&self, count: u32) -> Result<Range<u32>> {
        self.shard.map_or(Ok(0..count), |shard| shard.part(count))
    }
}

impl Heads {
    /// How many heads there are, all of them of items of the corpus, none twice in a head.
    fn checked_count(&self, num_items: u32) -> Result<u32> {
        if self.length == 0 {
            return Err(Error::ZeroSize { name: "head_length" });
        }
        let length = self.length as usize;
        if !self.items.len().is_multiple_of(length) {
            return Err(Error::HeadLength { items: self.items.len(), length: self.length });
        }
        let mut sorted = room(length, "the check of the heads")?;
        for (head, items) in self.items.chunks_exact(length).enumerate() {
            if let Some(place) = items.iter().position(|&item| item >= num_items) {
                let (item, last) = (items[place], num_items - 1);
                return Err(Error::HeadOutOfRange { head, place, item, last });
            }
            if let Some((place, item)) = repeated(items, &mut sorted) {
                return Err(Error::HeadRepeats { head, place, item });
            }
        }
        count_of(self.items.len() / length, "num_heads", "heads")
    }
}

/// Where an item stands for the second time, and which. `sorted` has room for all of them.
fn repeated(items: &[u32], sorted: &mut Vec<u32>) -> Option<(usize, u32)> {
    sorted.clear();
    sorted.extend(items);
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| {
        let mut places = (0..items.len()).filter(|&place| items[place] == pair[0]);
        (places.nth(1).unwrap_or_default(), pair[0])
    })
}

/// How many starts there are, all of them items.
fn checked_count(starts: &[u32], num_items: u32) -> Result<u32> {
    if let Some(position) = starts.iter().position(|&start| start >= num_items) {
        let (start, last) = (starts[position], num_items - 1);
        return Err(Error::StartOutOfRange { position, start, last });
    }
    count_of(starts.len(), "num_starts", "starts")
}

fn count_of(count: usize, option: &'static str, what: &str) -> Result<u32> {
    u32::try_from(count).map_err(|_| Error::BadOption {
        option,
        got: count.to_string(),
        allowed: format!("at most {} {what} in one run", u32::MAX),
    })
}
