//! Runs of sequences on a context, into memory or into a file.

use super::bounds::{corpus_bytes, Bounds, RunPlan};
use super::open::Context;
use crate::corpus::{Corpus, Input, Shape};
use crate::engine::{Engine, MemoryRows, Needs, Rows};
use crate::error::{Error, Result};
use crate::job::{Job, Output};
use crate::plan::{Plan, Request};
use crate::progress::{Phase, Progress};
use crate::store::{self, Begun, SequencesMeta, SequencesWriter, Target};

/// Where the result of a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To<'a> {
    /// Into memory.
    Memory,
    /// Into a file. Sequences: a file that is there is resumed or extended. Neighbours: one that
    /// holds them already, or more of each, stays as it is.
    File(&'a Target),
}

impl To<'_> {
    /// Bytes of memory that a result of `bytes` bytes takes there.
    pub(super) fn held(self, bytes: u64) -> u64 {
        match self {
            To::Memory => bytes,
            To::File(_) => 0,
        }
    }
}

impl Context {
    /// What a run would take, without the embeddings: refused where the device or the memory cannot
    /// do it. Waits for a run that is under way.
    pub fn plan(&self, shape: Shape, request: &Request, to: To) -> Result<RunPlan> {
        shape.check()?;
        let plan = Plan::new(request, shape.num_items)?;
        run_plan(&**self.engine(), self.bounds(), shape, &plan, to)
    }

    /// Checks everything, then starts the computation of sequences as a job.
    pub fn start(&self, input: &Input, request: &Request, to: To) -> Result<Job<Output<Vec<u32>>>> {
        let (progress, shape) = (Progress::default(), input.shape());
        shape.check()?;
        let plan = Plan::new(request, shape.num_items)?;
        self.check_now(|engine, bounds| run_plan(engine, bounds, shape, &plan, to))?;
        let corpus = progress.time(Phase::Prepare, || Corpus::prepare(input))?;
        progress.expect_rows(plan.count() as u64);
        progress.expect_steps(plan.picks());
        match to {
            To::Memory => self.spawn(progress, move |engine, bounds, progress| {
                run_plan(engine, bounds, shape, &plan, To::Memory)?;
                let rows = MemoryRows::new(&plan)?;
                compute(engine, &corpus, &plan, &rows, progress)?;
                Ok(Output::Memory(rows.into_values()))
            }),
            To::File(target) => self.start_into_file(progress, corpus, input.center, &plan, target),
        }
    }

    fn start_into_file(
        &self,
        progress: Progress,
        corpus: Corpus,
        centered: bool,
        plan: &Plan,
        target: &Target,
    ) -> Result<Job<Output<Vec<u32>>>> {
        let meta = SequencesMeta {
            version: env!("CARGO_PKG_VERSION").into(),
            fingerprint: store::fingerprint(&corpus),
            centered,
            num_items: corpus.num_items(),
            count: plan.count() as u32,
            length: plan.length(),
        };
        let target = target.clone();
        let (writer, rest) = match SequencesWriter::begin(&target, &meta, plan)? {
            Begun::Open(writer, rest) => (writer, rest),
            Begun::Finished => {
                progress.add_rows(meta.count.into());
                progress.expect_steps(0);
                return Job::spawn(progress, move |_| Ok(Output::File(target.path)));
            }
        };
        progress.add_rows(writer.already_finished());
        progress.expect_steps(rest.picks());
        self.spawn(progress, move |engine, bounds, progress| {
            if rest.count() > 0 {
                run_plan(engine, bounds, corpus.shape(), &rest, To::File(&target))?;
                compute(engine, &corpus, &rest, &*writer, progress)?;
            }
            writer.finish()?;
            Ok(Output::File(target.path))
        })
    }

    /// The blocking form of [`Context::start`], into memory.
    pub fn sequences(&self, input: &Input, request: &Request) -> Result<Vec<u32>> {
        match self.start(input, request, To::Memory)?.into_result()? {
            Output::Memory(sequences) => Ok(sequences),
            Output::File(path) => {
                let detail = format!("sequences for memory went to {}", path.display());
                Err(Error::Internal { detail })
            }
        }
    }
}

/// The plan of sequences, or why there is no memory for them.
fn run_plan(
    engine: &dyn Engine,
    bounds: &Bounds,
    shape: Shape,
    plan: &Plan,
    to: To,
) -> Result<RunPlan> {
    let needs = match plan.picks() {
        0 => Needs::default(),
        _ => engine.needs(shape, plan)?,
    };
    let item_bytes = match to {
        To::File(_) if shape.num_items <= 1 << 16 => 2,
        _ => 4,
    };
    let output_bytes = plan.output_len() as u64 * item_bytes;
    bounds.check(RunPlan {
        engine: needs,
        corpus_bytes: corpus_bytes(shape),
        output_bytes,
        host_bytes: to.held(output_bytes),
        rows: plan.count() as u64,
        steps: plan.picks(),
    })
}

fn compute(
    engine: &mut dyn Engine,
    corpus: &Corpus,
    plan: &Plan,
    rows: &dyn Rows,
    progress: &Progress,
) -> Result<()> {
    match plan.picks() {
        0 => put_heads(plan, rows, progress),
        _ => engine.sequences(corpus, plan, rows, progress),
    }
}

/// Sequences that are all head need no engine.
fn put_heads(plan: &Plan, rows: &dyn Rows, progress: &Progress) -> Result<()> {
    for (index, head) in plan.heads().enumerate() {
        progress.check()?;
        rows.put(index, head)?;
        progress.add_rows(1);
    }
    Ok(())
}
