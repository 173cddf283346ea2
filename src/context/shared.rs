//! Several runs over embeddings that are prepared once, into memory.
//!
//! Who calls holds the corpus between the runs. It is there already when a run is planned, so that
//! its bytes are not asked for again. What sequences need beside, their matrix, the engine may keep
//! from run to run.

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
    /// Checks embeddings and prepares them. What the engine keeps of others is freed, when the runs
    /// that were started have ended.
    pub(crate) fn corpus(&self, input: &Input) -> Result<Arc<Corpus>> {
        self.check_process()?;
        memory::require_spare()?;
        input.check()?;
        self.free_kept()?;
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
            engine.keep(&corpus);
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
    use crate::context::RunPlan;
    use crate::corpus::{Elements, ZeroRows};
    use crate::engine::{cpu, vulkan, Engine, RowSource};
    use crate::memory::Bytes;

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
    fn what_is_kept_of_a_corpus_is_freed_for_others() {
        let values: Vec<f32> = (0..150 * 5).map(|at| (at as f32 * 0.9).cos()).collect();
        let prepared = |context: &Context, num_items: u32| {
            let elements = Elements::F32(&values[..num_items as usize * 5]);
            context.corpus(&Input::new(elements, num_items, 5)).unwrap()
        };
        let kept = |context: &Context| {
            let nothing = |_: &dyn Planner, _: &Bounds, _| Ok(RunPlan::default());
            let kept = |engine: &mut dyn Engine, _: &RunPlan, _: &Progress| Ok(engine.kept_bytes());
            context.spawn(Progress::default(), nothing, kept).unwrap().into_result().unwrap()
        };
        let context = context("cpu", Some(RowSource::Matrix));
        let (corpus, request) = (prepared(&context, 150), Request::default());
        let first = context.sequences_of(&corpus, &request).unwrap();
        assert_eq!(kept(&context), Bytes::of::<i16>(150 * 192));
        assert_eq!(context.sequences_of(&corpus, &request).unwrap(), first);
        context.similarity_of(&corpus, Pairs::Upper).unwrap();
        assert_eq!(kept(&context), Bytes::ZERO);
        context.sequences_of(&corpus, &request).unwrap();
        let other = prepared(&context, 149);
        assert_eq!(kept(&context), Bytes::ZERO);
        context.sequences_of(&other, &request).unwrap();
        assert_eq!(kept(&context), Bytes::of::<i16>(149 * 192));
        // A run over embeddings of its own.
        let input = Input::new(Elements::F32(&values), 150, 5);
        assert_eq!(context.sequences(&input, &request).unwrap(), first);
        assert_eq!(kept(&context), Bytes::ZERO);
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
