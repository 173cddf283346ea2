//! What a sequence knows of every candidate, one type for each rule.
//!
//! A rule adds a row of the matrix to what is known and finds the first of the lowest costs, in one
//! pass over both: `centroid` and `mmr` with costs of 32 bits (`wide`), `farthest` and `chain` with
//! 16 bits (`narrow`), which halves what they hold. The loops of `sequences` are compiled once for
//! each type. Knows `simd`, and nothing of matrices or sequences.

mod centroid;
mod chain;
mod farthest;
mod mmr;
mod narrow;
mod wide;

pub(super) use centroid::{pins, Centroid};
pub(super) use chain::Chain;
pub(super) use farthest::Farthest;
pub(super) use mmr::Mmr;

use super::simd::{HalfLine, Simd};
use crate::error::Result;
use crate::rule::Rule;

/// The first of the items with the lowest cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cheapest {
    pub(super) item: u32,
    pub(super) cost: i32,
}

/// What a sequence knows of every item, and of padding, which counts as taken.
pub(super) trait Candidates: Sized {
    /// For rows of `stride` values, of `num_items` items.
    fn new(rule: Rule, stride: usize, num_items: u32) -> Result<Self>;

    /// Back to where nothing is picked.
    fn clear(&mut self);

    /// Takes an item out.
    fn take(&mut self, item: u32);

    /// Adds `row`, the row of an item that is taken, and finds the cheapest of the others, while
    /// asking for the row `next`.
    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest;
}

/// Bytes that a sequence of the rule holds for each item.
pub(super) fn item_bytes(rule: Rule) -> usize {
    match rule {
        Rule::Centroid | Rule::Mmr(_) => size_of::<i32>(),
        Rule::Farthest | Rule::Chain => size_of::<i16>(),
    }
}
