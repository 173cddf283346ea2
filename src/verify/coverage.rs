//! How well the picks of a sequence stand for the corpus: two numbers that need no rule.
//!
//! Distances are 1 - cosine. With S the first items of a sequence,
//!
//! - the **covering radius** is the largest distance of any item to its nearest one of S: what
//!   k-center asks to be small (Gonzalez 1985, "Clustering to minimize the maximum intercluster
//!   distance"; his farthest-first traversal is the rule `farthest`);
//! - the **spread** is the smallest distance between two of S: what max-min dispersion asks to be
//!   large.
//!
//! Rows of zeros are at distance 1 from all others. It costs N x D for each of S.

use super::rows::Rows;
use super::spread::spread;
use crate::corpus::{Elements, Input, Shape, ZeroRows};
use crate::error::Result;
use crate::memory::{self, filled, room, zeroed, Bytes};
use crate::store::SequencesFile;

/// Items of a sequence where nothing else is said.
const FIRST: u32 = 100;

/// Which sequences to look at; 0 means the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CoverageSample {
    /// Sequences: 1, the default, is the first; more are spread over the file.
    pub rows: u32,
    /// Items of each, from its first on; default 100, at most all.
    pub first: u32,
}

/// How well they cover the corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Sequences looked at.
    pub rows: u32,
    /// Items of each.
    pub items: u32,
    /// The largest covering radius of them.
    pub covering_radius: f64,
    /// The smallest spread; `None` of single items.
    pub spread: Option<f64>,
}

/// Computes the coverage of some rows of `file`, whose embeddings these are.
pub fn coverage(
    file: &SequencesFile,
    elements: Elements,
    shape: Shape,
    sample: CoverageSample,
) -> Result<Coverage> {
    memory::require_spare()?;
    let meta = file.meta();
    // As the file's run had them: one that admitted none has another fingerprint.
    let zero_rows = ZeroRows::Admit;
    let plain = Input::new(elements, shape.num_items, shape.dim);
    let input = Input { center: meta.centered, zero_rows, ..plain };
    file.check(elements, shape, None)?;
    let items = if sample.first == 0 { FIRST } else { sample.first }.min(meta.length);
    memory::require("the coverage", host_bytes(shape, items))?;
    let mut distances = Distances::new(&input)?;
    let mut row = room(items as usize, "a sequence")?;
    let mut found = Coverage { rows: 0, items, covering_radius: 0.0, spread: None };
    for index in rows_of(meta.count, sample.rows) {
        row.clear();
        row.extend(file.checked_row(index)?.iter().take(items as usize));
        let (radius, spread) = distances.measure(&row);
        found.rows += 1;
        found.covering_radius = found.covering_radius.max(radius);
        found.spread = [found.spread, spread].into_iter().flatten().reduce(f64::min);
    }
    Ok(found)
}

/// The rows of a sample: the first, or some that are spread.
fn rows_of(count: u32, wanted: u32) -> impl Iterator<Item = u32> {
    let first = (wanted <= 1).then_some(0);
    let others = if wanted <= 1 { 0 } else { wanted };
    first.into_iter().chain(spread(count, others))
}

/// What is held, beside the file and the embeddings.
fn host_bytes(shape: Shape, items: u32) -> Bytes {
    let item = Bytes::of::<f64>(1) + Bytes::of::<bool>(1);
    Rows::bytes(shape) + item * shape.num_items.into() + Bytes::of::<u32>(items.into())
}

/// Of every item the distance to the nearest one so far.
struct Distances<'a> {
    rows: Rows<'a>,
    nearest: Vec<f64>,
    taken: Vec<bool>,
}

impl<'a> Distances<'a> {
    fn new(input: &'a Input<'a>) -> Result<Distances<'a>> {
        let (count, what) = (input.num_items as usize, "the distances");
        let (nearest, taken) = (filled(count, f64::INFINITY, what)?, zeroed(count, what)?);
        Ok(Distances { rows: Rows::new(input)?, nearest, taken })
    }

    /// The covering radius of these items, and their spread, if there are two.
    fn measure(&mut self, items: &[u32]) -> (f64, Option<f64>) {
        self.nearest.fill(f64::INFINITY);
        self.taken.fill(false);
        let mut spread: Option<f64> = None;
        for (place, &item) in items.iter().enumerate() {
            if place > 0 {
                // Its nearest among those before.
                let nearest = self.nearest[item as usize];
                spread = Some(spread.map_or(nearest, |spread| spread.min(nearest)));
            }
            self.take(item);
        }
        let untaken = self.nearest.iter().zip(&self.taken).filter(|(_, &taken)| !taken);
        (untaken.map(|(&nearest, _)| nearest).fold(0.0, f64::max), spread)
    }

    fn take(&mut self, item: u32) {
        self.taken[item as usize] = true;
        self.rows.anchor_at(item);
        for other in 0..self.rows.num_items() {
            // Rounding may leave a little less than nothing.
            let distance = (1.0 - self.rows.cosine(other)).max(0.0);
            let nearest = &mut self.nearest[other as usize];
            *nearest = nearest.min(distance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items on a circle, and one that is nowhere.
    fn on_circle(degrees: &[f64]) -> Vec<f64> {
        let points = degrees.iter().map(|angle| angle.to_radians());
        points.flat_map(|angle| [angle.cos(), angle.sin()]).chain([0.0, 0.0]).collect()
    }

    fn distance(degrees: f64) -> f64 {
        1.0 - degrees.to_radians().cos()
    }

    #[test]
    fn radius_and_spread_are_those_of_their_definitions() {
        let values = on_circle(&[0.0, 30.0, 80.0, 180.0, 200.0]);
        let input = Input::new(Elements::F64(&values), 6, 2);
        let mut distances = Distances::new(&input).unwrap();
        let mut close = |items: &[u32], radius: f64, spread: Option<f64>| {
            let found = distances.measure(items);
            let is_close = |a: f64, b: f64| (a - b).abs() < 1e-12;
            assert!(is_close(found.0, radius), "{items:?}: {found:?}");
            match (found.1, spread) {
                (Some(a), Some(b)) => assert!(is_close(a, b), "{items:?}: {found:?}"),
                (found, spread) => assert_eq!(found, spread, "{items:?}"),
            }
        };
        // The row of zeros is at distance 1 from all.
        close(&[0], distance(180.0), None);
        close(&[0, 3], 1.0, Some(distance(180.0)));
        close(&[0, 3, 5], distance(80.0), Some(1.0));
        close(&[0, 1, 3, 5], distance(50.0), Some(distance(30.0)));
        close(&[0, 1, 2, 3, 4, 5], 0.0, Some(distance(20.0)));
        // Each time anew.
        close(&[0], distance(180.0), None);
    }

    #[test]
    fn the_first_row_or_some_that_are_spread() {
        let rows = |wanted| rows_of(10, wanted).collect::<Vec<u32>>();
        assert_eq!([rows(0), rows(1)], [[0], [0]]);
        assert_eq!([rows(2), rows(5)].concat(), [4, 9, 1, 3, 5, 7, 9]);
    }
}
