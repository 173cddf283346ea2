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

/// Items that lie side by side, of a corpus of more, or all of it.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Span {
    /// Values of their part of a row: whole cache lines.
    pub(in super::super) stride: usize,
    pub(in super::super) num_items: u32,
    /// Items of the corpus.
    pub(in super::super) of: u32,
}

/// What a sequence knows of the items of a span, which are numbered from 0 here, and of padding,
/// which counts as taken.
pub(in super::super) trait Candidates: Sized + Send {
    fn new(rule: Rule, span: Span) -> Result<Self>;

    /// Back to where nothing is picked.
    fn clear(&mut self);

    /// Takes an item out.
    fn take(&mut self, item: u32);

    /// Adds `row`, the row of an item that is taken, and finds the cheapest of the others, while
    /// asking for the row `next`.
    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest;
}
