//! The context itself: the opened engine, and who works with it.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use super::bounds::{Bounds, RunPlan};
use super::choice::{self, Opened, PassedOver, Wanted};
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
        Ok(Context { engine: Arc::new(Mutex::new(engine)), info, passed_over, bounds })
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

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The engine; waits for a run that is under way.
    pub(super) fn engine(&self) -> MutexGuard<'_, Box<dyn Engine>> {
        lock(&self.engine)
    }

    /// Refuses a run before any work, where no other run keeps the engine busy; else its job does.
    pub(super) fn check_now(
        &self,
        plan: impl FnOnce(&dyn Engine, &Bounds) -> Result<RunPlan>,
    ) -> Result<()> {
        match self.engine.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(()),
            Ok(engine) => plan(&**engine, &self.bounds).map(|_| ()),
            Err(TryLockError::Poisoned(engine)) => {
                plan(&**engine.into_inner(), &self.bounds).map(|_| ())
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
        Job::spawn(progress, move |progress| {
            let mut engine = lock(&engine);
            progress.check()?;
            work(&mut **engine, &bounds, progress)
        })
    }
}
