//! The arithmetic contract in the plainest loops: the oracle of every test.
//!
//! Written to be read, not to be fast: steps 3 to 9 of the contract, one after the other, in loops
//! of its own. From the rest of the library it takes types (the corpus, the plan, the query) and no
//! arithmetic. It needs no driver, so it is also a last resort for small corpora
//! (`device = "reference"`).

use std::cmp::Reverse;
use std::sync::Arc;

use super::device::{DeviceInfo, DeviceKind};
use super::interface::{Engine, Needs, Planner, RowSource};
use super::neighbors::{Query, QueryShape};
use super::rows::{Pairs, PutDots, PutNeighbors, PutSequences};
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::memory::{available_bytes, collected, room, zeroed, zeroed_of, Bytes};
use crate::plan::{Plan, PlanShape};
use crate::progress::{Phase, Progress};
use crate::rule::Rule;
use crate::sequence::SequenceMut;

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
        memory_bytes: available_bytes().unwrap_or_default().get(),
        max_binding_bytes: u64::MAX,
        subgroup_size: 1,
        loop_budget: 0,
    }
}

impl Engine for Reference {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn planner(&self) -> Arc<dyn Planner> {
        Arc::new(PlainLoops)
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()> {
        let matrix = progress.time(Phase::Matrix, || matrix(corpus, plan.rule(), progress))?;
        let extra_shift = extra_shift(corpus.num_items());
        let mut row = plan.row()?;
        progress.time(Phase::Steps, || {
            for index in 0..plan.count() {
                let head = plan.head() as usize;
                plan.read_head(index, row.begin_mut(head))?;
                let run = Sequencer { matrix: &matrix, rule: plan.rule(), extra_shift };
                run.sequence(head, row.get_mut(), progress)?;
                let picks = u64::from(plan.length() - plan.head());
                progress.add_steps(picks, picks * u64::from(corpus.num_items()) * 2);
                rows.put(index as usize, row.get())?;
                progress.add_rows(1);
            }
            Ok(())
        })
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
                let found = nearest(corpus.num_items(), own, query.k, dots)?;
                let indices = collected(found.iter().map(|near| near.item), "a row")?;
                let dots = collected(found.iter().map(|near| near.dot.0), "a row")?;
                out.put(row, &indices, &dots)?;
                progress.add_steps(corpus.num_items().into(), 0);
                progress.add_rows(1);
            }
            Ok(())
        })
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        out: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()> {
        let mut dots = zeroed(corpus.num_items() as usize, "a row of dot products")?;
        progress.time(Phase::Steps, || {
            for row in 0..corpus.num_items() {
                progress.check()?;
                let first = match pairs {
                    Pairs::All => 0,
                    Pairs::Upper => row + 1,
                };
                let dots = &mut dots[first as usize..];
                for (j, to) in (first..).zip(&mut *dots) {
                    *to = dot(corpus.row(row), corpus.row(j));
                }
                out.put(row, first, dots)?;
                progress.add_steps(corpus.num_items().into(), 0);
                progress.add_rows(1);
            }
            Ok(())
        })
    }
}

/// What plain loops take.
struct PlainLoops;

