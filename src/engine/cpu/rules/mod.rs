//! What a sequence knows of every candidate, one type for each rule.
//!
//! A rule (`candidates`) adds a row of the matrix to what is known and finds the first of the
//! lowest costs, in one pass over both: `centroid` and `mmr` with costs of 32 bits (`wide`),
//! `farthest` and `chain` with 16 bits (`narrow`), which halves what they hold. The loops of
//! `sequences` are compiled once for each type. Knows `simd`, and nothing of matrices or sequences.

mod candidates;
mod centroid;
mod chain;
mod farthest;
mod mmr;
mod narrow;
mod wide;

pub(super) use candidates::{Candidates, Cheapest, Span};
pub(super) use centroid::{pins, Centroid};
pub(super) use chain::Chain;
pub(super) use farthest::Farthest;
pub(super) use mmr::Mmr;

use crate::rule::Rule;

/// Bytes that a sequence of the rule holds for each item.
pub(super) fn item_bytes(rule: Rule) -> usize {
    match rule {
        Rule::Centroid | Rule::Mmr(_) => size_of::<i32>(),
        Rule::Farthest | Rule::Chain => size_of::<i16>(),
    }
}
