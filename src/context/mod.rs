//! A context: one device, chosen once, and the computations on it.
//!
//! `choice` finds the engine that a name means; here are the runs of sequences, in `search` those of neighbours and
//! similarities. A context may be used from any thread; its engine works for one caller at a time, the others wait.

mod choice;
mod search;

use std::sync::{Arc, Mutex, PoisonError};

pub use choice::devices;
pub use search::{start_site, NeighborRequest, NeighborsTo};

use crate::corpus::{Corpus, Input, Shape};
use crate::engine::{cpu, vulkan};
use crate::engine::{DeviceInfo, DeviceKind, Engine, MemoryRows, Needs, Rows};
use crate::error::{Error, Result};
use crate::job::{Job, Output};
use crate::memory;
use crate::plan::{Plan, Request};
use crate::progress::{Phase, Progress};
use crate::store::{self, Begun, SequencesMeta, SequencesWriter, Target};

/// How a context is made. The default is right for nearly everyone.
#[derive(Debug, Clone, Default)]
pub struct ContextOptions {
    /// `None` or empty: what `VKD_DEVICE` says, else the best device. "cpu": the built-in CPU engine.
    /// "reference": the contract in plain loops. "vulkan": the best Vulkan device. A number: the index in
    /// [`devices`]. A UUID in hex (dashes allowed), or any part of a Vulkan device's name, "vulkan:" before
    /// it allowed. Several of these with + between them ("cpu + vulkan:0"): the starts of a run are split
    /// over them by the speed of each. "all": every GPU and the CPU engine.
    pub device: Option<String>,
    /// The most bytes of memory that one run may take: of the device's, for a Vulkan device, else of the
    /// host's. `None`: what `VKD_MEMORY_LIMIT` says, else what is free. With several devices: of each Vulkan
    /// device's, and of the host's.
    pub memory_limit: Option<u64>,
    /// Settings of the CPU engine.
    pub cpu: cpu::Settings,
    /// Settings of the Vulkan engine.
    pub vulkan: vulkan::Settings,
}

/// One device and its engine.
pub struct Context {
    engine: Arc<Mutex<Box<dyn Engine>>>,
    info: DeviceInfo,
    bounds: Bounds,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.debug_struct("Context").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Context {
    /// Opens the device that `options` asks for.
    pub fn new(options: &ContextOptions) -> Result<Context> {
        let wanted = options.device.clone().filter(|device| !device.is_empty());
        let wanted = wanted.or_else(|| std::env::var("VKD_DEVICE").ok()).unwrap_or_default();
        let limit = match options.memory_limit {
            None => memory::limit()?,
            limit => limit,
        };
        let mut options = options.clone();
        options.memory_limit = limit;
        options.vulkan.memory_limit = options.vulkan.memory_limit.or(limit);
        let engine = choice::open(wanted.trim(), &options)?;
        let info = engine.info().clone();
        let built_in =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::Reference | DeviceKind::Several);
        let device = if built_in { info.name.clone() } else { "this machine".into() };
        let bounds = Bounds { limit: limit.filter(|_| built_in), device };
        Ok(Context { engine: Arc::new(Mutex::new(engine)), info, bounds })
    }

    /// The device of this context.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// What a run would take, without the embeddings: refused where the device or the memory cannot do it. Waits for a run
    /// that is under way.
    pub fn plan(&self, shape: Shape, request: &Request, to: To) -> Result<RunPlan> {
        shape.check()?;
        let plan = Plan::new(request, shape.num_items)?;
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        self.bounds.check(&**engine, shape, &plan, matches!(to, To::File(_)))
    }

    /// Checks everything, then starts the computation of sequences as a job.
    pub fn start(&self, input: &Input, request: &Request, to: To) -> Result<Job> {
        let progress = Progress::default();
        let shape = input.shape();
        shape.check()?;
        let plan = Plan::new(request, shape.num_items)?;
        // Before any work, where no other run keeps the engine busy; else the job checks it.
        if let Ok(engine) = self.engine.try_lock() {
            self.bounds.check(&**engine, shape, &plan, matches!(to, To::File(_)))?;
        }
        let corpus = progress.time(Phase::Prepare, || Corpus::prepare(input))?;
        let run = Run { engine: Arc::clone(&self.engine), bounds: self.bounds.clone(), corpus };
        progress.expect_steps(plan.picks());
        let To::File(target) = to else {
            return Job::spawn(progress, move |progress| {
                let rows = MemoryRows::new(&plan)?;
                run.compute(&plan, &rows, progress, false)?;
                Ok(Output::Memory(rows.into_values()))
            });
        };
        let meta = SequencesMeta {
            version: env!("CARGO_PKG_VERSION").into(),
            fingerprint: store::fingerprint(&run.corpus),
            centered: input.center,
            num_items: shape.num_items,
            count: plan.count() as u32,
            length: plan.length(),
        };
        let begun = SequencesWriter::begin(target, &meta, &plan)?;
        let path = target.path.clone();
        if let Begun::Open(writer, rest) = &begun {
            let finished = writer.already_finished();
            progress.add_rows(finished);
            progress.expect_steps(rest.picks());
        } else {
            progress.add_rows(meta.count.into());
            progress.expect_steps(0);
        }
        Job::spawn(progress, move |progress| {
            if let Begun::Open(writer, plan) = begun {
                if plan.count() > 0 {
                    run.compute(&plan, &*writer, progress, true)?;
                }
                writer.finish()?;
            }
            Ok(Output::File(path))
        })
    }

