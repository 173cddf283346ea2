//! A context: one device, chosen once, and the computations on it.
//!
//! The choice: by default the best GPU (discrete, integrated, virtual), else the CPU engine; by name,
//! UUID or index where the caller or `VKD_DEVICE` says so. A software Vulkan driver is only used when
//! named: the CPU engine does the same several times faster. A context may be used from any thread; its
//! engine works for one caller at a time, the others wait.

use std::sync::{Arc, Mutex, PoisonError};

use crate::corpus::{Corpus, Elements};
use crate::engine::cpu::{self, CpuEngine};
use crate::engine::reference::{self, Reference};
use crate::engine::vulkan::{self, VulkanEngine};
use crate::engine::{DeviceInfo, DeviceKind, Engine};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::plan::{Plan, Request};
use crate::progress::{Phase, Progress};

/// How a context is made. The default is right for nearly everyone.
#[derive(Debug, Clone, Default)]
pub struct ContextOptions {
    /// `None` or empty: what `VKD_DEVICE` says, else the best device. "cpu": the built-in CPU engine.
    /// "reference": the contract in plain loops. "vulkan": the best Vulkan device. A number: the index in
    /// [`devices`]. A UUID in hex (dashes allowed), or any part of a Vulkan device's name, "vulkan:" before it
    /// allowed.
    pub device: Option<String>,
    /// Settings of the CPU engine.
    pub cpu: cpu::Settings,
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

/// All devices, best first; the CPU engine and the reference engine are always among them.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    let mut devices = match vulkan::devices() {
        Err(Error::NoLoader { .. } | Error::NoDevice { .. }) => Vec::new(),
        devices => devices?,
    };
    devices.extend([cpu::default_device_info()?, reference::device_info()]);
    // Stable: the order among the Vulkan devices stays, and with it their indices after "vulkan:".
    devices.sort_by_key(|device| device.kind);
    Ok(devices)
}

impl Context {
    /// Opens the device that `options` asks for.
    pub fn new(options: &ContextOptions) -> Result<Context> {
        let wanted = options.device.clone().filter(|device| !device.is_empty());
        let wanted = wanted.or_else(|| std::env::var("VKD_DEVICE").ok()).unwrap_or_default();
        let engine = open(wanted.trim(), options)?;
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

fn open(wanted: &str, options: &ContextOptions) -> Result<Box<dyn Engine>> {
    let built_in = |kind| -> Result<Box<dyn Engine>> {
        match kind {
            DeviceKind::Reference => Ok(Box::<Reference>::default()),
            _ => Ok(Box::new(CpuEngine::new(&options.cpu)?)),
        }
    };
    let vulkan = |wanted: &str| -> Result<Box<dyn Engine>> {
        match VulkanEngine::new(wanted, &options.vulkan) {
            // It knows of Vulkan devices only.
            Err(Error::DeviceNotFound { .. }) => Err(not_found(&devices()?, wanted)),
            engine => Ok(Box::new(engine?)),
        }
    };
    match wanted.to_lowercase().as_str() {
        "" if has_gpu() => vulkan("vulkan"),
        "" | "cpu" => built_in(DeviceKind::Cpu),
        // As the list of devices names it: "CPU (2 threads, AVX2)".
        name if name.starts_with("cpu (") => built_in(DeviceKind::Cpu),
        "reference" => built_in(DeviceKind::Reference),
        name => match name.parse::<usize>() {
            Ok(index) => match place(&devices()?, index, wanted)? {
                Place::BuiltIn(kind) => built_in(kind),
                Place::Vulkan(index) => vulkan(&index.to_string()),
            },
            Err(_) => vulkan(wanted),
        },
    }
}

/// Whether a Vulkan driver offers a GPU. A driver that fails here must not take the CPU engine away
/// from those who named no device.
fn has_gpu() -> bool {
    let gpu = |device: &DeviceInfo| device.kind < DeviceKind::Cpu;
    vulkan::devices().is_ok_and(|devices| devices.first().is_some_and(gpu))
}

/// Where the device with an index of [`devices`] is found.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    BuiltIn(DeviceKind),
    /// The index among the Vulkan devices.
    Vulkan(usize),
}

fn place(devices: &[DeviceInfo], index: usize, wanted: &str) -> Result<Place> {
    let built_in = |kind| matches!(kind, DeviceKind::Cpu | DeviceKind::Reference);
    match devices.get(index) {
        Some(device) if built_in(device.kind) => Ok(Place::BuiltIn(device.kind)),
        Some(_) => {
            let before = devices[..index].iter().filter(|device| !built_in(device.kind));
            Ok(Place::Vulkan(before.count()))
        }
        None => Err(not_found(devices, wanted)),
    }
}

/// The error for a device that is not there, listing those that are.
fn not_found(devices: &[DeviceInfo], wanted: &str) -> Error {
    let one = |(index, device): (usize, &DeviceInfo)| format!("{index}: {}", device.name);
    let names: Vec<String> = devices.iter().enumerate().map(one).collect();
    Error::DeviceNotFound { wanted: wanted.into(), available: names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_skip_the_built_in_engines_for_vulkan() {
        let kinds = [
            DeviceKind::DiscreteGpu,
            DeviceKind::Cpu,
            DeviceKind::SoftwareVulkan,
            DeviceKind::Reference,
        ];
        let devices = kinds.map(|kind| DeviceInfo { kind, ..reference::device_info() });
        let places = (0..4).map(|index| place(&devices, index, "").unwrap()).collect::<Vec<_>>();
        let expected = [
            Place::Vulkan(0),
            Place::BuiltIn(DeviceKind::Cpu),
            Place::Vulkan(1),
            Place::BuiltIn(DeviceKind::Reference),
        ];
        assert_eq!(places, expected);
        assert!(place(&devices, 4, "4").is_err());
    }
}
