//! Some rows of a file computed anew and compared bit for bit.
//!
//! A file may come from a machine that nobody here has seen. Any device gives the same bits, so a
//! few rows that are chosen at random tell whether it computes as it should.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bounds::{Bounds, Stage};
use super::open::Context;
use super::sequences::{compute, run_plan, Destination};
use crate::corpus::{Corpus, Input, ZeroRows};
use crate::engine::{MemorySequences, Planner};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::memory::room;
use crate::plan::{Heads, Plan, Request};
use crate::progress::{Phase, Progress};
use crate::sequence::{Sequence, Sequences};
use crate::store::SequencesFile;

/// Rows that are chosen at random: the same seed chooses the same rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomRows {
    /// How many; all where a file has no more.
    pub count: u32,
    /// Any number.
    pub seed: u64,
}

impl RandomRows {
    /// Some of `of` rows, each once, in order.
    fn choose(self, of: u32) -> impl Iterator<Item = u32> {
        let mut state = self.seed;
        let mut below = |most: u64| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            ((u128::from(splitmix(state)) * u128::from(most)) >> 64) as u32
        };
        // Robert Floyd's: each set of rows is as likely as any other.
        let mut chosen = BTreeSet::new();
        for last in of - self.count.min(of)..of {
            let row = below(u64::from(last) + 1);
            if !chosen.insert(row) {
                chosen.insert(last);
            }
        }
        chosen.into_iter()
    }
}

/// Mixes the bits of a number (splitmix64).
fn splitmix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Context {
    /// Computes some rows of a file anew and compares their bits, as a job that gives how many rows
    /// it compared. The first row that differs is [`Error::OtherRow`]; other embeddings than the
    /// file's are refused by their fingerprint before any work. Whether they are centred, and
    /// whether rows of zeros are admitted, the file tells.
    pub fn start_recheck(
        &self,
        file: &Arc<SequencesFile>,
        input: &Input,
        rows: RandomRows,
    ) -> Result<Job<u32>> {
        if rows.count == 0 {
            return Err(Error::ZeroSize { name: "count" });
        }
        file.check(input.elements, input.shape(), None)?;
        let rows: Vec<u32> = rows.choose(file.meta().count).collect();
        let request = request(file, &rows)?;
        let input = Input { center: file.meta().centered, zero_rows: ZeroRows::Admit, ..*input };
        let (plan, shape) = (Plan::new(&request, input.num_items)?, input.shape());
        let size = plan.shape();
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage: Stage| {
            run_plan(planner, bounds, stage, shape, &size, Destination::Memory)
        };
        self.check(check)?;
        let progress = Progress::default();
        let corpus =
            progress.time(Phase::Prepare, || Corpus::prepare_by(&self.crew(&progress), &input))?;
        progress.expect_rows(plan.count().into());
        progress.expect_steps(plan.picks());
        let (file, device) = (Arc::clone(file), self.info().name.clone());
        self.spawn(progress, check, move |engine, run, progress| {
            let computed = MemorySequences::new(&plan)?;
            compute(engine, &corpus, &plan.within(run.engine.host_bytes), &computed, progress)?;
            let computed = computed.into_sequences();
            for (place, &row) in rows.iter().enumerate() {
                progress.check()?;
                compare(&file, row, row_of(&computed, place, plan.length()), &device)?;
            }
            Ok(plan.count())
        })
    }

    /// The blocking form of [`Context::start_recheck`].
    pub fn recheck(
        &self,
        file: &Arc<SequencesFile>,
        input: &Input,
        rows: RandomRows,
    ) -> Result<u32> {
        self.start_recheck(file, input, rows)?.into_result()
    }
}

/// What gives these rows of a file.
fn request(file: &SequencesFile, rows: &[u32]) -> Result<Request> {
    let (meta, head) = (file.meta(), file.meta().head as usize);
    let mut items = room(rows.len() * head, "the heads")?;
    rows.iter().for_each(|&row| items.extend(&file.heads()[row as usize * head..][..head]));
    let heads = Some(Heads { items, length: meta.head });
    let (length, rule, values) = (meta.length, meta.rule, meta.values);
    Ok(Request { heads, length, rule, values, ..Request::default() })
}

fn row_of(all: &Sequences, place: usize, length: u32) -> Sequence<'_> {
    let places = place * length as usize..(place + 1) * length as usize;
    Sequence {
        items: &all.items[places.clone()],
        values: all.values.get(places).unwrap_or_default(),
    }
}

/// Refuses a row of a file that is not the one that was computed.
fn compare(file: &SequencesFile, row: u32, computed: Sequence, device: &str) -> Result<()> {
    let (items, values) = (file.checked_row(row)?, file.values(row)?.unwrap_or_default());
    let other = |place, found: String, computed: String| Error::OtherRow {
        path: file.path().display().to_string(),
        row,
        place,
        found,
        computed,
        device: device.to_owned(),
    };
    let mut pairs = items.iter().zip(computed.items).enumerate();
    if let Some((place, (found, item))) = pairs.find(|(_, (found, item))| found != *item) {
        return Err(other(place, format!("item {found}"), format!("item {item}")));
    }
    let mut pairs = values.iter().zip(computed.values).enumerate();
    match pairs.find(|(_, (found, value))| found.to_bits() != value.to_bits()) {
        Some((place, (found, value))) => {
            Err(other(place, format!("the value {found:?}"), format!("the value {value:?}")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(count: u32, seed: u64, of: u32) -> Vec<u32> {
        RandomRows { count, seed }.choose(of).collect()
    }

    #[test]
    fn rows_are_chosen_by_the_seed_each_once() {
        // The first number of splitmix64 with the seed 0.
        assert_eq!(splitmix(0x9e37_79b9_7f4a_7c15), 0xe220_a839_7b1d_cdaf);
        assert_eq!(chosen(5, 1, 1000), chosen(5, 1, 1000));
        assert_ne!(chosen(5, 1, 1000), chosen(5, 2, 1000));
        assert_eq!(chosen(9, 3, 7), [0, 1, 2, 3, 4, 5, 6]);
        let mut times = [0; 10];
        for seed in 0..1000 {
            let rows = chosen(3, seed, 10);
            assert!(rows.len() == 3 && rows.windows(2).all(|pair| pair[0] < pair[1]), "{rows:?}");
            rows.iter().for_each(|&row| times[row as usize] += 1);
        }
        assert!(times.iter().all(|time| (200..400).contains(time)), "{times:?}");
        assert_eq!(chosen(1, 0, 1), [0]);
        assert!(chosen(2, 0, u32::MAX).len() == 2);
    }
}
