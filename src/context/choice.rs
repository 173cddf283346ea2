//! Which engine a name means.
//!
//! By default the best GPU (discrete, integrated, virtual), else the CPU engine; by name, UUID or
//! index where the caller or `VKD_DEVICE` says so. A software Vulkan driver is only used when
//! named. "all" and lists ("cpu + llvmpipe") open several.

use super::options::ContextOptions;
use crate::engine::cpu::{self, CpuEngine};
use crate::engine::reference::{self, Reference};
use crate::engine::vulkan::{self, VulkanEngine};
use crate::engine::{DeviceInfo, DeviceKind, Engine, Several};
use crate::error::{Error, Result};

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

pub(super) fn open(wanted: &str, options: &ContextOptions) -> Result<Box<dyn Engine>> {
    let names: Vec<String> = match wanted.to_lowercase().as_str() {
        "all" => gpus().chain(["cpu".to_owned()]).collect(),
        list if list.contains('+') => list.split('+').map(|name| name.trim().into()).collect(),
        _ => return open_one(wanted, options),
    };
    if let Some(position) = names.iter().position(String::is_empty) {
        return Err(Error::BadOption {
            option: "device",
            got: wanted.into(),
            allowed: format!("a name before and behind every +; number {} is empty", position + 1),
        });
    }
    let mut engines: Vec<_> =
        names.iter().map(|name| open_one(name, options)).collect::<Result<_>>()?;
    match engines.len() {
        1 => Ok(engines.remove(0)),
        _ => Ok(Box::new(Several::new(engines)?)),
    }
}

/// The names of all GPUs. None where a driver fails: as for [`has_gpu`].
fn gpus() -> impl Iterator<Item = String> {
    let devices = vulkan::devices().unwrap_or_default();
    let gpus = devices.into_iter().filter(|device| device.kind < DeviceKind::Cpu).count();
    // They come first among the Vulkan devices.
    (0..gpus).map(|index| format!("vulkan:{index}"))
}

fn open_one(wanted: &str, options: &ContextOptions) -> Result<Box<dyn Engine>> {
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
            Ok(index) => match find(&devices()?, index, wanted)? {
                Found::BuiltIn(kind) => built_in(kind),
                Found::Vulkan(index) => vulkan(&index.to_string()),
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
enum Found {
    BuiltIn(DeviceKind),
    /// The index among the Vulkan devices.
    Vulkan(usize),
}

fn find(devices: &[DeviceInfo], index: usize, wanted: &str) -> Result<Found> {
    let built_in = |kind| matches!(kind, DeviceKind::Cpu | DeviceKind::Reference);
    match devices.get(index) {
        Some(device) if built_in(device.kind) => Ok(Found::BuiltIn(device.kind)),
        Some(_) => {
            let before = devices[..index].iter().filter(|device| !built_in(device.kind));
            Ok(Found::Vulkan(before.count()))
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
        let places = (0..4).map(|index| find(&devices, index, "").unwrap()).collect::<Vec<_>>();
        let expected = [
            Found::Vulkan(0),
            Found::BuiltIn(DeviceKind::Cpu),
            Found::Vulkan(1),
            Found::BuiltIn(DeviceKind::Reference),
        ];
        assert_eq!(places, expected);
        assert!(find(&devices, 4, "4").is_err());
    }
}