impl Planner for PlainLoops {
    fn needs(&self, shape: Shape, plan: &PlanShape) -> Result<Needs> {
        let n = u64::from(shape.num_items);
        let matrix = Bytes::of::<i16>(n) * n;
        // Per item a sum, two similarities, and whether it is taken.
        let sequence = Bytes::of::<i32>(n) * 3 + Bytes::of::<bool>(n);
        let host_bytes = matrix + sequence + plan.row_bytes();
        Ok(Needs {
            host_bytes,
            groups: plan.count.into(),
            held_rows: n,
            row_source: Some(RowSource::Matrix),
            multiply_adds: n.saturating_mul(shape.values()),
            ..Needs::default()
        })
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        let host_bytes =
            Bytes::of::<Near>(shape.num_items.into()) + Bytes::of::<u64>(shape.k.into());
        Ok(Needs { host_bytes, groups: shape.num_rows.into(), ..Needs::default() })
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        let host_bytes = Bytes::of::<i32>(shape.num_items.into());
        Ok(Needs { host_bytes, groups: shape.num_items.into(), ..Needs::default() })
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

/// Step 7: g(s, j), the similarity in Q15.
fn similarity(dot: i32) -> i16 {
    ((dot + (1 << 14)) >> 15).clamp(-32767, 32767) as i16
}

/// c(s, j) for all pairs, or of other rules than centroid g(s, j): N rows of N.
fn matrix(corpus: &Corpus, rule: Rule, progress: &Progress) -> Result<Vec<i16>> {
    let n = corpus.num_items() as usize;
    let values = u64::from(corpus.num_items()).pow(2);
    let mut matrix = zeroed_of::<i16>(values, "the contribution matrix")?;
    let extra_shift = extra_shift(corpus.num_items());
    for (s, row) in matrix.chunks_exact_mut(n).enumerate() {
        progress.check()?;
        let (picked, weight) = (corpus.row(s as u32), corpus.weights()[s]);
        for (j, value) in row.iter_mut().enumerate() {
            let dot = dot(picked, corpus.row(j as u32));
            *value = match rule {
                Rule::Centroid => contribution(dot, weight, extra_shift),
                _ => similarity(dot),
            };
        }
    }
    Ok(matrix)
}

/// What sequences are computed from.
struct Sequencer<'a> {
    matrix: &'a [i16],
    rule: Rule,
    extra_shift: u32,
}

/// What one sequence knows of every item.
struct Known {
    /// The sum of what was picked.
    sums: Vec<i32>,
    /// The similarity with the first item.
    relevance: Vec<i32>,
    /// The largest similarity with one that was picked; of mmr the first does not count; of chain
    /// the similarity with the last.
    nearest: Vec<i32>,
    taken: Vec<bool>,
}

/// Below every similarity.
const NONE: i32 = i32::MIN;

impl Sequencer<'_> {
    /// Steps 5 and 7 to 9: one sequence, whose first `head` places are there.
    fn sequence(&self, head: usize, row: SequenceMut, progress: &Progress) -> Result<()> {
        let n = self.matrix.len().isqrt();
        let mut known = Known {
            sums: zeroed(n, "the scores of a sequence")?,
            relevance: zeroed(n, "the scores of a sequence")?,
            nearest: zeroed(n, "the scores of a sequence")?,
            taken: zeroed(n, "the items taken")?,
        };
        known.nearest.fill(NONE);
        for k in 0..row.items.len() {
            progress.check()?;
            if k >= head {
                let untaken = (0..n).filter(|&j| !known.taken[j]);
                // min_by_key keeps the first of equals: the lowest index.
                let pick = untaken.min_by_key(|&j| self.cost(&known, j)).unwrap_or(0);
                row.items[k] = pick as u32;
                if !row.values.is_empty() {
                    row.values[k] = self.value(self.cost(&known, pick), k);
                }
            }
            self.pick(&mut known, row.items[k] as usize, k);
        }
        Ok(())
    }

    /// What item `j` costs.
    fn cost(&self, known: &Known, j: usize) -> i32 {
        match self.rule {
            Rule::Centroid => known.sums[j],
            Rule::Farthest => known.nearest[j],
            Rule::Mmr(lambda) => {
                let redundancy = if known.nearest[j] == NONE { 0 } else { known.nearest[j] };
                -(lambda.q15() * known.relevance[j] - (32768 - lambda.q15()) * redundancy)
            }
            Rule::Chain => -known.nearest[j],
        }
    }

    /// Takes an item, the one at place `k`.
    fn pick(&self, known: &mut Known, pick: usize, k: usize) {
        known.taken[pick] = true;
        let n = known.taken.len();
        for (j, &value) in self.matrix[pick * n..][..n].iter().enumerate() {
            let value = i32::from(value);
            match self.rule {
                Rule::Centroid => known.sums[j] += value,
                Rule::Mmr(_) if k == 0 => known.relevance[j] = value,
                Rule::Farthest | Rule::Mmr(_) => known.nearest[j] = known.nearest[j].max(value),
                Rule::Chain => known.nearest[j] = value,
            }
        }
    }

    /// The value of the pick at place `k`, which cost `cost`.
    fn value(&self, cost: i32, k: usize) -> f32 {
        let cost = f64::from(cost);
        let value = match self.rule {
            Rule::Centroid => cost * f64::from(1 << self.extra_shift) / (32768.0 * k as f64),
            Rule::Farthest => cost / 32767.0,
            // Not -0 for a cost of 0.
            Rule::Mmr(_) => (0.0 - cost) / (32768.0 * 32767.0),
            Rule::Chain => (0.0 - cost) / 32767.0,
        };
        value as f32
    }
}

/// A neighbour. In order: the greatest dot product first, of equal ones the lowest item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Near {
    dot: Reverse<i32>,
    item: u32,
}

/// Step 6: the `k` nearest items but `own`, in order.
fn nearest(
    num_items: u32,
    own: Option<u32>,
    k: u32,
    dot: impl Fn(u32) -> i32,
) -> Result<Vec<Near>> {
    let mut found = room(num_items as usize, "the dot products of a row")?;
    let others = (0..num_items).filter(|&item| own != Some(item));
    found.extend(others.map(|item| Near { dot: Reverse(dot(item)), item }));
    found.sort_unstable();
    found.truncate(k as usize);
    Ok(found)
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

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_is_the_machines() {
        assert!(device_info().memory_bytes > 0);
    }

    #[test]
    fn neighbors_come_by_falling_dot_then_rising_number() {
        let dots = [5, -7, 5, 9, 0];
        let dot = |item: u32| dots[item as usize];
        let items = |own, k| -> Vec<u32> {
            nearest(5, own, k, dot).unwrap().iter().map(|near| near.item).collect()
        };
        assert_eq!(items(None, 5), [3, 0, 2, 4, 1]);
        assert_eq!(items(Some(0), 2), [3, 2]);
    }
}
