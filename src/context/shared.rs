//! Several runs over embeddings that are prepared once, into memory.
//!
//! Who calls holds the corpus between the runs. It is there already when a run is planned, so that
//! its bytes are not asked for again.

use std::sync::Arc;

use super::bounds::{Bounds, Stage};
use super::open::Context;
use super::sequences::{compute, run_plan, Destination};
use super::similarity::similarity_plan;
use crate::contract::similarity;
use crate::corpus::{Corpus, Input};
use crate::engine::{MemorySequences, MemorySimilarities, Pairs, Planner};
use crate::error::Result;
use crate::memory::{self, collected};
use crate::plan::{Plan, Request};
use crate::progress::Progress;
use crate::sequence::Sequences;

impl Context {
    /// Checks embeddings and prepares them.
    pub(crate) fn corpus(&self, input: &Input) -> Result<Arc<Corpus>> {
        self.check_process()?;
        memory::require_spare()?;
        input.check()?;
        memory::require("the prepared rows", input.shape().prepared_bytes())?;
        let progress = Progress::default();
        Corpus::prepare_by(&self.crew(&progress), input).map(Arc::new)
    }

    /// The sequences of a corpus. Blocks until they are there.
    pub(crate) fn sequences_of(
        &self,
        corpus: &Arc<Corpus>,
        request: &Request,
    ) -> Result<Sequences> {
        let (shape, corpus) = (corpus.shape(), Arc::clone(corpus));
        let plan = Plan::new(request, shape.num_items)?;
        let size = plan.shape();
        let check = move |planner: &dyn Planner, bounds: &Bounds, _| {
            run_plan(planner, bounds, Stage::Prepared, shape, &size, Destination::Memory)
        };
        self.check(check)?;
        let job = self.spawn(Progress::default(), check, move |engine, run, progress| {
            let rows = MemorySequences::new(&plan)?;
            compute(engine, &corpus, &plan.within(run.engine.host_bytes), &rows, progress)?;
            Ok(rows.into_sequences())
        })?;
        job.into_result()
    }

    /// The similarities of all pairs of a corpus. Blocks until they are there.
    pub(crate) fn similarity_of(&self, corpus: &Arc<Corpus>, pairs: Pairs) -> Result<Vec<f32>> {
        let (shape, corpus) = (corpus.shape(), Arc::clone(corpus));
        let check = move |planner: &dyn Planner, bounds: &Bounds, _| {
            similarity_plan(planner, bounds, Stage::Prepared, shape, pairs)
        };
        self.check(check)?;
        let job = self.spawn(Progress::default(), check, move |engine, _, progress| {
            let rows = MemorySimilarities::new(shape.num_items, pairs)?;
            engine.dots(&corpus, pairs, &rows, progress)?;
            Ok(rows.into_values())
        })?;
        job.into_result()
    }
}

/// The similarities of item `item` with all later ones. So few that no device is asked; they have
/// its bits.
pub(crate) fn similarities_with_later(corpus: &Corpus, item: u32) -> Result<Vec<f32>> {
    let row = corpus.row(item);
    let later = item + 1..corpus.num_items();
    collected(later.map(|other| similarity(dot(row, corpus.row(other)))), "the similarities")
}

fn dot(one: &[i16], other: &[i16]) -> i32 {
    one.iter().zip(other).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::ContextOptions;
    use crate::corpus::{Elements, ZeroRows};
    use crate::engine::{cpu, vulkan, RowSource};

    /// A context whose rows come from `rows`.
    fn context(device: &str, rows: Option<RowSource>) -> Context {
        let cpu = cpu::Settings { rows, ..cpu::Settings::default() };
        let vulkan = vulkan::Settings { rows, ..vulkan::Settings::default() };
        let device = Some(device.into());
        Context::new(&ContextOptions { device, cpu, vulkan, ..ContextOptions::default() }).unwrap()
    }

    #[test]
    fn rows_of_zeros_have_the_same_bits_on_every_engine() {
        let (num_items, dim) = (150, 13);
        let mut values: Vec<f32> = (0..150 * 13).map(|at| (at as f32 * 1.7).sin()).collect();
        for item in [0, 63, 64, 149] {
            values[item * 13..][..13].fill(0.0);
        }
        let elements = Elements::F32(&values);
        let plain = Input::new(elements, num_items, dim);
        let input = Input { zero_rows: ZeroRows::Admit, ..plain };
        let found = |context: Context| {
            let corpus = context.corpus(&input).unwrap();
            let sequences = context.sequences_of(&corpus, &Request::default()).unwrap();
            (sequences.items, context.similarity_of(&corpus, Pairs::Upper).unwrap())
        };
        let (items, similarities) = found(context("reference", None));
        assert!(similarities[..149].iter().all(|&similarity| similarity.to_bits() == 0));
        for device in ["cpu", "llvmpipe"] {
            for rows in [None, Some(RowSource::Matrix), Some(RowSource::Cache)] {
                let (other, pairs) = found(context(device, rows));
                assert!(other == items && pairs == similarities, "{device}, {rows:?}");
            }
        }
    }

    #[test]
    fn similarities_with_later_items_are_those_of_the_engines() {
        let values: Vec<f32> = (0..40 * 5).map(|at| (at as f32 * 0.9).cos()).collect();
        let elements = Elements::F32(&values);
        let input = Input::new(elements, 40, 5);
        let context = context("cpu", None);
        let corpus = context.corpus(&input).unwrap();
        let pairs = context.similarity_of(&corpus, Pairs::Upper).unwrap();
        let rows: Vec<Vec<f32>> =
            (0..40).map(|item| similarities_with_later(&corpus, item).unwrap()).collect();
        assert_eq!(rows.concat(), pairs);
    }
}
