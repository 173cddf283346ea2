//! How far is each pick from the best one?
//!
//! At a pick every item has a cost in cosines: its similarity with the centroid of those before
//! (rule centroid), the largest with one of them (farthest), with the last one, negated (chain), or
//! what mmr weighs. The rule asks for the item with the lowest; the regret of a pick is how much
//! higher its own is. The integers round to 15 bits, so regrets up to some 1e-3 are right (see
//! docs/results-files.md); a wrong file has regrets of 0.1 and more. A sample of sequences and of
//! picks in each keeps this short: a pick costs N x D. The picks are spread over a sequence, but
//! for farthest and mmr they are its first ones: each item before a pick costs N x D as well there.

use super::rows::Rows;
use super::spread::spread;
use crate::corpus::{Elements, Input, Shape, ZeroRows};
use crate::error::Result;
use crate::memory::{self, room, zeroed, Bytes};
use crate::rule::Rule;
use crate::store::{SequencesFile, SequencesMeta};

/// Defaults of a `Sample`.
const SEQUENCES: u32 = 16;
const PICKS: u32 = 64;

/// How much to check; 0 means the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// Sequences, spread over the file; default 16.
    pub sequences: u32,
    /// Picks of each, spread over its length; default 64.
    pub picks: u32,
}

impl Sample {
    /// The sample with its defaults filled in.
    fn filled(self) -> Sample {
        let or = |number, default| if number == 0 { default } else { number };
        Sample { sequences: or(self.sequences, SEQUENCES), picks: or(self.picks, PICKS) }
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Report {
    /// Sequences looked at.
    pub sequences: u32,
    /// Picks looked at.
    pub picks: u64,
    /// The largest regret in cosine distance.
    pub worst_regret: f64,
    /// The mean regret.
    pub mean_regret: f64,
    /// The sequence with the largest regret (0-based).
    pub worst_sequence: u32,
    /// Its place in that sequence (0-based).
    pub worst_pick: u32,
}

/// Checks a sample of `file` against the embeddings; all rows are checked against their checksums.
pub fn verify(
    file: &SequencesFile,
    elements: Elements,
    shape: Shape,
    sample: Sample,
) -> Result<Report> {
    memory::require_spare()?;
    let meta = file.meta();
    let Shape { num_items, dim } = shape;
    // As the file's run had them: one that admitted none has another fingerprint.
    let zero_rows = ZeroRows::Admit;
    let plain = Input::new(elements, num_items, dim);
    let input = Input { center: meta.centered, zero_rows, ..plain };
    file.check(elements, shape, None)?;
    memory::require("the check", host_bytes(meta, shape))?;
    file.verify()?;
    let (mut items, sample) = (Items::new(&input, meta.rule)?, sample.filled());
    let mut row = room(meta.length as usize, "a sequence")?;
    let mut report = Report::default();
    let mut sum = 0.0;
    for index in spread(meta.count, sample.sequences) {
        row.clear();
        row.extend(file.row(index)?.iter());
        report.sequences += 1;
        items.check(&row, meta.head, sample.picks, |pick, regret| {
            report.picks += 1;
            sum += regret;
            if regret > report.worst_regret {
                report.worst_regret = regret;
                (report.worst_sequence, report.worst_pick) = (index, pick);
            }
        });
    }
    report.mean_regret = if report.picks == 0 { 0.0 } else { sum / report.picks as f64 };
    Ok(report)
}

/// The most bytes of memory that the check of picks holds, beside the file and the embeddings.
fn host_bytes(meta: &SequencesMeta, shape: Shape) -> Bytes {
    let row = Bytes::of::<u32>(meta.length.into());
    // `SequencesFile::verify` has a number for each item.
    let seen = Bytes::of::<u32>(meta.num_items.into());
    row + seen.max(Items::bytes(shape, meta.rule))
}

/// The embeddings, and what the rule keeps of each.
struct Items<'a> {
    rows: Rows<'a>,
    rule: Rule,
    taken: Vec<bool>,
    /// Of farthest and mmr: the similarity with the first item, and the largest with one of those
    /// so far, for mmr but the first.
    relevance: Vec<f64>,
    nearest: Vec<f64>,
}

/// Numbers of f64 that the rule keeps for each item.
fn numbers(rule: Rule) -> u64 {
    match rule {
        Rule::Centroid | Rule::Chain => 0,
        Rule::Farthest | Rule::Mmr(_) => 2,
    }
}

impl<'a> Items<'a> {
    fn new(input: &'a Input<'a>, rule: Rule) -> Result<Items<'a>> {
        let count = input.num_items as usize;
        let taken = zeroed(count, "the items that are taken")?;
        let kept = if numbers(rule) > 0 { count } else { 0 };
        let zeros = || zeroed::<f64>(kept, "the check of picks");
        let (relevance, nearest) = (zeros()?, zeros()?);
        Ok(Items { rows: Rows::new(input)?, rule, taken, relevance, nearest })
    }

