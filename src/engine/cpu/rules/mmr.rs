//! Maximal marginal relevance: of each item its similarity g with the first one and the largest
//! similarity m with one picked since, 16 bits each.
//!
//! With L the weight in Q15, a cost is (2^15 - L) m - L g: one multiply-add of pairs, (g, m) with
//! (-L, 2^15 - L). The factors fit 16 bits but for L = 0, where 2^15 is halved and costs are
//! doubled at the end. A taken item has g = -32,768 and m = 32,767: its cost, 2^15 x 32,767 + L, is
//! above all others, and m stays whatever comes. With L = 0 g plays no part, so it is 0 for all
//! others, and the factor -1 tells them from those taken.
//!
//! Of 32 items g and m lie side by side, a line each, so that m takes a row in one operation;
//! pairs are made where costs are.

use super::super::simd::{HalfLine, Line, Simd, INTERLEAVED};
use super::candidates::{Candidates, Cheapest, Span};
use super::wide::{cheapest, Costs, Known, ITEMS};
use crate::error::Result;
use crate::memory::zeroed;
use crate::rule::{Lambda, Rule};

pub(in super::super) struct Mmr {
    /// A line of g and one of m.
    known: Vec<Known>,
    num_items: usize,
    factors: Factors,
    /// The next row is that of the first item.
    is_first: bool,
}

/// What g and m are multiplied with.
#[derive(Debug, Clone, Copy)]
struct Factors {
    relevance: i16,
    redundancy: i16,
    /// What costs are multiplied with in the end.
    scale: i32,
}

impl Factors {
    fn new(lambda: Lambda) -> Factors {
        match lambda.q15() {
            0 => Factors { relevance: -1, redundancy: 1 << 14, scale: 2 },
            // Within -32,768..=-1 and 0..=32,767.
            l => Factors { relevance: -l as i16, redundancy: (Lambda::ONE - l) as i16, scale: 1 },
        }
    }
}

/// Two numbers of 16 bits in a word, the first below.
const fn pair(low: i16, high: i16) -> i32 {
    (high as i32) << 16 | low as u16 as i32
}

/// g of a taken item, below all others.
const TAKEN_G: i16 = i16::MIN;

/// m of a taken item.
const TAKEN_M: i16 = i16::MAX;

/// m where nothing is picked since the first item.
const NONE: i16 = i16::MIN;

impl Candidates for Mmr {
    fn new(rule: Rule, span: Span) -> Result<Mmr> {
        let known = zeroed::<Known>(span.stride / ITEMS, "the scores of a sequence")?;
        let factors = Factors::new(rule.lambda().unwrap_or_default());
        Ok(Mmr { known, num_items: span.num_items as usize, factors, is_first: true })
    }

    fn clear(&mut self) {
        let mut left = self.num_items;
        for known in &mut self.known {
            let here = left.min(ITEMS);
            left -= here;
            let [g, m] = narrow(known);
            g[..here].fill(0);
            m[..here].fill(NONE);
            g[here..].fill(TAKEN_G);
            m[here..].fill(TAKEN_M);
        }
        self.is_first = true;
    }

    fn take(&mut self, item: u32) {
        let [g, m] = narrow(&mut self.known[item as usize / ITEMS]);
        g[item as usize % ITEMS] = TAKEN_G;
        m[item as usize % ITEMS] = TAKEN_M;
    }

    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest {
        let Factors { relevance, redundancy, scale } = self.factors;
        let known = &mut self.known;
        let found = if std::mem::replace(&mut self.is_first, false) {
            if scale == 1 {
                relate(known, row);
            }
            // What is not there yet weighs nothing.
            weigh(simd, known, row, next, &Weighed::<false> { factors: pair(relevance, 0) })
        } else {
            let factors = pair(relevance, redundancy);
            weigh(simd, known, row, next, &Weighed::<true> { factors })
        };
        Cheapest { cost: found.cost * scale, ..found }
    }
}

/// Notes the similarities with the first item, `row`. Once for each sequence.
fn relate(known: &mut [Known], row: &[HalfLine]) {
    let row: &[[i16; ITEMS]] = bytemuck::cast_slice(row);
    for (known, row) in known.iter_mut().zip(row) {
        let [g, _] = narrow(known);
        for (g, &row) in g.iter_mut().zip(row) {
            *g = if *g == TAKEN_G { TAKEN_G } else { row };
        }
    }
}

fn narrow(known: &mut Known) -> &mut [[i16; ITEMS]; 2] {
    bytemuck::must_cast_mut(known)
}

/// The cheapest item by `costs`.
#[inline(always)]
fn weigh<S: Simd>(
    simd: S,
    known: &mut [Known],
    row: &[HalfLine],
    next: &[HalfLine],
    costs: &impl Costs,
) -> Cheapest {
    simd.vectorize(
        #[inline(always)]
        || cheapest(simd, known, row, next, costs),
    )
}

/// Pairs (g, m) times `factors`; m takes a row in before where `HAS_ROW`.
struct Weighed<const HAS_ROW: bool> {
    factors: i32,
}

impl<const HAS_ROW: bool> Costs for Weighed<HAS_ROW> {
    const ITEMS: [Line; 2] = INTERLEAVED;

    #[inline(always)]
    fn fold<S: Simd>(&self, simd: S, known: &mut Known, row: &Line) -> [S::Wide; 2] {
        if HAS_ROW {
            let m = &mut known[1];
            simd.store(simd.max_narrow(simd.load(m), simd.load(row)), m);
        }
        self.again(simd, known)
    }

    #[inline(always)]
    fn again<S: Simd>(&self, simd: S, [g, m]: &Known) -> [S::Wide; 2] {
        let [low, high] = simd.interleave(simd.load(g), simd.load(m));
        let factors = simd.splat(self.factors);
        [simd.multiply_pairs(low, factors), simd.multiply_pairs(high, factors)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of g and m, as the kernel multiplies them.
    fn cost(factors: Factors, word: i32) -> i32 {
        let (g, m) = (word as i16, (word >> 16) as i16);
        i32::from(g) * i32::from(factors.relevance) + i32::from(m) * i32::from(factors.redundancy)
    }

    #[test]
    fn a_taken_item_costs_more_than_any_other() {
        for lambda in [0.0, 1.0 / 32768.0, 0.5, 32767.0 / 32768.0, 1.0] {
            let factors = Factors::new(Lambda::new(lambda).unwrap());
            let g = if lambda > 0.0 { -32767 } else { 0 };
            let taken = pair(TAKEN_G, TAKEN_M);
            assert!(cost(factors, taken) > cost(factors, pair(g, 32767)), "{lambda}");
            let first = Factors { redundancy: 0, ..factors };
            assert!(cost(first, taken) > cost(first, pair(g, NONE)), "{lambda}");
        }
    }
}
