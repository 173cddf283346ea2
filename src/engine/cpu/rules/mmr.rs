//! Maximal marginal relevance: of each item its similarity g with the first one and the largest
//! similarity m with one picked since, 16 bits each in a word.
//!
//! With L the weight in Q15, a cost is (2^15 - L) m - L g: one multiply-add of pairs, (g, m) with
//! (-L, 2^15 - L). The factors fit 16 bits but for L = 0, where 2^15 is halved and costs are
//! doubled at the end. A taken item has g = -32,768 and m = 32,767: its cost, 2^15 x 32,767 + L, is
//! above all others, and m stays whatever comes. With L = 0 g plays no part, so it is 0 for all
//! others, and the factor -1 tells them from those taken.

use super::super::simd::{HalfLine, Line, Simd, LINE};
use super::candidates::{Candidates, Cheapest};
use super::wide;
use crate::error::Result;
use crate::memory::zeroed;
use crate::rule::{Lambda, Rule};

pub(in super::super) struct Mmr {
    words: Vec<Line>,
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

/// g and m of a taken item.
const TAKEN: i32 = pair(i16::MIN, i16::MAX);

/// m where nothing is picked since the first item.
const NONE: i16 = i16::MIN;

impl Candidates for Mmr {
    fn new(rule: Rule, stride: usize, num_items: u32) -> Result<Mmr> {
        let words = zeroed::<Line>(stride / LINE, "the scores of a sequence")?;
        let factors = Factors::new(rule.lambda().unwrap_or_default());
        Ok(Mmr { words, num_items: num_items as usize, factors, is_first: true })
    }

    fn clear(&mut self) {
        let words: &mut [i32] = bytemuck::cast_slice_mut(&mut self.words);
        words[..self.num_items].fill(pair(0, NONE));
        words[self.num_items..].fill(TAKEN);
        self.is_first = true;
    }

    fn take(&mut self, item: u32) {
        self.words[item as usize / LINE].0[item as usize % LINE] = TAKEN;
    }

    fn step<S: Simd>(&mut self, simd: S, row: &[HalfLine], next: &[HalfLine]) -> Cheapest {
        let Factors { relevance, redundancy, scale } = self.factors;
        let is_first = std::mem::replace(&mut self.is_first, false);
        if is_first && scale == 1 {
            self.relate(row);
        }
        let words = &mut self.words;
        let cheapest = simd.vectorize(
            #[inline(always)]
            || match is_first {
                // What is not there yet weighs nothing.
                true => {
                    let factors = pair(relevance, 0);
                    weigh(
                        simd,
                        words,
                        row,
                        next,
                        factors,
                        #[inline(always)]
                        |word, _| word,
                    )
                }
                false => {
                    let factors = pair(relevance, redundancy);
                    weigh(
                        simd,
                        words,
                        row,
                        next,
                        factors,
                        #[inline(always)]
                        |word, row| simd.max_narrow(word, simd.raise(row)),
                    )
                }
            },
        );
        Cheapest { cost: cheapest.cost * scale, ..cheapest }
    }
}

impl Mmr {
    /// Notes the similarities with the first item, `row`. Once for each sequence.
    fn relate(&mut self, row: &[HalfLine]) {
        for (words, row) in self.words.iter_mut().zip(row) {
            for (word, &g) in words.0.iter_mut().zip(&row.0) {
                if *word != TAKEN {
                    *word = pair(g, NONE);
                }
            }
        }
    }
}

/// Folds a row into the words by `fold` and finds the cheapest item by `factors`.
#[inline(always)]
fn weigh<S: Simd>(
    simd: S,
    words: &mut [Line],
    row: &[HalfLine],
    next: &[HalfLine],
    factors: i32,
    fold: impl Fn(S::Wide, &HalfLine) -> S::Wide,
) -> Cheapest {
    let factors = simd.splat(factors);
    wide::cheapest(
        simd,
        words,
        row,
        next,
        #[inline(always)]
        |words, row| {
            let word = fold(simd.load(words), row);
            simd.store(word, words);
            simd.multiply_pairs(word, factors)
        },
        #[inline(always)]
        |words| simd.multiply_pairs(simd.load(words), factors),
    )
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
            assert!(cost(factors, TAKEN) > cost(factors, pair(g, 32767)), "{lambda}");
            let first = Factors { redundancy: 0, ..factors };
            assert!(cost(first, TAKEN) > cost(first, pair(g, NONE)), "{lambda}");
        }
    }
}
