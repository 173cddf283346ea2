//! Runs of sequences on a context, into memory or into a file.

use super::bounds::{Beside, Bounds, RunPlan, Stage};
use super::open::Context;
use crate::corpus::{Corpus, Input, Preparation, Shape};
use crate::engine::{Engine, MemorySequences, Needs, Planner, PutSequences};
use crate::error::Result;
use crate::job::{Job, Output};
use crate::memory::Bytes;
use crate::plan::{Plan, PlanShape, Request};
use crate::progress::{Phase, Progress};
use crate::sequence::Sequences;
use crate::store::{
    self, Begun, Family, OutputFile, OutputPlace, SequencesFile, SequencesMeta, SequencesWriter,
    ShardMeta,
};

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
    /// Bytes of memory that a result of `bytes` bytes takes there, or the ids for it.
    pub(super) fn held(self, bytes: Bytes) -> Bytes {
        match self {
            Destination::Memory => bytes,
            Destination::File(file) => file.ids.as_ref().map_or(Bytes::ZERO, |ids| ids.bytes()),
        }
    }

    /// Refuses ids for the result that are not one for each item.
    pub(super) fn require_ids_of(self, num_items: u32) -> Result<()> {
        match self {
            Destination::Memory => Ok(()),
            Destination::File(file) => file.require_ids_of(num_items),
        }
    }
}

impl Context {
    /// What a run would take, without the embeddings: refused where the device or the memory cannot
    /// do it. Does not wait for a run that is under way.
    pub fn plan(&self, shape: Shape, request: &Request, to: Destination) -> Result<RunPlan> {
        shape.check()?;
        to.require_ids_of(shape.num_items)?;
        let plan = request.shape(shape.num_items)?;
        self.check(|planner, bounds, stage| run_plan(planner, bounds, stage, shape, &plan, to))
    }

    /// Checks everything, then starts the computation of sequences as a job.
    pub fn start(
        &self,
        input: &Input,
        request: &Request,
        to: Destination,
    ) -> Result<Job<Output<Sequences>>> {
        match to {
            Destination::Memory => self.start_in_memory(input, request, Output::Memory),
            Destination::File(file) => self.start_into_file(input, request, file),
        }
    }

    /// The run that both ways begin with: checked, its corpus prepared.
    fn prepare(
        &self,
        input: &Input,
        request: &Request,
        to: Destination,
        progress: Progress,
    ) -> Result<PreparedRun> {
        let shape = input.shape();
        shape.check()?;
        let plan = Plan::new(request, shape.num_items)?;
        let size = work_left(&plan.shape(), shape, to);
        self.check(|planner, bounds, stage| run_plan(planner, bounds, stage, shape, &size, to))?;
        let corpus =
            progress.time(Phase::Prepare, || Corpus::prepare_by(&self.crew(&progress), input))?;
        progress.expect_rows(plan.count().into());
        progress.expect_steps(plan.picks());
        Ok(PreparedRun { progress, corpus, plan })
    }

    /// `wrap` makes the result of the sequences.
    fn start_in_memory<T: Send + Sync + 'static>(
        &self,
        input: &Input,
        request: &Request,
        wrap: fn(Sequences) -> T,
    ) -> Result<Job<T>> {
        let run = self.prepare(input, request, Destination::Memory, Progress::default())?;
        let PreparedRun { progress, corpus, plan } = run;
        let (shape, size) = (corpus.shape(), plan.shape());
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage| {
            run_plan(planner, bounds, stage, shape, &size, Destination::Memory)
        };
        self.spawn(progress, check, move |engine, run, progress| {
            let rows = MemorySequences::new(&plan)?;
            compute(engine, &corpus, &plan.within(run.engine.host_bytes), &rows, progress)?;
            Ok(wrap(rows.into_sequences()))
        })
    }

    fn start_into_file(
        &self,
        input: &Input,
        request: &Request,
        file: &OutputFile,
    ) -> Result<Job<Output<Sequences>>> {
        file.require_ids_of(input.num_items)?;
        let progress = Progress::default();
        let place = OutputPlace::new(file, Family::Results, &progress)?;
        let run = self.prepare(input, request, Destination::File(file), progress)?;
        let PreparedRun { progress, corpus, plan } = run;
        let shard = shard_meta(request, corpus.num_items())?;
        let meta = SequencesMeta {
            version: env!("CARGO_PKG_VERSION").into(),
            fingerprint: store::fingerprint(&corpus),
            centered: input.center,
            num_items: corpus.num_items(),
            count: plan.count(),
            length: plan.length(),
            head: plan.head(),
            rule: plan.rule(),
            values: plan.shape().values,
            shard,
        };
        // The ids are in the file as soon as it is begun.
        let file = OutputFile { ids: None, ..file.clone() };
        let (writer, rest) = match SequencesWriter::begin_at(place, &meta, &plan)? {
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
                writer.finish(rest)?;
                Ok(Output::File(file.path))
            });
        }
        let (shape, size, target) = (corpus.shape(), rest.shape(), file.clone());
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage| {
            run_plan(planner, bounds, stage, shape, &size, Destination::File(&target))
        };
        self.spawn(progress, check, move |engine, run, progress| {
            compute(engine, &corpus, &rest.within(run.engine.host_bytes), &*writer, progress)?;
            writer.finish(rest)?;
            Ok(Output::File(file.path))
        })
    }

    /// The blocking form of [`Context::start`], into memory.
    pub fn sequences(&self, input: &Input, request: &Request) -> Result<Sequences> {
        self.start_in_memory(input, request, |sequences| sequences)?.into_result()
    }
}