    /// What one holds.
    fn bytes(shape: Shape, rule: Rule) -> Bytes {
        let item = Bytes::of::<f64>(numbers(rule)) + Bytes::of::<bool>(1);
        Rows::bytes(shape) + item * shape.num_items.into()
    }

    /// Tells `found` the regrets of some picks of a sequence that begins with `head` given items.
    fn check(&mut self, sequence: &[u32], head: u32, picks: u32, mut found: impl FnMut(u32, f64)) {
        self.rows.clear_anchor();
        self.taken.fill(false);
        self.nearest.fill(f64::NEG_INFINITY);
        let picked = sequence.len() as u32 - head;
        let of = match self.rule {
            Rule::Centroid | Rule::Chain => picked,
            Rule::Farthest | Rule::Mmr(_) => picked.min(picks),
        };
        let mut places = spread(of, picks).map(|place| place + head).peekable();
        for (place, &item) in (0..).zip(sequence) {
            if places.next_if_eq(&place).is_some() {
                if let Some(regret) = self.regret(item) {
                    found(place, regret);
                }
            }
            if places.peek().is_none() {
                return;
            }
            self.take(item, place == 0);
        }
    }

    /// Notes an item of the sequence.
    fn take(&mut self, item: u32, is_first: bool) {
        self.taken[item as usize] = true;
        match self.rule {
            Rule::Centroid => self.rows.add_to_anchor(item),
            _ => self.rows.anchor_at(item),
        }
        match self.rule {
            Rule::Centroid | Rule::Chain => {}
            Rule::Mmr(_) if is_first => self.each_cosine(|kept, cosine| kept.relevance = cosine),
            Rule::Farthest | Rule::Mmr(_) => {
                self.each_cosine(|kept, cosine| kept.nearest = kept.nearest.max(cosine));
            }
        }
    }

    /// Hands what is kept of every item to `note`, with its similarity to the anchor.
    fn each_cosine(&mut self, note: impl Fn(&mut Kept, f64)) {
        for item in 0..self.rows.num_items() {
            let (at, cosine) = (item as usize, self.rows.cosine(item));
            let mut kept = Kept { relevance: self.relevance[at], nearest: self.nearest[at] };
            note(&mut kept, cosine);
            (self.relevance[at], self.nearest[at]) = (kept.relevance, kept.nearest);
        }
    }

    /// How much more `item` costs than some untaken one; `None` where the centroid is zero.
    fn regret(&mut self, item: u32) -> Option<f64> {
        let mut lowest = f64::INFINITY;
        for other in 0..self.rows.num_items() {
            if !self.taken[other as usize] {
                lowest = lowest.min(self.cost(other));
            }
        }
        let is_clear = self.rows.has_direction() || !matches!(self.rule, Rule::Centroid);
        is_clear.then_some((self.cost(item) - lowest).max(0.0))
    }

    /// What an item costs, see [`crate::rule`].
    fn cost(&mut self, item: u32) -> f64 {
        let at = item as usize;
        match self.rule {
            Rule::Centroid => self.rows.cosine(item),
            Rule::Chain => -self.rows.cosine(item),
            Rule::Farthest => self.nearest[at],
            Rule::Mmr(lambda) => {
                // None so far but the first: nothing to repeat.
                let redundancy = Some(self.nearest[at]).filter(|nearest| nearest.is_finite());
                let (lambda, redundancy) = (lambda.value(), redundancy.unwrap_or_default());
                (1.0 - lambda) * redundancy - lambda * self.relevance[at]
            }
        }
    }
}

