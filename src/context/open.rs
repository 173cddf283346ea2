//! The context itself: the opened engine, and who works with it.

use std::sync::{Arc, Mutex};

use super::bounds::{Bounds, RunPlan, Stage};
use super::choice;
use super::options::ContextOptions;
use crate::engine::{DeviceInfo, DeviceKind, Engine, Planner};
use crate::error::Result;
use crate::job::Job;
use crate::memory::{self, Bytes};
use crate::progress::Progress;
use crate::threads::lock;

/// One device and its engine.
pub struct Context {
    engine: Arc<Mutex<Box<dyn Engine>>>,
    /// Answers also while the engine works.
    planner: Arc<dyn Planner>,
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
        memory::require_spare()?;
        let wanted = options.device.clone().filter(|device| !device.is_empty());
        let wanted = wanted.or_else(|| std::env::var("VKD_DEVICE").ok()).unwrap_or_default();
        let limit = match options.memory_limit {
            None => memory::limit()?,
            limit => limit.map(Bytes::new),
        };
        let mut options = options.clone();
        options.memory_limit = limit.map(Bytes::get);
        options.vulkan.memory_limit = options.vulkan.memory_limit.or(options.memory_limit);
        let engine = choice::open(wanted.trim(), &options)?;
        let (info, planner) = (engine.info().clone(), engine.planner());
        let built_in =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::Reference | DeviceKind::Several);
        let device = if built_in { info.name.clone() } else { "this machine".into() };
        let bounds = Bounds::new(limit.filter(|_| built_in), device);
        Ok(Context { engine: Arc::new(Mutex::new(engine)), planner, info, bounds })
    }

    /// The device of this context.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Plans a run, or refuses it: before any work, and also while another keeps the engine busy.
    pub(super) fn check(
        &self,
        plan: impl FnOnce(&dyn Planner, &Bounds, Stage) -> Result<RunPlan>,
    ) -> Result<RunPlan> {
        memory::require_spare()?;
        plan(&*self.planner, &self.bounds, Stage::Asked)
    }

    /// Runs `work` as a job that has the engine for itself; `plan` is asked again when its turn
    /// has come, since memory may have become scarce.
    pub(super) fn spawn<T, P, W>(&self, progress: Progress, plan: P, work: W) -> Result<Job<T>>
    where
        T: Send + Sync + 'static,
        P: FnOnce(&dyn Planner, &Bounds, Stage) -> Result<RunPlan> + Send + 'static,
        W: FnOnce(&mut dyn Engine, &RunPlan, &Progress) -> Result<T> + Send + 'static,
    {
        let (engine, bounds) = (Arc::clone(&self.engine), self.bounds.clone());
        let planner = Arc::clone(&self.planner);
        Job::spawn(progress, move |progress| {
            let mut engine = lock(&engine);
            progress.check()?;
            let plan = plan(&*planner, &bounds, Stage::Prepared)?;
            let _running = bounds.begin(&plan);
            work(&mut **engine, &plan, progress)
        })
    }
}
