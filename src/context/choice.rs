//! Which engine a name means.
//!
//! By default the best GPU that can be opened (discrete, integrated, virtual), else the CPU engine;
//! by name, UUID or index where the caller or `VKD_DEVICE` says so. A software Vulkan driver is
//! only used when named. "all" and lists ("cpu + llvmpipe") open several. A GPU that is there but
//! cannot be opened is passed over where nobody named it, and remembered with its reason; a device
//! that was named must open.

use super::environment::Variable;
use super::options::ContextOptions;
use crate::engine::cpu::{self, CpuEngine};
use crate::engine::reference::{self, Reference};
use crate::engine::vulkan::{self, VulkanEngine};
use crate::engine::{DeviceInfo, DeviceKind, Engine, Several};
use crate::environment;
use crate::error::{Error, Result};

/// All devices, best first; the CPU engine and the reference engine are always among them.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    let mut devices = match vulkan::devices() {
        // A child may not even ask for those that its parent has open.
        Err(Error::NoLoader { .. } | Error::NoDevice { .. } | Error::OtherProcess { .. }) => {
            Vec::new()
        }
        devices => devices?,
    };
    devices.extend([cpu::default_device_info()?, reference::device_info()]);
    // Stable: the order among the Vulkan devices stays, and with it their indices after "vulkan:".
    devices.sort_by_key(|device| device.kind);
    Ok(devices)
}

/// A device that was there but could not be opened, so that another took its place.
#[derive(Debug, Clone, PartialEq)]
pub struct PassedOver {
    /// Its name.
    pub device: String,
    /// Why it could not be opened.
    pub reason: Error,
}

/// The engine that a name means.
pub(super) struct Opened {
    pub(super) engine: Box<dyn Engine>,
    pub(super) passed_over: Vec<PassedOver>,
}

/// Names the device where the caller does not.
const VARIABLE: &str = "VKD_DEVICE";

/// The device that is wanted, and who says so.
#[derive(Debug)]
pub(super) struct Wanted {
    /// "": the best.
    name: String,
    /// The option or the variable, for messages.
    option: &'static str,
}

impl Wanted {
    /// What the caller's option says, else what `VKD_DEVICE` says.
    pub(super) fn new(option: Option<&str>) -> Result<Wanted> {
        let named = |name: &str, option| Wanted { name: name.into(), option };
        match option.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Ok(named(name, "device")),
            None => Ok(named(&environment::text(VARIABLE)?.unwrap_or_default(), VARIABLE)),
        }
    }

    /// The variable, where it is what names the device.
    pub(super) fn variable(&self) -> Option<Variable> {
        Variable::read(VARIABLE).filter(|_| self.option == VARIABLE)
    }

    /// The same for one name of a list.
    fn one(&self, name: &str) -> Wanted {
        Wanted { name: name.into(), option: self.option }
    }
}

pub(super) fn open(wanted: &Wanted, options: &ContextOptions) -> Result<Opened> {
    let mut passed_over = Vec::new();
    let engine = match wanted.name.to_lowercase().as_str() {
        "" => match gpus(options, &mut passed_over).next() {
            Some(gpu) => gpu,
            None => cpu(options)?,
        },
        "all" => {
            let mut engines: Vec<_> = gpus(options, &mut passed_over).collect();
            engines.push(cpu(options)?);
            together(engines)?
        }
        list if list.contains('+') => {
            let names = names_of_list(wanted)?;
            let engines = names.iter().map(|name| open_one(&wanted.one(name), options));
            together(engines.collect::<Result<_>>()?)?
        }
        _ => open_one(wanted, options)?,
    };
    Ok(Opened { engine, passed_over })
}

/// One engine of several.
fn together(mut engines: Vec<Box<dyn Engine>>) -> Result<Box<dyn Engine>> {
    match engines.len() {
        1 => Ok(engines.remove(0)),
        _ => Ok(Box::new(Several::new(engines)?)),
    }
}

fn names_of_list(wanted: &Wanted) -> Result<Vec<String>> {
    let names: Vec<String> = wanted.name.split('+').map(|name| name.trim().into()).collect();
    let Some(position) = names.iter().position(String::is_empty) else { return Ok(names) };
    Err(Error::BadOption {
        option: wanted.option,
        got: format!("\"{}\"", wanted.name),
        allowed: format!(
            "write a name before and behind every + (number {} is empty); there are: {}",
            position + 1,
            list(&devices()?)
        ),
    })
}

/// The GPUs that can be opened, best first. Where the drivers cannot even be asked, that is
/// remembered, too: it must not take the CPU engine away from those who named no device.
fn gpus<'a>(
    options: &'a ContextOptions,
    passed_over: &'a mut Vec<PassedOver>,
) -> impl Iterator<Item = Box<dyn Engine>> + 'a {
    let devices = match vulkan::devices() {
        Ok(devices) => devices,
        Err(Error::NoLoader { .. } | Error::NoDevice { .. }) => Vec::new(),
        Err(reason) => {
            passed_over.push(PassedOver { device: "Vulkan".into(), reason });
            Vec::new()
        }
    };
    // GPUs come first among the Vulkan devices.
    let gpus = devices.into_iter().take_while(|device| device.kind < DeviceKind::Cpu);
    let open = |index: usize| -> Result<Box<dyn Engine>> {
        Ok(Box::new(VulkanEngine::new(&format!("vulkan:{index}"), &options.vulkan)?))
    };
    those_that_open(gpus, open, passed_over)
}

