//! The k nearest of a stream of items.

use crate::contract::Key;
use crate::error::Result;
use crate::memory::{reserve, Bytes};

/// Keeps the k smallest keys of those that were added.
#[derive(Debug)]
pub(super) struct Nearest {
    k: usize,
    keys: Vec<Key>,
    /// No key from here on is among the k nearest.
    bound: Key,
}

/// Keys beyond k that are kept before the k nearest are singled out, at least.
const ROOM: usize = 32;

impl Nearest {
    pub(super) fn new(k: u32) -> Nearest {
        Nearest { k: k as usize, keys: Vec::new(), bound: Key::LAST }
    }

    /// Bytes that one holds at most.
    pub(super) fn bytes(k: u32) -> Bytes {
        Bytes::of::<Key>((2 * u64::from(k)).max(u64::from(k) + ROOM as u64))
    }

    /// The least dot product that can still be among the nearest.
    pub(super) fn least(&self) -> i32 {
        self.bound.dot()
    }

    /// Makes room for keys, which takes memory from here on.
    #[cold]
    pub(super) fn begin(&mut self) -> Result<()> {
        reserve(&mut self.keys, (2 * self.k).max(self.k + ROOM), "the nearest of a row")
    }

    /// Whether there is room yet.
    pub(super) fn has_begun(&self) -> bool {
        self.keys.capacity() > 0
    }

    /// Adds an item, once there is room.
    pub(super) fn add(&mut self, dot: i32, item: u32) {
        let key = Key::new(dot, item);
        if key < self.bound {
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
    pub(super) fn write(&mut self, indices: &mut [u32], dots: &mut [i32]) {
        self.shrink();
        self.keys.sort_unstable();
        for ((key, index), dot) in self.keys.iter().zip(indices).zip(dots) {
            (*dot, *index) = (key.dot(), key.item());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_many_ties_are_the_lowest_numbers() {
        let mut nearest = Nearest::new(3);
        nearest.begin().unwrap();
        assert_eq!(nearest.least(), i32::MIN);
        (0..500).rev().for_each(|item| nearest.add(7, item));
        nearest.add(8, 499);
        nearest.add(6, 0);
        let (mut indices, mut dots) = ([0; 3], [0; 3]);
        nearest.write(&mut indices, &mut dots);
        assert_eq!((indices, dots), ([499, 0, 1], [8, 7, 7]));
    }
}