/// What is kept of an item.
struct Kept {
    relevance: f64,
    nearest: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_pick_has_a_regret_and_the_right_one_none() {
        let values = [1.0, 0.0, 0.0, 1.0, -1.0, 0.1];
        let elements = Elements::F64(&values);
        let input = Input::new(elements, 3, 2);
        let mut items = Items::new(&input, Rule::Centroid).unwrap();
        let mut regrets = |sequence: &[u32]| {
            let mut found = Vec::new();
            items.check(sequence, 1, 9, |pick, regret| found.push((pick, regret)));
            found
        };
        assert_eq!(regrets(&[0, 2, 1]), [(1, 0.0), (2, 0.0)]);
        let wrong = regrets(&[0, 1, 2]);
        assert!(wrong[0].1 > 0.9, "{wrong:?}");
    }

    /// Rows of zeros are orthogonal to all, whether they are picked or waiting.
    #[test]
    fn rows_of_zeros_have_regrets_like_others() {
        let values = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.1, 1.0, 0.1];
        let elements = Elements::F64(&values);
        let input = Input::new(elements, 5, 2);
        let mmr = Rule::new("mmr", Some(0.5)).unwrap();
        for (rule, right, wrong) in [
            (Rule::Centroid, [1, 3, 0, 2, 4], [1, 0, 2, 3, 4]),
            (Rule::Farthest, [1, 3, 0, 2, 4], [1, 4, 0, 2, 3]),
            (Rule::Chain, [0, 1, 4, 2, 3], [1, 3, 4, 0, 2]),
            (mmr, [1, 4, 0, 2, 3], [1, 3, 0, 2, 4]),
        ] {
            let mut items = Items::new(&input, rule).unwrap();
            let mut regrets = |sequence: &[u32]| {
                let mut found = Vec::new();
                items.check(sequence, 1, 9, |_, regret| found.push(regret));
                found
            };
            let found = regrets(&right);
            assert!(found.iter().all(|regret| *regret < 1e-12), "{rule:?}: {found:?}");
            assert_eq!(found.len(), 4, "{rule:?}");
            let found = regrets(&wrong);
            assert!(found.iter().any(|regret| *regret > 0.1), "{rule:?}: {found:?}");
        }
        // The centroid of rows of zeros has no direction, so any pick is right.
        let mut items = Items::new(&input, Rule::Centroid).unwrap();
        let mut places = Vec::new();
        items.check(&[0, 2, 1, 3, 4], 1, 9, |place, regret| places.push((place, regret < 1e-12)));
        assert_eq!(places, [(3, true), (4, true)]);
    }

    #[test]
    fn every_rule_has_its_own_regret() {
        // On a circle: at 0, 30, 80, 180 and 200 degrees.
        let values: Vec<f64> = [0.0_f64, 30.0, 80.0, 180.0, 200.0]
            .iter()
            .flat_map(|angle| [angle.to_radians().cos(), angle.to_radians().sin()])
            .collect();
        let elements = Elements::F64(&values);
        let input = Input::new(elements, 5, 2);
        let mmr = Rule::new("mmr", Some(0.5)).unwrap();
        for (rule, right, wrong) in [
            (Rule::Farthest, [0, 3, 2, 1, 4], [0, 3, 4, 2, 1]),
            (Rule::Chain, [0, 1, 2, 3, 4], [0, 1, 3, 2, 4]),
            (mmr, [0, 1, 4, 2, 3], [0, 1, 2, 3, 4]),
        ] {
            let mut items = Items::new(&input, rule).unwrap();
            let mut worst = |sequence: &[u32]| {
                let mut worst = 0.0_f64;
                items.check(sequence, 1, 9, |_, regret| worst = worst.max(regret));
                worst
            };
            assert!(worst(&right) < 1e-12, "{rule:?}: {}", worst(&right));
            assert!(worst(&wrong) > 0.1, "{rule:?}: {}", worst(&wrong));
        }
    }
}