/// Opens device after device by its number; those that cannot be opened are remembered.
fn those_that_open<'a, T>(
    devices: impl Iterator<Item = DeviceInfo> + 'a,
    open: impl Fn(usize) -> Result<T> + 'a,
    passed_over: &'a mut Vec<PassedOver>,
) -> impl Iterator<Item = T> + 'a {
    devices.enumerate().filter_map(move |(index, device)| match open(index) {
        Ok(opened) => Some(opened),
        Err(reason) => {
            passed_over.push(PassedOver { device: device.name, reason });
            None
        }
    })
}

fn cpu(options: &ContextOptions) -> Result<Box<dyn Engine>> {
    Ok(Box::new(CpuEngine::new(&options.cpu)?))
}

fn open_one(wanted: &Wanted, options: &ContextOptions) -> Result<Box<dyn Engine>> {
    let built_in = |kind| -> Result<Box<dyn Engine>> {
        match kind {
            DeviceKind::Reference => Ok(Box::<Reference>::default()),
            _ => cpu(options),
        }
    };
    let name = wanted.name.to_lowercase();
    match name.as_str() {
        "cpu" => built_in(DeviceKind::Cpu),
        // As the list of devices names it: "CPU (2 threads, AVX2)".
        name if name.starts_with("cpu (") => built_in(DeviceKind::Cpu),
        "reference" => built_in(DeviceKind::Reference),
        name => match name.parse().ok().map(|index| Ok(find(&devices()?, index))).transpose()? {
            Some(Some(Found::BuiltIn(kind))) => built_in(kind),
            Some(Some(Found::Vulkan(index))) => open_vulkan(wanted, &index.to_string(), options),
            // A number that is no index may be a part of a name: "4090".
            _ => open_vulkan(wanted, name, options),
        },
    }
}

fn open_vulkan(wanted: &Wanted, name: &str, options: &ContextOptions) -> Result<Box<dyn Engine>> {
    let not_found = |devices: &[DeviceInfo], why: String| Error::DeviceNotFound {
        option: wanted.option,
        wanted: wanted.name.clone(),
        available: list(devices) + &why,
    };
    match VulkanEngine::new(name, &options.vulkan) {
        // It knows of Vulkan devices only.
        Err(Error::DeviceNotFound { .. }) => Err(not_found(&devices()?, String::new())),
        // Maybe a slip in the name of a built-in engine, maybe a driver that is missing.
        Err(reason @ (Error::NoLoader { .. } | Error::NoDevice { .. }))
            if !name.starts_with("vulkan") =>
        {
            Err(not_found(&devices()?, format!("; none of Vulkan: {reason}")))
        }
        engine => Ok(Box::new(engine?)),
    }
}

/// Where the device with an index of [`devices`] is found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    BuiltIn(DeviceKind),
    /// The index among the Vulkan devices.
    Vulkan(usize),
}

fn find(devices: &[DeviceInfo], index: usize) -> Option<Found> {
    let built_in = |kind| matches!(kind, DeviceKind::Cpu | DeviceKind::Reference);
    let device = devices.get(index)?;
    if built_in(device.kind) {
        return Some(Found::BuiltIn(device.kind));
    }
    let before = devices[..index].iter().filter(|device| !built_in(device.kind));
    Some(Found::Vulkan(before.count()))
}

/// The devices with their indices, for messages.
fn list(devices: &[DeviceInfo]) -> String {
    let one = |(index, device): (usize, &DeviceInfo)| format!("{index}: {}", device.name);
    devices.iter().enumerate().map(one).collect::<Vec<String>>().join(", ")
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
        let places = (0..5).map(|index| find(&devices, index)).collect::<Vec<_>>();
        let expected = [
            Some(Found::Vulkan(0)),
            Some(Found::BuiltIn(DeviceKind::Cpu)),
            Some(Found::Vulkan(1)),
            Some(Found::BuiltIn(DeviceKind::Reference)),
            None,
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_device_that_does_not_open_is_passed_over_and_remembered() {
        let devices = ["broken", "good", "better not asked"]
            .map(|name| DeviceInfo { name: name.into(), ..reference::device_info() });
        let reason = Error::DeviceLost { device: "broken".into(), call: "vkCreateDevice" };
        let open = |index| if index == 0 { Err(reason.clone()) } else { Ok(index) };
        let mut passed_over = Vec::new();
        let first = those_that_open(devices.into_iter(), open, &mut passed_over).next();
        assert_eq!(first, Some(1));
        assert_eq!(passed_over, [PassedOver { device: "broken".into(), reason: reason.clone() }]);
    }

    #[test]
    fn an_option_of_blanks_says_nothing() {
        let wanted = |option| Wanted::new(option).unwrap();
        let (none, blank) = (wanted(None), wanted(Some(" \t")));
        assert_eq!((none.name, none.option), (blank.name, blank.option));
        assert_eq!(wanted(Some(" cpu ")).name, "cpu");
    }
}
