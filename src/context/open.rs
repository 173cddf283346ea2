//! The context itself: the opened engine, and who works with it.

use std::sync::Arc;

use super::bounds::{Bounds, RunPlan};
use super::choice::{self, Opened, PassedOver, Wanted};
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
        let limit = match options.memory_limit {
            None => memory::limit()?,
            limit => limit,
        };
        let mut options = options.clone();
        options.memory_limit = limit;
        options.vulkan.memory_limit = options.vulkan.memory_limit.or(limit);
        let Opened { engine, passed_over } = choice::open(&wanted, &options)?;
        let info = engine.info().clone();
        let built_in =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::Reference | DeviceKind::Several);
        let device = if built_in { info.name.clone() } else { "this machine".into() };
        let bounds = Bounds::new(limit.filter(|_| built_in), device);
        Ok(Context { home: Home::here(), turns: Turns::new(engine), info, passed_over, bounds })
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
        plan(&**engine, &self.bounds)
    }

    /// Refuses a run before any work, where no other run keeps the engine busy; else its job does.
    pub(super) fn check_now(
        &self,
        plan: impl FnOnce(&dyn Engine, &Bounds) -> Result<RunPlan>,
    ) -> Result<()> {
        self.check_process()?;
        let Some(place) = self.turns.join_if_free() else { return Ok(()) };
        let engine = place.engine(&Progress::default())?;
        plan(&**engine, &self.bounds).map(|_| ())
    }

    /// Runs `work` as a job that has the engine for itself.
    pub(super) fn spawn<T, W>(&self, progress: Progress, work: W) -> Result<Job<T>>
    where
        T: Send + Sync + 'static,
        W: FnOnce(&mut dyn Engine, &Bounds, &Progress) -> Result<T> + Send + 'static,
    {
        self.check_process()?;
        let (place, bounds) = (self.turns.join(), self.bounds.clone());
        let turns = Arc::clone(&self.turns);
        Job::spawn_waiting(
            progress,
            move || turns.wake(),
            move |progress| {
                let mut engine = place.engine(progress)?;
                work(&mut **engine, &bounds, progress)
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