    /// The blocking form of [`Context::start`], into memory.
    pub fn sequences(&self, input: &Input, request: &Request) -> Result<Vec<u32>> {
        let job = self.start(input, request, To::Memory)?;
        let result = job.wait(None);
        drop(job);
        match result.map(Arc::try_unwrap) {
            Some(Ok(Ok(Output::Memory(sequences)))) => Ok(sequences),
            Some(Ok(Err(error))) => Err(error),
            _ => Err(Error::Internal { detail: "a job ended without a result".into() }),
        }
    }
}

/// Where a run's sequences go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To<'a> {
    /// Into memory.
    Memory,
    /// Into a file, which is resumed or extended if it is there.
    File(&'a Target),
}

/// What a run takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunPlan {
    /// What the engine takes.
    pub engine: Needs,
    /// Bytes of the prepared rows and weights, on the host during the whole run.
    pub corpus_bytes: u64,
    /// Bytes of the result: in memory, or in the file.
    pub output_bytes: u64,
    /// Bytes of the host's memory at the most: prepared rows, engine, and the result if it goes to memory.
    pub host_bytes: u64,
    /// Rows of the result: sequences, or those of neighbours or similarities.
    pub rows: u64,
    /// Steps of the work: picks, or dot products.
    pub steps: u64,
}

/// What bounds the host's memory of a run.
#[derive(Debug, Clone)]
struct Bounds {
    limit: Option<u64>,
    device: String,
}

impl Bounds {
    /// The plan of sequences, or why there is no memory for them.
    fn check(
        &self,
        engine: &dyn Engine,
        shape: Shape,
        plan: &Plan,
        in_file: bool,
    ) -> Result<RunPlan> {
        let needs = match plan.picks() {
            0 => Needs::default(),
            _ => engine.needs(shape, plan)?,
        };
        let item_bytes = if in_file && shape.num_items <= 1 << 16 { 2 } else { 4 };
        self.run_plan(RunPlan {
            engine: needs,
            corpus_bytes: corpus_bytes(shape),
            output_bytes: plan.output_len() as u64 * item_bytes,
            host_bytes: if in_file { 0 } else { plan.output_len() as u64 * item_bytes },
            rows: plan.count() as u64,
            steps: plan.picks(),
        })
    }

    /// Completes and checks a plan whose `host_bytes` are those of the result alone.
    fn run_plan(&self, plan: RunPlan) -> Result<RunPlan> {
        let needed = plan.host_bytes + plan.corpus_bytes + plan.engine.host_bytes;
        let free = memory::available_bytes().unwrap_or(u64::MAX);
        let available = self.limit.unwrap_or(free).min(free);
        if needed > available {
            let device = self.device.clone();
            return Err(Error::TooLarge { what: "the run", needed, available, device });
        }
        Ok(RunPlan { host_bytes: needed, ..plan })
    }
}

/// Bytes of prepared rows and weights.
fn corpus_bytes(shape: Shape) -> u64 {
    shape.values() * 2 + u64::from(shape.num_items) * 2
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

/// What a job works with.
struct Run {
    engine: Arc<Mutex<Box<dyn Engine>>>,
    bounds: Bounds,
    corpus: Corpus,
}

impl Run {
    fn compute(
        &self,
        plan: &Plan,
        rows: &dyn Rows,
        progress: &Progress,
        in_file: bool,
    ) -> Result<()> {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        progress.check()?;
        self.bounds.check(&**engine, self.corpus.shape(), plan, in_file)?;
        if plan.picks() == 0 {
            return put_heads(plan, rows, progress);
        }
        engine.sequences(&self.corpus, plan, rows, progress)
    }
}
