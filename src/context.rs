//! A context: one device, chosen once, and the computations on it.
//!
//! The choice: by default the best Vulkan device (discrete, integrated, virtual, software); by name,
//! UUID or index where the caller or `VKD_DEVICE` says so. A context may be used from any thread; its
//! engine works for one caller at a time, the others wait.

use std::sync::{Arc, Mutex, PoisonError};

use crate::corpus::{Corpus, Elements};
use crate::engine::reference::{self, Reference};
use crate::engine::vulkan::{self, VulkanEngine};
use crate::engine::{DeviceInfo, Engine};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::plan::{Plan, Request};
use crate::progress::{Phase, Progress};

/// How a context is made. The default is right for nearly everyone.
#[derive(Debug, Clone, Default)]
pub struct ContextOptions {
    /// `None` or empty: what `VKD_DEVICE` says, else the best device. "reference": the built-in
    /// reference engine. "vulkan": the best Vulkan device. A number: the index in [`devices`]. A
    /// UUID in hex (dashes allowed), or any part of a device's name, "vulkan:" before it allowed.
    pub device: Option<String>,
    /// Settings of the Vulkan engine.
    pub vulkan: vulkan::Settings,
}

/// One device and its engine.
pub struct Context {
    engine: Arc<Mutex<Box<dyn Engine>>>,
    info: DeviceInfo,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.debug_struct("Context").field("info", &self.info).finish_non_exhaustive()
    }
}

/// All devices, best first; the reference engine, which is always there, comes last.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    let mut devices = match vulkan::devices() {
        Err(Error::NoLoader { .. } | Error::NoDevice { .. }) => Vec::new(),
        devices => devices?,
    };
    devices.push(reference::device_info());
    Ok(devices)
}

impl Context {
    /// Opens the device that `options` asks for.
    pub fn new(options: &ContextOptions) -> Result<Context> {
        let wanted = options.device.clone().filter(|device| !device.is_empty());
        let wanted = wanted.or_else(|| std::env::var("VKD_DEVICE").ok()).unwrap_or_default();
        let engine: Box<dyn Engine> = match wanted.trim() {
            "reference" => Box::<Reference>::default(),
            number if is_reference_index(number)? => Box::<Reference>::default(),
            wanted => Box::new(VulkanEngine::new(wanted, &options.vulkan)?),
        };
        let info = engine.info().clone();
        Ok(Context { engine: Arc::new(Mutex::new(engine)), info })
    }

    /// The device of this context.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Checks everything, then starts the computation of sequences as a job.
    pub fn start(
        &self,
        elements: Elements,
        num_items: u32,
        dim: u32,
        center: bool,
        request: &Request,
    ) -> Result<Job> {
        let progress = Progress::default();
        let prepare = || Corpus::prepare(elements, num_items, dim, center);
        if num_items == 0 {
            return Err(Error::ZeroSize { name: "num_items" });
        }
        let plan = Plan::new(request, num_items)?;
        let corpus = progress.time(Phase::Prepare, prepare)?;
        progress.expect_picks(plan.picks());
        let engine = Arc::clone(&self.engine);
        Job::spawn(progress, move |progress| {
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            progress.check()?;
            engine.sequences(&corpus, &plan, progress)
        })
    }

    /// The blocking form of [`Context::start`].
    pub fn sequences(
        &self,
        elements: Elements,
        num_items: u32,
        dim: u32,
        center: bool,
        request: &Request,
    ) -> Result<Vec<u32>> {
        let job = self.start(elements, num_items, dim, center, request)?;
        let result = job.wait(None);
        drop(job);
        match result.map(Arc::try_unwrap) {
            Some(Ok(result)) => result,
            _ => Err(Error::Internal { detail: "a job ended without a result".into() }),
        }
    }
}

/// Whether `wanted` is the index of the reference engine, the last of all devices.
fn is_reference_index(wanted: &str) -> Result<bool> {
    match wanted.parse::<usize>() {
        Ok(index) => Ok(index + 1 == devices()?.len()),
        Err(_) => Ok(false),
    }
}
