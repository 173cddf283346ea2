//! What is known of an item, one type for each rule. A chain is not among them: its costs are new
//! with every pick.

use crate::rule::Lambda;

/// The cost of a taken item, above all others.
pub(super) const TAKEN: i32 = i32::MAX;

/// What is known of an item.
pub(super) trait Known: Copy + Send {
    /// Where no row is added.
    const START: Self;

    /// What an item costs at least then, as far as the rows say that are not added.
    const START_LOW: i32;

    /// Adds what a row holds for the item; `is_first`: the first row of the sequence.
    fn add(&mut self, value: i16, is_first: bool);

    /// The cost by the rows added; `lambda` in Q15 is for mmr alone.
    fn cost(self, lambda: i32) -> i32;

    fn take(&mut self);
}

/// Centroid: the sum of contributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum(i32);

impl Known for Sum {
    const START: Sum = Sum(0);
    const START_LOW: i32 = 0;

    #[inline(always)]
    fn add(&mut self, value: i16, _: bool) {
        if self.0 != TAKEN {
            self.0 += i32::from(value);
        }
    }

    #[inline(always)]
    fn cost(self, _: i32) -> i32 {
        self.0
    }

    fn take(&mut self) {
        self.0 = TAKEN;
    }
}

/// Farthest-first: the largest similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nearest(i32);

impl Known for Nearest {
    const START: Nearest = Nearest(i32::MIN);
    const START_LOW: i32 = i32::MIN;

    #[inline(always)]
    fn add(&mut self, value: i16, _: bool) {
        self.0 = self.0.max(value.into());
    }

    #[inline(always)]
    fn cost(self, _: i32) -> i32 {
        self.0
    }

    fn take(&mut self) {
        self.0 = TAKEN;
    }
}

/// Mmr: the similarity with the first item, and the largest with one picked since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relevance {
    g: i16,
    m: i16,
}

/// No similarity: those are above.
const NONE: i16 = i16::MIN;

impl Known for Relevance {
    const START: Relevance = Relevance { g: 0, m: NONE };
    const START_LOW: i32 = i32::MIN;

    #[inline(always)]
    fn add(&mut self, value: i16, is_first: bool) {
        match is_first {
            true if self.g != NONE => self.g = value,
            true => {}
            false => self.m = self.m.max(value),
        }
    }

    #[inline(always)]
    fn cost(self, lambda: i32) -> i32 {
        let Relevance { g, m } = self;
        let m = if m == NONE { 0 } else { m.into() };
        match g {
            NONE => TAKEN,
            g => (Lambda::ONE - lambda) * m - lambda * i32::from(g),
        }
    }

    fn take(&mut self) {
        self.g = NONE;
    }
}
