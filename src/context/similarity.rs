//! The similarities of pairs of items on a context.

use super::bounds::{Beside, Bounds, RunPlan, Stage};
use super::open::Context;
use crate::corpus::{Corpus, Input, Preparation, Shape};
use crate::engine::{MemorySimilarities, Pairs, Planner};
use crate::error::Result;
use crate::job::Job;
use crate::memory::Bytes;
use crate::progress::{Phase, Progress};

impl Context {
    /// What similarities would take, without the embeddings: refused where the device or the memory
    /// cannot do it. Does not wait for a run that is under way.
    pub fn plan_similarity(&self, shape: Shape, pairs: Pairs) -> Result<RunPlan> {
        shape.check()?;
        self.check(|planner, bounds, stage| similarity_plan(planner, bounds, stage, shape, pairs))
    }

    /// Checks everything, then starts the computation of similarities as a job.
    pub fn start_similarity(&self, input: &Input, pairs: Pairs) -> Result<Job<Vec<f32>>> {
        let (progress, shape) = (Progress::default(), input.shape());
        self.plan_similarity(shape, pairs)?;
        let corpus =
            progress.time(Phase::Prepare, || Corpus::prepare_by(&self.crew(&progress), input))?;
        progress.expect_rows(shape.num_items.into());
        progress.expect_steps(steps(shape));
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage| {
            similarity_plan(planner, bounds, stage, shape, pairs)
        };
        self.spawn(progress, check, move |engine, _, progress| {
            let rows = MemorySimilarities::new(shape.num_items, pairs)?;
            engine.dots(&corpus, pairs, &rows, progress)?;
            Ok(rows.into_values())
        })
    }
}

impl Context {
    /// The blocking form of [`Context::start_similarity`].
    pub fn similarity(&self, input: &Input, pairs: Pairs) -> Result<Vec<f32>> {
        self.start_similarity(input, pairs)?.into_result()
    }
}

pub(super) fn similarity_plan(
    planner: &dyn Planner,
    bounds: &Bounds,
    stage: Stage,
    shape: Shape,
    pairs: Pairs,
) -> Result<RunPlan> {
    let output_bytes = Bytes::of::<f32>(pairs.count(shape.num_items));
    let beside = Beside {
        corpus: shape.prepared_bytes(),
        preparing: Preparation::bytes(shape),
        held: output_bytes,
    };
    let (rows, steps) = (shape.num_items.into(), steps(shape));
    let plan = RunPlan { output_bytes, rows, steps, ..RunPlan::default() };
    bounds.plan(stage, beside, |_| planner.dots_needs(shape), plan)
}

/// Dot products, of each pair in both orders.
fn steps(shape: Shape) -> u64 {
    u64::from(shape.num_items) * u64::from(shape.num_items)
}
