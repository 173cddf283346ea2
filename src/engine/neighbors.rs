//! Neighbours: for every query the k items with the greatest dot products, on equal ones the lower number first.
//!
//! All engines order by one key of 64 bits, smallest first: the dot product turned around above, the item's number below.
//! `Nearest` keeps the k smallest keys of a stream.

use crate::corpus::Corpus;
use crate::error::{zeroed, Error, Result};

/// What to compare with the corpus, and how many to keep.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The rows to find neighbours of; `None`: the corpus's own, each without itself.
    pub queries: Option<&'a Corpus>,
    /// Neighbours of each.
    pub k: u32,
}

impl<'a> Query<'a> {
    /// The shape of a search in `corpus`.
    pub(crate) fn shape(&self, corpus: &Corpus) -> QueryShape {
        QueryShape {
            num_items: corpus.num_items(),
            dim: corpus.dim(),
            num_rows: self.rows(corpus).num_items(),
            own: self.queries.is_none(),
            k: self.k,
        }
    }

    /// The rows to find neighbours of.
    pub(crate) fn rows<'b>(&self, corpus: &'b Corpus) -> &'b Corpus
    where
        'a: 'b,
    {
        self.queries.unwrap_or(corpus)
    }

    /// The item that row `row` must not get: itself.
    pub(crate) fn excluded(&self, row: u32) -> Option<u32> {
        self.queries.is_none().then_some(row)
    }
}

/// The shape of a search, without the embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryShape {
    /// Items of the corpus.
    pub num_items: u32,
    /// Dimensions of each.
    pub dim: u32,
    /// Rows to find neighbours of.
    pub num_rows: u32,
    /// These are the corpus's own.
    pub own: bool,
    /// Neighbours of each.
    pub k: u32,
}

impl QueryShape {
    /// Checks k.
    pub(crate) fn check(&self) -> Result<()> {
        let others = self.num_items - u32::from(self.own);
        match self.k {
            0 => Err(Error::ZeroSize { name: "k" }),
            k if k > others => Err(Error::TooManyNeighbors { k, others }),
            _ => Ok(()),
        }
    }
}

/// The neighbours of every query, row after row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbors {
    /// Neighbours of each query.
    pub k: u32,
    /// Item numbers, k a row.
    pub indices: Vec<u32>,
    /// Dot products of the prepared rows, k a row.
    pub dots: Vec<i32>,
}

impl Neighbors {
    pub(crate) fn new(num_rows: u32, k: u32) -> Result<Neighbors> {
        let values = num_rows as usize * k as usize;
        let what = "the neighbours";
        Ok(Neighbors { k, indices: zeroed(values, what)?, dots: zeroed(values, what)? })
    }

    /// Cosine similarities, k a row.
    pub fn similarities(&self) -> impl Iterator<Item = f32> + '_ {
        self.dots.iter().map(|&dot| similarity(dot))
    }
}

/// The cosine similarity that a dot product of prepared rows stands for: dot / 32767^2.
pub fn similarity(dot: i32) -> f32 {
    (f64::from(dot) / (32767.0 * 32767.0)) as f32
}

/// The order of neighbours: a smaller key is nearer.
pub(crate) fn key(dot: i32, item: u32) -> u64 {
    u64::from(!(dot as u32 ^ 1 << 31)) << 32 | u64::from(item)
}

/// The dot product and the item of a key.
pub(crate) fn of_key(key: u64) -> (i32, u32) {
    ((!((key >> 32) as u32) ^ 1 << 31) as i32, key as u32)
}

/// The k nearest of a stream of items.
#[derive(Debug)]
pub(crate) struct Nearest {
    k: usize,
    keys: Vec<u64>,
    /// No key from here on is among the k nearest.
    bound: u64,
}

/// Keys beyond k that are kept before the k nearest are singled out, at least.
const ROOM: usize = 32;

impl Nearest {
    pub(crate) fn new(k: u32) -> Nearest {
        Nearest { k: k as usize, keys: Vec::new(), bound: u64::MAX }
    }

    /// Bytes that one holds at most.
    pub(crate) fn bytes(k: u32) -> u64 {
        (2 * u64::from(k)).max(u64::from(k) + ROOM as u64) * 8
    }

    /// The least dot product that can still be among the nearest.
    pub(crate) fn least(&self) -> i32 {
        of_key(self.bound).0
    }

    pub(crate) fn add(&mut self, dot: i32, item: u32) {
        let key = key(dot, item);
        if key < self.bound {
            if self.keys.capacity() == 0 {
                self.keys.reserve_exact((2 * self.k).max(self.k + ROOM));
            }
            self.keys.push(key);
            if self.keys.len() == self.keys.capacity() {
                self.shrink();
            }
        }
    }

    fn shrink(&mut self) {
        if self.keys.len() > self.k {
            let (_, &mut last, _) = self.keys.select_nth_unstable(self.k - 1);
            self.keys.truncate(self.k);
            self.bound = last;
        }
    }

    /// Writes the nearest in order.
    pub(crate) fn write(&mut self, indices: &mut [u32], dots: &mut [i32]) {
        self.shrink();
        self.keys.sort_unstable();
        for ((&key, index), dot) in self.keys.iter().zip(indices).zip(dots) {
            (*dot, *index) = of_key(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_by_falling_dot_then_rising_item() {
        let cases = [(i32::MAX, 9), (5, 0), (5, 1), (0, 0), (-1, 0), (i32::MIN, 0)];
        assert!(cases.map(|(dot, item)| key(dot, item)).is_sorted());
        assert_eq!(cases.map(|(dot, item)| of_key(key(dot, item))), cases);
        assert_eq!(Nearest::new(3).least(), i32::MIN);
    }

    #[test]
    fn the_nearest_of_many_ties_are_the_lowest_numbers() {
        let mut nearest = Nearest::new(3);
        (0..500).rev().for_each(|item| nearest.add(7, item));
        nearest.add(8, 499);
        nearest.add(6, 0);
        let (mut indices, mut dots) = ([0; 3], [0; 3]);
        nearest.write(&mut indices, &mut dots);
        assert_eq!((indices, dots), ([499, 0, 1], [8, 7, 7]));
    }
}
