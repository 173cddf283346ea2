//! Which rows of the contribution matrix are held, where only some of them fit: the least recently
//! used ones go first.
//!
//! Pure bookkeeping: items, slots and a list of slots in the order of their last use. The engines
//! compute the rows.

use crate::error::Result;
use crate::memory::{filled, Bytes};

/// No item, no slot, no neighbour in the list.
const NONE: u32 = u32::MAX;

/// An item whose row is not held, with the slot that it has to be put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) item: u32,
    pub(crate) slot: u32,
}

/// The rows that are held, by slot.
pub(crate) struct Lru {
    slot_of: Vec<u32>,
    item_in: Vec<u32>,
    /// The slots around each in the order of use.
    older: Vec<u32>,
    newer: Vec<u32>,
    oldest: u32,
    newest: u32,
    /// Slots from here on were never used.
    unused: u32,
}

impl Lru {
    pub(crate) fn new(num_items: u32, slots: u32) -> Result<Lru> {
        let none = |count: u32| filled(count as usize, NONE, "the list of rows that are held");
        Ok(Lru {
            slot_of: none(num_items)?,
            item_in: none(slots)?,
            older: none(slots)?,
            newer: none(slots)?,
            oldest: NONE,
            newest: NONE,
            unused: 0,
        })
    }

    /// Bytes of the lists.
    pub(crate) fn bytes(num_items: u32, slots: u32) -> Bytes {
        Bytes::of::<u32>(num_items.into()) + Bytes::of::<u32>(slots.into()) * 3
    }

    /// How many rows can be held.
    pub(crate) fn slots(&self) -> usize {
        self.item_in.len()
    }

    /// Whether the row of an item is held.
    pub(crate) fn holds(&self, item: u32) -> bool {
        self.slot_of[item as usize] != NONE
    }

    /// Finds slots for `items`, of which there may be as many different ones as there are slots.
    /// `slots` gets the slot of each; `missing` the items that were not held.
    pub(crate) fn fetch(
        &mut self,
        items: &[u32],
        slots: &mut Vec<u32>,
        missing: &mut Vec<Missing>,
    ) {
        missing.clear();
        // Those that are there first, so that none of them goes to make room for another.
        for &item in items {
            match self.slot_of[item as usize] {
                NONE => {}
                slot => self.touch(slot),
            }
        }
        for &item in items {
            if self.slot_of[item as usize] == NONE {
                let slot = self.free_slot();
                self.slot_of[item as usize] = slot;
                self.item_in[slot as usize] = item;
                self.append(slot);
                missing.push(Missing { item, slot });
            }
        }
        slots.clear();
        slots.extend(items.iter().map(|&item| self.slot_of[item as usize]));
    }

    /// Says that the row of an item, if it is held, is not needed again: it goes next.
    pub(crate) fn retire(&mut self, item: u32) {
        let slot = self.slot_of[item as usize];
        if slot != NONE && slot != self.oldest {
            self.unlink(slot);
            self.older[slot as usize] = NONE;
            self.newer[slot as usize] = self.oldest;
            self.older[self.oldest as usize] = slot;
            self.oldest = slot;
        }
    }

    fn free_slot(&mut self) -> u32 {
        if (self.unused as usize) < self.item_in.len() {
            self.unused += 1;
            return self.unused - 1;
        }
        let slot = self.oldest;
        self.unlink(slot);
        self.slot_of[self.item_in[slot as usize] as usize] = NONE;
        slot
    }

    fn touch(&mut self, slot: u32) {
        if self.newest != slot {
            self.unlink(slot);
            self.append(slot);
        }
    }

    fn unlink(&mut self, slot: u32) {
        let (older, newer) = (self.older[slot as usize], self.newer[slot as usize]);
        match older {
            NONE => self.oldest = newer,
            older => self.newer[older as usize] = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.older[newer as usize] = older,
        }
    }

    fn append(&mut self, slot: u32) {
        self.older[slot as usize] = self.newest;
        self.newer[slot as usize] = NONE;
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.newer[newest as usize] = slot,
        }
        self.newest = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(lru: &mut Lru, items: &[u32]) -> (Vec<u32>, Vec<(u32, u32)>) {
        let (mut slots, mut missing) = (Vec::new(), Vec::new());
        lru.fetch(items, &mut slots, &mut missing);
        (slots, missing.iter().map(|one| (one.item, one.slot)).collect())
    }

    #[test]
    fn what_was_used_longest_ago_goes() {
        let mut lru = Lru::new(10, 3).unwrap();
        assert_eq!(fetch(&mut lru, &[4, 4, 5]), (vec![0, 0, 1], vec![(4, 0), (5, 1)]));
        assert_eq!(fetch(&mut lru, &[6, 4]), (vec![2, 0], vec![(6, 2)]));
        // 5 is the oldest, then 4 (touched before 6 came).
        assert_eq!(fetch(&mut lru, &[7]), (vec![1], vec![(7, 1)]));
        assert_eq!(fetch(&mut lru, &[5]), (vec![0], vec![(5, 0)]));
        assert_eq!(fetch(&mut lru, &[6, 7, 5]), (vec![2, 1, 0], vec![]));
    }

    #[test]
    fn what_is_needed_now_stays() {
        let mut lru = Lru::new(10, 3).unwrap();
        fetch(&mut lru, &[0, 1, 2]);
        // 0 is the oldest, but needed.
        assert_eq!(fetch(&mut lru, &[3, 0, 4]), (vec![1, 0, 2], vec![(3, 1), (4, 2)]));
    }

    #[test]
    fn what_is_not_needed_again_goes_first() {
        let mut lru = Lru::new(10, 3).unwrap();
        fetch(&mut lru, &[0, 1, 2]);
        lru.retire(2);
        lru.retire(9);
        lru.retire(1);
        assert_eq!(fetch(&mut lru, &[3]), (vec![1], vec![(3, 1)]));
        assert_eq!(fetch(&mut lru, &[4, 5]), (vec![2, 0], vec![(4, 2), (5, 0)]));
    }

    /// Against a plain list of the last uses.
    #[test]
    fn it_agrees_with_a_list() {
        let mut lru = Lru::new(50, 8).unwrap();
        let mut held: Vec<u32> = Vec::new();
        let mut state = 1u32;
        for _ in 0..2000 {
            let items: Vec<u32> = (0..1 + state % 8)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) % 50
                })
                .collect();
            let expected: Vec<u32> = {
                let mut new: Vec<u32> = Vec::new();
                for &item in &items {
                    if !held.contains(&item) && !new.contains(&item) {
                        new.push(item);
                    }
                }
                new
            };
            let (slots, missing) = fetch(&mut lru, &items);
            assert_eq!(missing.iter().map(|one| one.0).collect::<Vec<_>>(), expected);
            for (&item, &slot) in items.iter().zip(&slots) {
                assert_eq!(lru.item_in[slot as usize], item);
            }
            for &item in items.iter().filter(|item| !expected.contains(item)) {
                held.retain(|&other| other != item);
                held.push(item);
            }
            held.extend(expected);
            held.drain(..held.len().saturating_sub(8));
        }
    }
}
