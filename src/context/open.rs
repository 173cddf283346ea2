//! The context itself: the opened engine, and who works with it.

use std::sync::Arc;

use super::bounds::{Bounds, RunPlan, Stage};
use super::choice::{self, Opened, PassedOver, Wanted};
use super::environment::{Environment, Variable};
use super::options::ContextOptions;
use super::turns::Turns;
use crate::corpus::Crew;
use crate::engine::{DeviceInfo, DeviceKind, Engine, Planner};
use crate::error::Result;
use crate::job::Job;
use crate::memory::{self, Bytes};
use crate::process::Home;
use crate::progress::Progress;
use crate::threads;

/// One device and its engine. It belongs to the process that opened it: in a child after a fork its
/// calls are refused, and dropping it does nothing.
pub struct Context {
    home: Home,
    turns: Arc<Turns>,
    /// Answers also while the engine works.
    planner: Arc<dyn Planner>,
    info: DeviceInfo,
    passed_over: Vec<PassedOver>,
    bounds: Bounds,
    environment: Environment,
    /// Threads that prepare embeddings.
    num_threads: usize,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.debug_struct("Context").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Context {
    /// Opens the device that `options` asks for.
    pub fn new(options: &ContextOptions) -> Result<Context> {
        memory::require_spare()?;
        let wanted = Wanted::new(options.device.as_deref())?;
        let limited_by_caller = options.memory_limit.is_some();
        let mut environment =
            Environment { device: wanted.variable(), limit: None, limited_by_caller };
        let limit = match options.memory_limit {
            None => memory::limit()?,
            limit => limit.map(Bytes::new),
        };
        if !limited_by_caller {
            environment.limit = Variable::read("VKD_MEMORY_LIMIT").zip(limit.map(Bytes::get));
        }
        let mut options = options.clone();
        options.memory_limit = limit.map(Bytes::get);
        options.vulkan.memory_limit = options.vulkan.memory_limit.or(options.memory_limit);
        let Opened { engine, passed_over } =
            choice::open(&wanted, &options).map_err(|error| environment.explain_opening(error))?;
        let (info, planner) = (engine.info().clone(), engine.planner());
        let built_in =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::Reference | DeviceKind::Several);
        let device = if built_in { info.name.clone() } else { "this machine".into() };
        let bounds = Bounds::new(limit.filter(|_| built_in), device);
        let num_threads = threads::count(options.cpu.threads)?;
        let (home, turns) = (Home::here(), Turns::new(engine));
        Ok(Context { home, turns, planner, info, passed_over, bounds, environment, num_threads })
    }

    /// The device of this context.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// The devices that would have come before this one, but could not be opened. None where a
    /// device was named: that one must open.
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    /// Who prepares the embeddings of the run that `progress` is of.
    pub(super) fn crew<'a>(&self, progress: &'a Progress) -> Crew<'a> {
        Crew::new(self.num_threads, progress)
    }

    /// Refuses the context of another process.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.home.check("this context")
    }

    /// Plans a run, or refuses it, before any work and also while another run keeps the engine
    /// busy.
    pub(super) fn check(
        &self,
        plan: impl FnOnce(&dyn Planner, &Bounds, Stage) -> Result<RunPlan>,
    ) -> Result<RunPlan> {
        self.check_process()?;
        memory::require_spare()?;
        plan(&*self.planner, &self.bounds, Stage::Asked)
            .map_err(|error| self.environment.explain(error))
    }

    /// Lets the engine free what it keeps between runs. Waits for the runs that were started.
    pub(super) fn free_kept(&self) -> Result<()> {
        self.check_process()?;
        let place = self.turns.join();
        place.engine(&Progress::default())?.free_kept();
        self.bounds.nothing_kept();
        Ok(())
    }

    /// Runs `work` as a job that has the engine for itself; `plan` is asked again when its turn
    /// has come, since memory may have become scarce.
    pub(super) fn spawn<T, P, W>(&self, progress: Progress, plan: P, work: W) -> Result<Job<T>>
    where
        T: Send + Sync + 'static,
        P: FnOnce(&dyn Planner, &Bounds, Stage) -> Result<RunPlan> + Send + 'static,
        W: FnOnce(&mut dyn Engine, &RunPlan, &Progress) -> Result<T> + Send + 'static,
    {
        self.check_process()?;
        let (place, bounds) = (self.turns.join(), self.bounds.clone());
        let (turns, environment) = (Arc::clone(&self.turns), self.environment.clone());
        let planner = Arc::clone(&self.planner);
        let run = move |engine: &mut dyn Engine, progress: &Progress| {
            let plan = plan(&*planner, &bounds, Stage::Prepared)?;
            let mut running = bounds.begin(&plan);
            let result = work(engine, &plan, progress);
            running.kept = engine.kept_bytes();
            result
        };
        Job::spawn_waiting(
            progress,
            move || turns.wake(),
            move |progress| {
                let mut engine = place.engine(progress)?;
                run(&mut **engine, progress).map_err(|error| environment.explain(error))
            },
        )
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if !self.home.is_here() {
            // One more owner, who never lets go: the device is the parent's.
            std::mem::forget(Arc::clone(&self.turns));
        }
    }
}
