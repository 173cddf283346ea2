//! What is asked for, checked against the corpus, before any engine works.
//!
//! A `Request` is what the caller says; `Plan` is the same with every default filled in: the head
//! of every sequence, their length and the size of the result. A head is what a sequence begins
//! with: its start, or more of it where an earlier run got that far (a sequence's state is its
//! prefix). Engines only ever see plans.

use std::ops::Range;

use crate::error::{Error, Result};

/// Which sequences to compute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The first item of every sequence (0-based, duplicates allowed); `None`: every item in order.
    pub starts: Option<Vec<u32>>,
    /// How many items a sequence holds, the start included; 0: all of them.
    pub length: u32,
}

/// A checked request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The heads, one after the other.
    heads: Vec<u32>,
    /// Items of a head.
    head: u32,
    /// Items of a sequence.
    length: u32,
}

impl Plan {
    /// Checks `request` against a corpus of `num_items` items and fills in the defaults.
    pub fn new(request: &Request, num_items: u32) -> Result<Plan> {
        if request.length > num_items {
            return Err(Error::LengthOutOfRange { length: request.length, num_items });
        }
        let length = if request.length == 0 { num_items } else { request.length };
        let starts = match &request.starts {
            None => (0..num_items).collect(),
            Some(starts) => starts.clone(),
        };
        if starts.is_empty() {
            return Err(Error::ZeroSize { name: "num_starts" });
        }
        match starts.iter().position(|&start| start >= num_items) {
            Some(position) => Err(Error::StartOutOfRange {
                position,
                start: starts[position],
                last: num_items - 1,
            }),
            None => Ok(Plan { heads: starts, head: 1, length }),
        }
    }

    /// Sequences whose first `head` items are known: `heads` holds them one after the other. They
    /// must be items of the corpus without repetitions, and `head` at most `length`.
    pub(crate) fn continuing(heads: Vec<u32>, head: u32, length: u32) -> Plan {
        Plan { heads, head, length }
    }

    /// The plan of the sequences from `first` on.
    pub(crate) fn rest(&self, first: usize) -> Plan {
        self.part(first..self.count())
    }

    /// The plan of some of the sequences.
    pub(crate) fn part(&self, part: Range<usize>) -> Plan {
        let head = self.head as usize;
        Plan { heads: self.heads[part.start * head..part.end * head].to_vec(), ..*self }
    }

    /// How many sequences there are.
    pub fn count(&self) -> usize {
        self.heads.len() / self.head as usize
    }

    /// What each sequence begins with, all of the same length.
    pub fn heads(&self) -> impl Iterator<Item = &[u32]> {
        self.heads.chunks_exact(self.head as usize)
    }

    /// Items of a head, at least 1.
    pub fn head(&self) -> u32 {
        self.head
    }

    /// Items per sequence, at least 1.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Values in the result: sequences x length.
    pub fn output_len(&self) -> usize {
        self.count() * self.length as usize
    }

    /// Picks that have to be computed: every item of every sequence but its head.
    pub fn picks(&self) -> u64 {
        self.count() as u64 * u64::from(self.length - self.head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(starts: &[u32], length: u32) -> Request {
        Request { starts: Some(starts.to_vec()), length }
    }

    #[test]
    fn defaults_are_every_item_and_the_full_length() {
        let plan = Plan::new(&Request::default(), 3).unwrap();
        assert!(plan.heads().eq([[0], [1], [2]]));
        assert_eq!((plan.count(), plan.length(), plan.picks()), (3, 3, 6));
    }

    #[test]
    fn the_rest_of_a_plan_keeps_its_heads() {
        let plan = Plan::continuing(vec![0, 1, 2, 0, 4, 3], 2, 5);
        assert_eq!((plan.count(), plan.picks(), plan.output_len()), (3, 9, 15));
        assert!(plan.rest(1).heads().eq([[2, 0], [4, 3]]));
    }

    #[test]
    fn duplicates_are_allowed_and_limits_are_named() {
        assert!(Plan::new(&request(&[2, 2], 1), 3).is_ok());
        let start = Plan::new(&request(&[0, 3], 0), 3).unwrap_err();
        assert_eq!(start, Error::StartOutOfRange { position: 1, start: 3, last: 2 });
        let length = Plan::new(&request(&[0], 4), 3).unwrap_err();
        assert_eq!(length, Error::LengthOutOfRange { length: 4, num_items: 3 });
        let none = Plan::new(&request(&[], 0), 3).unwrap_err();
        assert_eq!(none, Error::ZeroSize { name: "num_starts" });
    }
}
