//! What is told of the loader and of every device that it offers, whether vkd can use it or not.

use ash::vk;

use super::budget;
use super::calls::Caller;
use super::instance::{loader_version, Instance};
use super::physical::{inspect, text, Candidate};
use crate::engine::DeviceInfo;
use crate::error::Result;

/// The Vulkan version of the loader, such as "1.3.239".
pub fn loader() -> Result<String> {
    loader_version().map(version_text)
}

/// A device that the loader offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// Its name.
    pub name: String,
    /// Its Vulkan version, such as "1.3.230".
    pub version: String,
    /// What vkd knows of it; `None` where it has no Vulkan 1.1 or cannot compute.
    pub usable: Option<DeviceDetails>,
}

/// What vkd knows of a device that it can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceDetails {
    /// As everywhere.
    pub info: DeviceInfo,
    /// Bytes of its largest heap that are free for this process, where the driver tells.
    pub free_bytes: Option<u64>,
    /// The fewest and the most lanes of a subgroup that can be asked for; equal where nothing can.
    pub subgroup_sizes: (u32, u32),
    /// Bytes of memory that a workgroup shares.
    pub shared_bytes: u32,
    /// Invocations of a workgroup.
    pub workgroup: u32,
    /// Buffers that a kernel can bind.
    pub bindings: u32,
    /// Subgroups can find a minimum.
    pub subgroup_arithmetic: bool,
    /// Whether it runs on the processor.
    pub is_software: bool,
}

/// All devices in the loader's order.
pub fn reports() -> Result<Vec<DeviceReport>> {
    let instance = Instance::new(Caller::default())?;
    let one = |physical| {
        // SAFETY: the physical device belongs to the live instance.
        let basic = unsafe { instance.raw().get_physical_device_properties(physical) };
        let usable = inspect(&instance, physical)?.map(|found| details(&instance, found));
        let name = text(basic.device_name_as_c_str());
        Ok(DeviceReport { name, version: version_text(basic.api_version), usable })
    };
    instance.physical_devices()?.into_iter().map(one).collect()
}

fn details(instance: &Instance, found: Candidate) -> DeviceDetails {
    let Candidate { physical, info, limits, .. } = found;
    let own = (info.subgroup_size, info.subgroup_size);
    let budget = || budget::of_largest_heap(instance.raw(), physical);
    let heap = limits.memory_budget.then(budget).flatten();
    DeviceDetails {
        free_bytes: heap.map(|heap| heap.budget.saturating_sub(heap.usage)),
        subgroup_sizes: match limits.subgroup_control {
            true => (*limits.subgroup_sizes.start(), *limits.subgroup_sizes.end()),
            false => own,
        },
        shared_bytes: limits.max_shared_bytes,
        workgroup: limits.max_lanes,
        bindings: limits.max_bindings,
        subgroup_arithmetic: limits.subgroup_arithmetic,
        is_software: limits.software,
        info,
    }
}

fn version_text(version: u32) -> String {
    let (major, minor) = (vk::api_version_major(version), vk::api_version_minor(version));
    format!("{major}.{minor}.{}", vk::api_version_patch(version))
}