/// What a file of a part says of the whole run.
fn shard_meta(request: &Request, num_items: u32) -> Result<Option<ShardMeta>> {
    let Some(shard) = request.shard else { return Ok(None) };
    let of_sequences = request.whole_count(num_items)?;
    let of_heads = store::heads_hash(request.whole_heads(of_sequences));
    Ok(Some(ShardMeta { shard, of_sequences, of_heads }))
}

/// A checked run, ready for the engine.
struct PreparedRun {
    progress: Progress,
    corpus: Corpus,
    plan: Plan,
}

/// The plan of sequences, or why there is no memory for them.
pub(super) fn run_plan(
    planner: &dyn Planner,
    bounds: &Bounds,
    stage: Stage,
    shape: Shape,
    plan: &PlanShape,
    to: Destination,
) -> Result<RunPlan> {
    let items = match to {
        Destination::File(_) if shape.num_items <= 1 << 16 => Bytes::of::<u16>(plan.output_len()),
        _ => Bytes::of::<u32>(plan.output_len()),
    };
    let output_bytes = items + Bytes::of::<f32>(plan.values_len());
    let lists = match to {
        Destination::Memory => Bytes::ZERO,
        // The starts or heads, and where a run is resumed the rows that are left.
        Destination::File(_) => Bytes::of::<u32>(plan.count.into()) * (u64::from(plan.head) + 1),
    };
    let beside = Beside {
        corpus: shape.prepared_bytes(),
        preparing: Preparation::bytes(shape),
        held: to.held(output_bytes) + plan.list_bytes().max(lists),
    };
    let needs = |room| match plan.picks() {
        0 => Ok(Needs { host_bytes: plan.row_bytes(), ..Needs::default() }),
        _ => planner.needs(shape, &PlanShape { room, ..*plan }),
    };
    let (rows, steps) = (plan.count.into(), plan.picks());
    let weighing = (steps > 0).then(|| plan.rule.weighing());
    let asked = RunPlan { output_bytes, rows, steps, weighing, ..RunPlan::default() };
    bounds.plan(stage, beside, needs, asked)
}

/// What has to be done of a plan, as far as can be told without the embeddings: nothing, where a
/// file of such results is there.
fn work_left(plan: &PlanShape, shape: Shape, to: Destination) -> PlanShape {
    let file = match to {
        Destination::File(file) if !file.overwrite => SequencesFile::open(&file.path).ok(),
        _ => None,
    };
    let suffices = file.is_some_and(|file| {
        let found = file.meta();
        let same = found.num_items == shape.num_items
            && found.count == plan.count
            && found.head == plan.head
            && found.rule == plan.rule
            && found.values == plan.values;
        same && found.length >= plan.length
    });
    let head = if suffices { plan.length } else { plan.head };
    PlanShape { head, ..*plan }
}

pub(super) fn compute(
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
    let mut row = plan.row()?;
    for index in 0..plan.count() {
        progress.check()?;
        plan.read_head(index, row.get_mut())?;
        rows.put(index as usize, row.get())?;
        progress.add_rows(1);
    }
    Ok(())
}
