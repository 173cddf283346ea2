//! What all rules have in common.

use super::super::simd::{HalfLine, Simd};
use crate::error::Result;
use crate::rule::Rule;

/// The first of the items with the lowest cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Cheapest {
    pub(in super::super) item: u32,
    pub(in super::super) cost: i32,
}

/// What a sequence knows of every item, and of padding, which counts as taken.
pub(in super::super) trait Candidates: Sized {
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
