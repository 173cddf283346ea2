//! The similarities of pairs of items on a context.

use super::bounds::{corpus_bytes, Bounds, RunPlan};
use super::open::Context;
use crate::corpus::{Corpus, Input, Shape};
use crate::engine::{Engine, MemorySimilarities, Pairs};
use crate::error::Result;
use crate::job::Job;
use crate::progress::{Phase, Progress};

impl Context {
    /// What similarities would take, without the embeddings: refused where the device or the memory
    /// cannot do it. Waits for a run that is under way.
    pub fn plan_similarity(&self, shape: Shape, pairs: Pairs) -> Result<RunPlan> {
        shape.check()?;
        self.planned(|engine, bounds| similarity_plan(engine, bounds, shape, pairs))
    }

    /// Checks everything, then starts the computation of similarities as a job.
    pub fn start_similarity(&self, input: &Input, pairs: Pairs) -> Result<Job<Vec<f32>>> {
        let (progress, shape) = (Progress::default(), input.shape());
        shape.check()?;
        self.check_now(|engine, bounds| similarity_plan(engine, bounds, shape, pairs))?;
        let corpus = progress.time(Phase::Prepare, || Corpus::prepare(input))?;
        progress.expect_rows(shape.num_items.into());
        progress.expect_steps(steps(shape));
        self.spawn(progress, move |engine, bounds, progress| {
            similarity_plan(engine, bounds, shape, pairs)?;
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

fn similarity_plan(
    engine: &dyn Engine,
    bounds: &Bounds,
    shape: Shape,
    pairs: Pairs,
) -> Result<RunPlan> {
    let output_bytes = pairs.count(shape.num_items).saturating_mul(4);
    bounds.check(RunPlan {
        engine: engine.dots_needs(shape)?,
        corpus_bytes: corpus_bytes(shape),
        output_bytes,
        host_bytes: output_bytes,
        rows: shape.num_items.into(),
        steps: steps(shape),
    })
}

/// Dot products, of each pair in both orders.
fn steps(shape: Shape) -> u64 {
    u64::from(shape.num_items) * u64::from(shape.num_items)
}
