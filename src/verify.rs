//! Checks results against the embeddings they came from, in f64 and without any of the integers:
//! how far is each pick from the best one?
//!
//! At a pick, with c the sum of the embeddings picked so far, every item j has the cosine distance
//! 1 - x_j.c / (|x_j| |c|) from the centroid. The rule asks for the item with the largest; the
//! regret of a pick is how much smaller its own is. The integers round to 15 bits, so regrets up to
//! some 1e-3 are right (see docs/results-files.md); a wrong file has regrets of 0.1 and more. A
//! sample of sequences and of picks in each keeps this short: a pick costs N x D.

use crate::corpus::{Corpus, Elements, Input, Shape};
use crate::error::{Error, Result};
use crate::store::{fingerprint, SequencesFile};

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
    let meta = file.meta();
    let Shape { num_items, dim } = shape;
    let input = Input { elements, num_items, dim, center: meta.centered };
    if meta.num_items != num_items {
        let (found, given) = (meta.num_items.to_string(), num_items.to_string());
        return Err(other_embeddings(file, "number of items", found, given));
    }
    let given = fingerprint(&Corpus::prepare(&input)?);
    if meta.fingerprint != given {
        return Err(other_embeddings(file, "fingerprint", meta.fingerprint.clone(), given));
    }
    file.verify()?;
    let (items, sample) = (Items::new(&input), sample.filled());
    let mut report = Report::default();
    let mut sum = 0.0;
    for index in spread(meta.count, sample.sequences) {
        let row: Vec<u32> = file.row(index)?.iter().collect();
        report.sequences += 1;
        items.check(&row, sample.picks, |pick, regret| {
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

fn other_embeddings(
    file: &SequencesFile,
    what: &'static str,
    found: String,
    given: String,
) -> Error {
    Error::OtherEmbeddings { path: file.path().display().to_string(), what, found, given }
}

/// `wanted` numbers below `count`, evenly spread, the last one among them.
fn spread(count: u32, wanted: u32) -> impl Iterator<Item = u32> {
    let wanted = wanted.min(count);
    (1..=u64::from(wanted)).map(move |at| (at * u64::from(count) / u64::from(wanted)) as u32 - 1)
}

/// The embeddings in f64, centred if the results are.
struct Items {
    dim: usize,
    values: Vec<f64>,
    norms: Vec<f64>,
}

impl Items {
    fn new(input: &Input) -> Items {
        let dim = input.dim as usize;
        let mut values = vec![0.0; input.num_items as usize * dim];
        for (item, row) in values.chunks_exact_mut(dim).enumerate() {
            input.elements.widen_row(item, row);
        }
        if input.center {
            subtract_mean(&mut values, dim);
        }
        let norms = values.chunks_exact(dim).map(|row| dot(row, row).sqrt()).collect();
        Items { dim, values, norms }
    }

    fn row(&self, item: u32) -> &[f64] {
        &self.values[item as usize * self.dim..][..self.dim]
    }

    /// Tells `found` the regrets of some picks of a sequence.
    fn check(&self, sequence: &[u32], picks: u32, mut found: impl FnMut(u32, f64)) {
        let mut sum = vec![0.0; self.dim];
        let mut taken = vec![false; self.norms.len()];
        let mut places = spread(sequence.len() as u32 - 1, picks).map(|place| place + 1).peekable();
        for (place, &item) in (0..).zip(sequence) {
            if places.next_if_eq(&place).is_some() {
                if let Some(regret) = self.regret(item, &sum, &taken) {
                    found(place, regret);
                }
            }
            taken[item as usize] = true;
            sum.iter_mut().zip(self.row(item)).for_each(|(sum, value)| *sum += value);
        }
    }

    /// How much farther from the centroid than `item` some untaken one is; `None` where the
    /// centroid is zero.
    fn regret(&self, item: u32, sum: &[f64], taken: &[bool]) -> Option<f64> {
        let length = dot(sum, sum).sqrt();
        let cosine = |item: u32| dot(self.row(item), sum) / (self.norms[item as usize] * length);
        let untaken = (0..self.norms.len() as u32).filter(|&item| !taken[item as usize]);
        let lowest = untaken.map(cosine).fold(f64::INFINITY, f64::min);
        let regret = cosine(item) - lowest;
        regret.is_finite().then_some(regret.max(0.0))
    }
}

/// Centres rows of `dim` values.
fn subtract_mean(values: &mut [f64], dim: usize) {
    let mut mean = vec![0.0; dim];
    for row in values.chunks_exact(dim) {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    let count = (values.len() / dim) as f64;
    mean.iter_mut().for_each(|sum| *sum /= count);
    for row in values.chunks_exact_mut(dim) {
        row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums at once, for the vector registers.
    let mut sums = [0.0; 4];
    let (chunks_a, chunks_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in chunks_a.zip(chunks_b) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_and_hold_the_last() {
        assert_eq!(spread(10, 3).collect::<Vec<_>>(), [2, 5, 9]);
        assert_eq!(spread(2, 9).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(spread(0, 9).count(), 0);
    }

    #[test]
    fn a_wrong_pick_has_a_regret_and_the_right_one_none() {
        let values = [1.0, 0.0, 0.0, 1.0, -1.0, 0.1];
        let elements = Elements::F64(&values);
        let items = Items::new(&Input { elements, num_items: 3, dim: 2, center: false });
        let regrets = |sequence: &[u32]| {
            let mut found = Vec::new();
            items.check(sequence, 9, |pick, regret| found.push((pick, regret)));
            found
        };
        assert_eq!(regrets(&[0, 2, 1]), [(1, 0.0), (2, 0.0)]);
        let wrong = regrets(&[0, 1, 2]);
        assert!(wrong[0].1 > 0.9, "{wrong:?}");
    }
}
