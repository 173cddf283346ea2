//! The context itself: the opened engine, and who works with it.

use std::sync::{Arc, Mutex, TryLockError};

use super::bounds::{Bounds, RunPlan};
use super::choice;
use super::environment::{Environment, Variable};
use super::options::ContextOptions;
use crate::engine::{DeviceInfo, DeviceKind, Engine};
use crate::error::Result;
use crate::job::Job;
use crate::memory;
use crate::progress::Progress;
use crate::threads::lock;

/// One device and its engine.
pub struct Context {
    engine: Arc<Mutex<Box<dyn Engine>>>,
    info: DeviceInfo,
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
        let named = options.device.clone().filter(|device| !device.is_empty());
        let from_environment = Variable::read("VKD_DEVICE").filter(|_| named.is_none());
        let wanted = named.or_else(|| from_environment.as_ref().map(|one| one.value.clone()));
        let limited_by_caller = options.memory_limit.is_some();
        let mut environment =
            Environment { device: from_environment, limit: None, limited_by_caller };
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
        let engine = choice::open(wanted.unwrap_or_default().trim(), &options)
            .map_err(|error| environment.explain_opening(error))?;
        let info = engine.info().clone();
        let built_in =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::Reference | DeviceKind::Several);
        let device = if built_in { info.name.clone() } else { "this machine".into() };
        let bounds = Bounds::new(limit.filter(|_| built_in), device);
        Ok(Context { engine: Arc::new(Mutex::new(engine)), info, bounds, environment })
    }

    /// The device of this context.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// What a run would take, or why it cannot be; waits for a run that is under way.
    pub(super) fn planned(
        &self,
        plan: impl FnOnce(&dyn Engine, &Bounds) -> Result<RunPlan>,
    ) -> Result<RunPlan> {
        self.explained(plan(&**lock(&self.engine), &self.bounds))
    }

    fn explained<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.environment.explain(error))
    }

    /// Refuses a run before any work, where no other run keeps the engine busy; else its job does.
    pub(super) fn check_now(
        &self,
        plan: impl FnOnce(&dyn Engine, &Bounds) -> Result<RunPlan>,
    ) -> Result<()> {
        match self.engine.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(()),
            Ok(engine) => self.explained(plan(&**engine, &self.bounds)).map(|_| ()),
            Err(TryLockError::Poisoned(engine)) => {
                self.explained(plan(&**engine.into_inner(), &self.bounds)).map(|_| ())
            }
        }
    }

    /// Runs `work` as a job that has the engine for itself.
    pub(super) fn spawn<T, W>(&self, progress: Progress, work: W) -> Result<Job<T>>
    where
        T: Send + Sync + 'static,
        W: FnOnce(&mut dyn Engine, &Bounds, &Progress) -> Result<T> + Send + 'static,
    {
        let (engine, bounds) = (Arc::clone(&self.engine), self.bounds.clone());
        let environment = self.environment.clone();
        Job::spawn(progress, move |progress| {
            let mut engine = lock(&engine);
            progress.check()?;
            work(&mut **engine, &bounds, progress).map_err(|error| environment.explain(error))
        })
    }
}
