//! The arithmetic contract in the plainest loops: the oracle of every test.
//!
//! Written to be read, not to be fast: steps 3 to 6 of the contract, one after the other, in loops
//! of its own. From the rest of the library it takes types (the corpus, the plan, the query) and no
//! arithmetic. It needs no driver, so it is also a last resort for small corpora
//! (`device = "reference"`).

use std::cmp::Reverse;

use super::device::{DeviceInfo, DeviceKind};
use super::interface::{Engine, Needs};
use super::neighbors::{Query, QueryShape};
use super::rows::{Pairs, PutDots, PutNeighbors, PutSequences};
use crate::corpus::{Corpus, Shape};
use crate::error::{zeroed, Result};
use crate::plan::Plan;
use crate::progress::{Phase, Progress};

/// The reference engine.
#[derive(Debug)]
pub struct Reference {
    info: DeviceInfo,
}

impl Default for Reference {
    fn default() -> Self {
        Reference { info: device_info() }
    }
}

/// The reference engine as a device.
pub fn device_info() -> DeviceInfo {
    DeviceInfo {
        name: "reference".into(),
        driver: concat!("vkd ", env!("CARGO_PKG_VERSION"), ", plain loops on one core").into(),
        kind: DeviceKind::Reference,
        uuid: [0; 16],
        memory_bytes: 0,
        max_binding_bytes: u64::MAX,
        subgroup_size: 1,
        loop_budget: 0,
    }
}

