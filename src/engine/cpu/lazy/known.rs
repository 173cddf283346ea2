//! What is known of an item, one type for each rule whose costs only rise.

use crate::rule::Lambda;

/// The cost of a taken item, above all others.
pub(super) const TAKEN: i32 = i32::MAX;

/// What is known of an item.
pub(super) trait Known: Copy + Send {
    /// Where no row is added.
    const START: Self;

    /// Adds what a row holds for the item; `is_first`: the first row of the sequence.
    fn add(&mut self, value: i16, is_first: bool);

    /// The cost by the rows added; `lambda` in Q15 is for mmr alone.
    fn cost(self, lambda: i32) -> i32;

    /// What it costs at least whatever rows are to come, after `added` of them.
    fn least(cost: i32, added: u32, lambda: i32) -> i32;

    fn take(&mut self);
}

/// Farthest-first: the largest similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nearest(i32);

impl Known for Nearest {
    const START: Nearest = Nearest(i32::MIN);

    #[inline(always)]
    fn add(&mut self, value: i16, _: bool) {
        self.0 = self.0.max(value.into());
    }

    #[inline(always)]
    fn cost(self, _: i32) -> i32 {
        self.0
    }

    #[inline(always)]
    fn least(cost: i32, _: u32, _: i32) -> i32 {
        cost
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

    /// Without a row behind the first, m counts as 0; it may be as low as -32,767.
    #[inline(always)]
    fn least(cost: i32, added: u32, lambda: i32) -> i32 {
        match added {
            0 => i32::MIN,
            1 => cost - (Lambda::ONE - lambda) * 32767,
            _ => cost,
        }
    }

    fn take(&mut self) {
        self.g = NONE;
    }
}
