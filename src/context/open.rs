//! The context itself: the opened engine, and who works with it.

use std::sync::Arc;

use super::bounds::{Bounds, RunPlan};
use super::choice::{self, Opened, PassedOver, Wanted};
use super::environment::{Environment, Variable};
use super::options::ContextOptions;
use super::turns::Turns;
use crate::engine::{DeviceInfo, DeviceKind, Engine};
use crate::error::Result;
use crate::job::Job;
use crate::memory;
use crate::process::Home;
use crate::progress::Progress;

/// One device and its engine. It belongs to the process that opened it: in a child after a fork its
/// calls are refused, and dropping it does nothing.
pub struct Context {
    home: Home,
    turns: Arc<Turns>,
    info: DeviceInfo,
    passed_over: Vec<PassedOver>,
    bounds: Bounds,
    environment: Environment,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.debug_struct("Context").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Context {
    /// Opens the device that `options` asks for.
    pub fn new(options: &ContextOptions) -> Result<Context> {
        let wanted = Wanted::new(options.device.as_deref())?;
        let limited_by_caller = options.memory_limit.is_some();
        let mut environment =
            Environment { device: wanted.variable(), limit: None, limited_by_caller };
        let limit = match options.memory_limit {
            None => memory::limit()?,
            limit => limit,
        };
        if !limited_by_caller {
            environment.limit = Variable::read("VKD_MEMORY_LIMIT").zip(limit);
        }
        let mut options = options.clone();
        options.memory_limit = limit;
        options.vulkan.memory_limit = options.vulkan.memory_limit.or(limit);
        let Opened { engine, passed_over } =
            choice::open(&wanted, &options).map_err(|error| environment.explain_opening(error))?;
        let info = engine.info().clone();
        let built_in =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::Reference | DeviceKind::Several);
        let device = if built_in { info.name.clone() } else { "this machine".into() };
        let bounds = Bounds::new(limit.filter(|_| built_in), device);
        let (home, turns) = (Home::here(), Turns::new(engine));
        Ok(Context { home, turns, info, passed_over, bounds, environment })
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

    /// Refuses the context of another process.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.home.check("this context")
    }

    /// Plans a run with the engine; waits for a run that is under way.
    pub(super) fn plan_now(
        &self,
        plan: impl FnOnce(&dyn Engine, &Bounds) -> Result<RunPlan>,
    ) -> Result<RunPlan> {
        self.check_process()?;
        let place = self.turns.join();
        let engine = place.engine(&Progress::default())?;
        self.explained(plan(&**engine, &self.bounds))
    }

    /// Names the environment variable that is the reason of a refusal.
    fn explained<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.environment.explain(error))
    }

    /// Refuses a run before any work, where no other run keeps the engine busy; else its job does.
    pub(super) fn check_now(
        &self,
        plan: impl FnOnce(&dyn Engine, &Bounds) -> Result<RunPlan>,
    ) -> Result<()> {
        self.check_process()?;
        let Some(place) = self.turns.join_if_free() else { return Ok(()) };
        let engine = place.engine(&Progress::default())?;
        self.explained(plan(&**engine, &self.bounds)).map(|_| ())
    }

    /// Runs `work` as a job that has the engine for itself.
    pub(super) fn spawn<T, W>(&self, progress: Progress, work: W) -> Result<Job<T>>
    where
        T: Send + Sync + 'static,
        W: FnOnce(&mut dyn Engine, &Bounds, &Progress) -> Result<T> + Send + 'static,
    {
        self.check_process()?;
        let (place, bounds) = (self.turns.join(), self.bounds.clone());
        let (turns, environment) = (Arc::clone(&self.turns), self.environment.clone());
        Job::spawn_waiting(
            progress,
            move || turns.wake(),
            move |progress| {
                let mut engine = place.engine(progress)?;
                work(&mut **engine, &bounds, progress).map_err(|error| environment.explain(error))
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
