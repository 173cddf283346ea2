//! Equal sets have equal futures: two sequences that have picked the same items, in whatever order, have the same scores
//! and go on with the same picks. The second to get there stops, and copies the rest from the first.
//!
//! Sequences meet at checkpoints, picks k that are multiples of an interval. There each looks up a hash of its set
//! (the sum of random numbers, one for each item); who finds nothing leaves its own. That is all while threads work. At
//! the end `resolve` compares the sets of each pair exactly, so a collision of hashes costs time, never a wrong pick.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Checkpoints of a sequence, at most: what a sequence leaves in the tables is 16 bytes each.
const MAX_CHECKPOINTS: u32 = 64;

/// Picks between two checkpoints, at least: a lookup costs as much as a fraction of a pick.
const LEAST_INTERVAL: u32 = 16;

/// The sets that sequences had at the checkpoints.
pub(super) struct Meetings {
    interval: u32,
    /// For each checkpoint: from the hash of a set to the first sequence that had it.
    tables: Vec<Mutex<HashMap<u64, u32>>>,
}

/// A sequence that ended early: from pick `length` on it equals the sequence `into`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) sequence: u32,
    pub(super) into: u32,
    pub(super) length: u32,
}

/// The hash of a growing set of items, independent of their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SetHash(u64);

impl SetHash {
    pub(super) fn add(&mut self, item: u32) {
        self.0 = self.0.wrapping_add(mix(u64::from(item) + 1));
    }
}

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014), on multiples of its golden gamma.
fn mix(item: u64) -> u64 {
    let z = item.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn interval(length: u32) -> u32 {
    length.div_ceil(MAX_CHECKPOINTS).max(LEAST_INTERVAL)
}

/// Bytes that the tables hold at most for `sequences` sequences.
pub(super) fn table_bytes(sequences: u64, length: u32) -> u64 {
    // A map holds entries of 17 bytes, at most 7/8 full, and the old one while it doubles.
    sequences * u64::from((length - 1) / interval(length)) * 17 * 8 / 7 * 2
}

impl Meetings {
    pub(super) fn new(length: u32) -> Meetings {
        let interval = interval(length);
        let checkpoints = (length - 1) / interval;
        let tables = (0..checkpoints).map(|_| Mutex::default()).collect();
        Meetings { interval, tables }
    }

    /// Whether a sequence with `picked` items is at a checkpoint.
    pub(super) fn is_checkpoint(&self, picked: u32) -> bool {
        picked % self.interval == 0
    }

    /// At a checkpoint: the sequence that had the same set (by its hash) before, if there is one.
    pub(super) fn meet(&self, picked: u32, hash: SetHash, sequence: u32) -> Option<u32> {
        let table = self.tables.get((picked / self.interval) as usize - 1)?;
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *table.entry(hash.0).or_insert(sequence);
        (first != sequence).then_some(first)
    }
}

/// Completes the merged sequences in `rows` (`length` items each). Returns those whose sets turn out to differ: they must
/// be computed on their own.
pub(super) fn resolve(rows: &mut [u32], length: u32, mut merged: Vec<Merged>) -> Vec<Merged> {
    // A sequence that was found at some checkpoint merged later than that, if at all: so the latest mergers are complete
    // first.
    merged.sort_unstable_by_key(|one| std::cmp::Reverse((one.length, one.sequence)));
    let row = length as usize;
    let mut differ: Vec<Merged> = Vec::new();
    let mut seen = vec![0u32; row.div_ceil(32).max(1)];
    for one in merged {
        let (own, other) = (one.sequence as usize * row, one.into as usize * row);
        let prefix = one.length as usize;
        let incomplete = differ.iter().any(|failed| failed.sequence == one.into);
        let same = same_set(&rows[own..][..prefix], &rows[other..][..prefix], &mut seen);
        if incomplete || !same {
            differ.push(one);
        } else {
            rows.copy_within(other + prefix..other + row, own + prefix);
        }
    }
    differ
}

/// Whether two lists without repetitions hold the same items.
fn same_set(a: &[u32], b: &[u32], seen: &mut Vec<u32>) -> bool {
    seen.fill(0);
    for &item in a {
        let word = item as usize / 32;
        if word >= seen.len() {
            seen.resize(word + 1, 0);
        }
        seen[word] |= 1 << (item % 32);
    }
    b.iter()
        .all(|&item| seen.get(item as usize / 32).is_some_and(|word| word >> (item % 32) & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_ignores_the_order() {
        let hash = |items: &[u32]| {
            let mut hash = SetHash::default();
            items.iter().for_each(|&item| hash.add(item));
            hash
        };
        assert_eq!(hash(&[0, 7, 3]), hash(&[3, 0, 7]));
        assert_ne!(hash(&[0, 7, 3]), hash(&[0, 7, 4]));
    }

    #[test]
    fn chains_are_completed_from_their_ends_and_false_meetings_are_found() {
        let mut rows = vec![
            0, 1, 2, 3, 4, 5, //
            1, 0, 9, 9, 9, 9, // equal to the first from 2 on
            2, 0, 1, 9, 9, 9, // from 3 on equal to the fourth
            0, 2, 1, 3, 9, 9, // from 4 on equal to the first
            5, 4, 0, 1, 9, 9, // a collision: not the set of the first
            4, 5, 9, 9, 9, 9, // relies on the collision
        ];
        let one = |sequence, into, length| Merged { sequence, into, length };
        let merged = vec![one(1, 0, 2), one(2, 3, 3), one(3, 0, 4), one(4, 0, 4), one(5, 4, 2)];
        let differ = resolve(&mut rows, 6, merged);
        assert_eq!(rows[6..12], [1, 0, 2, 3, 4, 5]);
        assert_eq!(rows[12..18], [2, 0, 1, 3, 4, 5]);
        let differ: Vec<u32> = differ.iter().map(|one| one.sequence).collect();
        assert_eq!(differ, [4, 5]);
    }
}
