//! Runs of sequences on a context, into memory or into a file.

use super::bounds::{corpus_bytes, Bounds, RunPlan};
use super::open::Context;
use crate::corpus::{Corpus, Input, Shape};
use crate::engine::{Engine, MemorySequences, Needs, PutSequences};
use crate::error::Result;
use crate::job::{Job, Output};
use crate::plan::{Plan, Request};
use crate::progress::{Phase, Progress};
use crate::store::{self, Begun, OutputFile, SequencesMeta, SequencesWriter};

/// Where the result of a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// Into memory.
    Memory,
    /// Into a file. Sequences: a file that is there is resumed or extended. Neighbours: one that
    /// holds them already, or more of each, stays as it is.
    File(&'a OutputFile),
}

impl Destination<'_> {
    /// Bytes of memory that a result of `bytes` bytes takes there.
    pub(super) fn held(self, bytes: u64) -> u64 {
        match self {
            Destination::Memory => bytes,
            Destination::File(_) => 0,
        }
    }
}

impl Context {
    /// What a run would take, without the embeddings: refused where the device or the memory cannot
    /// do it. Waits for a run that is under way.
    pub fn plan(&self, shape: Shape, request: &Request, to: Destination) -> Result<RunPlan> {
        shape.check()?;
        let plan = Plan::new(request, shape.num_items)?;
        self.planned(|engine, bounds| run_plan(engine, bounds, shape, &plan, to))
    }

    /// Checks everything, then starts the computation of sequences as a job.
    pub fn start(
        &self,
        input: &Input,
        request: &Request,
        to: Destination,
    ) -> Result<Job<Output<Vec<u32>>>> {
        match to {
            Destination::Memory => self.start_in_memory(input, request, Output::Memory),
            Destination::File(file) => self.start_into_file(input, request, file),
        }
    }

    /// The run that both ways begin with: checked, its corpus prepared.
    fn prepare(&self, input: &Input, request: &Request, to: Destination) -> Result<PreparedRun> {
        let (progress, shape) = (Progress::default(), input.shape());
        shape.check()?;
        let plan = Plan::new(request, shape.num_items)?;
        self.check_now(|engine, bounds| run_plan(engine, bounds, shape, &plan, to))?;
        let corpus = progress.time(Phase::Prepare, || Corpus::prepare(input))?;
        progress.expect_rows(plan.count() as u64);
        progress.expect_steps(plan.picks());
        Ok(PreparedRun { progress, corpus, plan })
    }

    /// `wrap` makes the result of the sequences.
    fn start_in_memory<T: Send + Sync + 'static>(
        &self,
        input: &Input,
        request: &Request,
        wrap: fn(Vec<u32>) -> T,
    ) -> Result<Job<T>> {
        let run = self.prepare(input, request, Destination::Memory)?;
        let PreparedRun { progress, corpus, plan } = run;
        self.spawn(progress, move |engine, bounds, progress| {
            run_plan(engine, bounds, corpus.shape(), &plan, Destination::Memory)?;
            let rows = MemorySequences::new(&plan)?;
            compute(engine, &corpus, &plan, &rows, progress)?;
            Ok(wrap(rows.into_values()))
        })
    }

    fn start_into_file(
        &self,
        input: &Input,
        request: &Request,
        file: &OutputFile,
    ) -> Result<Job<Output<Vec<u32>>>> {
        let run = self.prepare(input, request, Destination::File(file))?;
        let PreparedRun { progress, corpus, plan } = run;
        let meta = SequencesMeta {
            version: env!("CARGO_PKG_VERSION").into(),
            fingerprint: store::fingerprint(&corpus),
            centered: input.center,
            num_items: corpus.num_items(),
            count: plan.count() as u32,
            length: plan.length(),
        };
        let file = file.clone();
        let (writer, rest) = match SequencesWriter::begin(&file, &meta, &plan)? {
            Begun::Open(writer, rest) => (writer, rest),
            Begun::Finished => {
                progress.add_rows(meta.count.into());
                progress.expect_steps(0);
                return Job::spawn(progress, move |_| Ok(Output::File(file.path)));
            }
        };
        progress.add_rows(writer.already_finished());
        progress.expect_steps(rest.picks());
        if rest.count() == 0 {
            // Whole but for its name: it need not wait for the engine.
            return Job::spawn(progress, move |_| {
                writer.finish()?;
                Ok(Output::File(file.path))
            });
        }
        self.spawn(progress, move |engine, bounds, progress| {
            run_plan(engine, bounds, corpus.shape(), &rest, Destination::File(&file))?;
            compute(engine, &corpus, &rest, &*writer, progress)?;
            writer.finish()?;
            Ok(Output::File(file.path))
        })
    }

    /// The blocking form of [`Context::start`], into memory.
    pub fn sequences(&self, input: &Input, request: &Request) -> Result<Vec<u32>> {
        self.start_in_memory(input, request, |sequences| sequences)?.into_result()
    }
}

/// A checked run, ready for the engine.
struct PreparedRun {
    progress: Progress,
    corpus: Corpus,
    plan: Plan,
}

/// The plan of sequences, or why there is no memory for them.
fn run_plan(
    engine: &dyn Engine,
    bounds: &Bounds,
    shape: Shape,
    plan: &Plan,
    to: Destination,
) -> Result<RunPlan> {
    let needs = match plan.picks() {
        0 => Needs::default(),
        _ => engine.needs(shape, plan)?,
    };
    let item_bytes = match to {
        Destination::File(_) if shape.num_items <= 1 << 16 => 2,
        _ => 4,
    };
    let output_bytes = (plan.output_len() as u64).saturating_mul(item_bytes);
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
    rows: &dyn PutSequences,
    progress: &Progress,
) -> Result<()> {
    match plan.picks() {
        0 => put_heads(plan, rows, progress),
        _ => engine.sequences(corpus, plan, rows, progress),
    }
}

/// Sequences that are all head need no engine.
fn put_heads(plan: &Plan, rows: &dyn PutSequences, progress: &Progress) -> Result<()> {
    for (index, head) in plan.heads().enumerate() {
        progress.check()?;
        rows.put(index, head)?;
        progress.add_rows(1);
    }
    Ok(())
}
