//! What a cost may have fallen by since it was known.

use std::collections::VecDeque;

use super::super::simd::Line;
use crate::contract::extra_shift;
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::memory::{filled, room, zeroed, Bytes};
use crate::rule::{Lambda, Rule};

/// Rows that may wait for an item, of the rule centroid: with more its row would not be read less
/// often by much, and the bounds of all of them take time in every step.
const MOST_OF_CENTROID: u32 = 64;

/// And of the others, which have no such bounds.
const MOST: u32 = 4096;

/// What costs may have fallen by.
pub(super) struct Bound {
    rule: Rule,
    num_rows: u32,
    /// Of the rule centroid: sums of weighted prepared rows, up to all rows and up to earlier ones,
    /// the latest first.
    sums: VecDeque<Vec<f64>>,
    /// Of the rule centroid: what a sum of contributions may fall by with the last k rows, at k.
    falls: Vec<i64>,
    scale: Scale,
}

/// How a sum of rows bounds a sum of contributions.
#[derive(Clone, Copy)]
struct Scale {
    /// The longest prepared row.
    longest: f64,
    /// What rounding may take of a contribution at most, before the extra shift.
    rounding: f64,
    extra_shift: u32,
}

impl Scale {
    fn new(corpus: &Corpus) -> Scale {
        let root = f64::from(corpus.dim()).sqrt();
        Scale {
            // Values are rounded by a half at most, and similarities are kept within 32,767.
            longest: 32767.0 + root / 2.0,
            rounding: 1.0 + root,
            extra_shift: extra_shift(corpus.num_items()),
        }
    }

    /// What a sum of contributions falls by at most with `rows` rows whose weighted sum is `length`
    /// long: the product with a row of the longest length, and what rounding takes.
    fn fall(&self, length: f64, rows: f64) -> i64 {
        let product = length * self.longest / f64::from(1 << 30) + rows * self.rounding;
        (product / f64::from(1 << self.extra_shift) + rows).ceil() as i64 + 1
    }
}

impl Bound {
    /// Bytes of one.
    pub(super) fn bytes(shape: Shape, rule: Rule) -> Bytes {
        let rows = u64::from(most(rule)) + 1;
        match rule {
            Rule::Centroid => Bytes::of::<f64>(shape.dim.into()) * rows + Bytes::of::<i64>(rows),
            _ => Bytes::ZERO,
        }
    }

    pub(super) fn new(corpus: &Corpus, rule: Rule) -> Result<Bound> {
        let what = "the bounds of a sequence";
        let (mut sums, mut falls) = (VecDeque::new(), Vec::new());
        if rule == Rule::Centroid {
            let rows = most(rule) as usize + 1;
            let mut empty = room(rows, what)?;
            for _ in 0..rows {
                empty.push(zeroed(corpus.dim() as usize, what)?);
            }
            sums = empty.into();
            falls = filled(rows, 0, what)?;
        }
        Ok(Bound { rule, num_rows: 0, sums, falls, scale: Scale::new(corpus) })
    }

    /// Back to where no row is added.
    pub(super) fn clear(&mut self) {
        self.num_rows = 0;
    }

    /// One more row.
    pub(super) fn add(&mut self, row: &[Line], weight: u16) {
        self.num_rows += 1;
        if self.rule != Rule::Centroid {
            return;
        }
        // The oldest becomes the latest.
        self.sums.rotate_right(1);
        let (latest, earlier) = self.sums.make_contiguous().split_at_mut(1);
        let values: &[i16] = bytemuck::cast_slice(row);
        let is_first = self.num_rows == 1;
        if is_first {
            earlier[0].fill(0.0);
        }
        for ((sum, before), &value) in latest[0].iter_mut().zip(&earlier[0]).zip(values) {
            *sum = before + f64::from(weight) * f64::from(value);
        }
        let there = self.num_rows.min(most(self.rule)) as usize;
        for (k, before) in earlier[..there].iter().enumerate() {
            let length = distance(&latest[0], before);
            self.falls[k + 1] = self.scale.fall(length, (k + 1) as f64);
        }
    }

    /// Whether so many rows wait for an item that it has to be looked at. `added`: the rows that it
    /// knows.
    #[inline(always)]
    pub(super) fn is_overdue(&self, added: u32) -> bool {
        self.num_rows - added >= most(self.rule)
    }

    /// What a cost may have fallen by, where it is not overdue.
    #[inline(always)]
    pub(super) fn fall_since(&self, added: u32) -> i64 {
        match self.rule {
            Rule::Centroid => self.falls[(self.num_rows - added) as usize],
            // Without a row behind the first, m counts as 0; it may be as low as -32,767.
            Rule::Mmr(lambda) if added <= 1 => i64::from(Lambda::ONE - lambda.q15()) * 32767,
            _ => 0,
        }
    }
}

fn most(rule: Rule) -> u32 {
    match rule {
        Rule::Centroid => MOST_OF_CENTROID,
        _ => MOST,
    }
}

/// The distance of two sums.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    // Several sums at once: one would wait for each addition.
    let mut squares = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for ((square, a), b) in squares.iter_mut().zip(a).zip(b) {
            *square += (a - b) * (a - b);
        }
    }
    squares.iter().sum::<f64>().sqrt()
}