impl Engine for Reference {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn needs(&self, shape: Shape, plan: &Plan) -> Result<Needs> {
        let n = u64::from(shape.num_items);
        // Per item a score and whether it is taken.
        let host_bytes = n * n * 2 + n * 5 + u64::from(plan.length()) * 4;
        let (groups, held_rows) = (plan.count() as u64, shape.num_items.into());
        Ok(Needs { host_bytes, groups, held_rows, ..Needs::default() })
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()> {
        let matrix = progress.time(Phase::Matrix, || contributions(corpus, progress))?;
        let mut row = zeroed(plan.length() as usize, "a sequence")?;
        progress.time(Phase::Steps, || {
            for (index, head) in plan.heads().enumerate() {
                sequence(&matrix, head, &mut row, progress)?;
                let picks = (row.len() - head.len()) as u64;
                progress.add_steps(picks, picks * u64::from(corpus.num_items()) * 2);
                rows.put(index, &row)?;
                progress.add_rows(1);
            }
            Ok(())
        })
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        let host_bytes = u64::from(shape.num_items) * 8 + u64::from(shape.k) * 8;
        Ok(Needs { host_bytes, groups: shape.num_rows.into(), ..Needs::default() })
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        out: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()> {
        let rows = query.rows(corpus);
        progress.time(Phase::Steps, || {
            for row in 0..rows.num_items() {
                progress.check()?;
                // A row of another corpus may be near any item, an item not near itself.
                let own = query.queries.is_none().then_some(row);
                let dots = |item: u32| dot(rows.row(row), corpus.row(item));
                let indices = nearest(corpus.num_items(), own, query.k, dots);
                let dots: Vec<i32> = indices.iter().map(|&item| dots(item)).collect();
                out.put(row, &indices, &dots)?;
                progress.add_steps(corpus.num_items().into(), 0);
                progress.add_rows(1);
            }
            Ok(())
        })
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        let host_bytes = u64::from(shape.num_items) * 4;
        Ok(Needs { host_bytes, groups: shape.num_items.into(), ..Needs::default() })
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        out: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()> {
        progress.time(Phase::Steps, || {
            for row in 0..corpus.num_items() {
                progress.check()?;
                let first = match pairs {
                    Pairs::All => 0,
                    Pairs::Upper => row + 1,
                };
                let dot = |j| dot(corpus.row(row), corpus.row(j));
                let dots: Vec<i32> = (first..corpus.num_items()).map(dot).collect();
                out.put(row, first, &dots)?;
                progress.add_steps(corpus.num_items().into(), 0);
                progress.add_rows(1);
            }
            Ok(())
        })
    }
}

/// Step 3: the exact dot product of two prepared rows.
fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// Step 4: what picking an item of weight `weight` adds to the score of an item, given their dot
/// product.
fn contribution(dot: i32, weight: u16, extra_shift: u32) -> i16 {
    let g = ((dot + (1 << 14)) >> 15).clamp(-32767, 32767);
    ((i32::from(weight) * g + (1 << (14 + extra_shift))) >> (15 + extra_shift)) as i16
}

/// Step 4: e is the smallest number with N <= 65536 x 2^e.
fn extra_shift(num_items: u32) -> u32 {
    (0..=16).find(|&e| u64::from(num_items) <= 65_536 << e).unwrap_or(16)
}

/// c(s, j) for all pairs: N rows of N.
fn contributions(corpus: &Corpus, progress: &Progress) -> Result<Vec<i16>> {
    let n = corpus.num_items() as usize;
    let mut matrix = zeroed::<i16>(n * n, "the contribution matrix")?;
    let extra_shift = extra_shift(corpus.num_items());
    for (s, row) in matrix.chunks_exact_mut(n).enumerate() {
        progress.check()?;
        let (picked, weight) = (corpus.row(s as u32), corpus.weights()[s]);
        for (j, c) in row.iter_mut().enumerate() {
            *c = contribution(dot(picked, corpus.row(j as u32)), weight, extra_shift);
        }
    }
    Ok(matrix)
}

/// Step 5: one sequence into `row`, beginning with `head`.
fn sequence(matrix: &[i16], head: &[u32], row: &mut [u32], progress: &Progress) -> Result<()> {
    let n = matrix.len().isqrt();
    let mut scores = vec![0i32; n];
    let mut taken = vec![false; n];
    for (k, place) in row.iter_mut().enumerate() {
        progress.check()?;
        let untaken = (0..n as u32).filter(|&j| !taken[j as usize]);
        // min_by_key keeps the first of equals: the lowest index.
        let lowest = || untaken.min_by_key(|&j| scores[j as usize]).unwrap_or(0);
        let pick = head.get(k).copied().unwrap_or_else(lowest);
        *place = pick;
        taken[pick as usize] = true;
        for (score, &c) in scores.iter_mut().zip(&matrix[pick as usize * n..][..n]) {
            *score += i32::from(c);
        }
    }
    Ok(())
}

/// Step 6: the `k` items but `own` with the greatest dot products, on equal ones the lower first.
fn nearest(num_items: u32, own: Option<u32>, k: u32, dot: impl Fn(u32) -> i32) -> Vec<u32> {
    let mut items: Vec<u32> = (0..num_items).filter(|&item| own != Some(item)).collect();
    // The sort is stable: items with equal dot products stay in the order of their numbers.
    items.sort_by_cached_key(|&item| Reverse(dot(item)));
    items.truncate(k as usize);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_round_and_clamp_as_the_contract_says() {
        assert_eq!(contribution(32767 * 32767, 32768, 0), 32766);
        assert_eq!(contribution(i32::MAX - (1 << 14), 32768, 0), 32767);
        assert_eq!(contribution(-(1 << 30) - (1 << 20), 32768, 0), -32767);
        assert_eq!(contribution(1 << 14, 32768, 0), 1);
        assert_eq!(contribution((1 << 14) - 1, 32768, 0), 0);
        assert_eq!(contribution(-(1 << 14) - 1, 32768, 0), -1);
        assert_eq!(contribution(32767 << 15, 16384, 1), 8192);
    }

    #[test]
    fn neighbors_come_by_falling_dot_then_rising_number() {
        let dots = [5, -7, 5, 9, 0];
        let dot = |item: u32| dots[item as usize];
        assert_eq!(nearest(5, None, 5, dot), [3, 0, 2, 4, 1]);
        assert_eq!(nearest(5, Some(0), 2, dot), [3, 2]);
    }
}
