//! Choosing a device, reading its limits, opening it.
//!
//! Devices are ordered by kind; the same GPU under two drivers (equal UUID) counts once. A `Device`
//! owns the instance, the logical device, its one compute queue and the allocator.

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ash::prelude::VkResult;
use ash::vk;
use gpu_allocator::vulkan::{Allocator, AllocatorCreateDesc};

use super::faults::{self, Faults};
use super::instance::Instance;
use super::Settings;
use crate::engine::{DeviceInfo, DeviceKind};
use crate::error::{Error, Result};

/// llvmpipe ends a shader's loops silently after so many rounds per invocation, all its loops
/// together; hardware has no such limit.
const SOFTWARE_LOOP_BUDGET: u32 = 65_535;

/// A physical device with what was read of it.
pub(super) struct Candidate {
    physical: vk::PhysicalDevice,
    queue_family: u32,
    info: DeviceInfo,
    limits: Limits,
}

/// Limits that the kernels depend on.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) max_lanes: u32,
    pub(super) max_bindings: u32,
    pub(super) max_groups: u32,
    pub(super) max_shared_bytes: u32,
    pub(super) max_binding_bytes: u64,
    pub(super) subgroup_arithmetic: bool,
    /// The subgroup size can be fixed and full subgroups asked for.
    pub(super) subgroup_control: bool,
    pub(super) software: bool,
    pub(super) max_texels: u64,
    portability_subset: bool,
    memory_budget: bool,
}

/// All devices that can compute, best first.
pub(super) fn list() -> Result<Vec<DeviceInfo>> {
    let instance = Instance::new(None)?;
    Ok(candidates(&instance, None)?.into_iter().map(|candidate| candidate.info).collect())
}

fn candidates(instance: &Instance, faults: Option<&Faults>) -> Result<Vec<Candidate>> {
    let physical = instance.physical_devices(faults)?;
    let mut found: Vec<Candidate> = Vec::new();
    for device in physical {
        if let Some(candidate) = inspect(instance.raw(), device) {
            if !found.iter().any(|other| other.info.uuid == candidate.info.uuid) {
                found.push(candidate);
            }
        }
    }
    // Stable: equal kinds stay in the loader's order.
    found.sort_by_key(|candidate| candidate.info.kind);
    if found.is_empty() {
        return Err(Error::NoDevice { reason: "no device with Vulkan 1.1 and compute".into() });
    }
    Ok(found)
}

/// Reads a device; `None` where it has no Vulkan 1.1 or cannot compute.
fn inspect(instance: &ash::Instance, physical: vk::PhysicalDevice) -> Option<Candidate> {
    // SAFETY: the physical device belongs to this live instance.
    let basic = unsafe { instance.get_physical_device_properties(physical) };
    if basic.api_version < vk::API_VERSION_1_1 {
        return None;
    }
    // SAFETY: as above.
    let families = unsafe { instance.get_physical_device_queue_family_properties(physical) };
    let computes = |family: &vk::QueueFamilyProperties| {
        family.queue_count > 0 && family.queue_flags.contains(vk::QueueFlags::COMPUTE)
    };
    let queue_family = families.iter().position(computes)? as u32;
    // SAFETY: as above.
    let extensions = unsafe { instance.enumerate_device_extension_properties(physical) };
    let extensions = extensions.unwrap_or_default();
    let has = |name: &CStr| {
        extensions.iter().any(|extension| extension.extension_name_as_c_str() == Ok(name))
    };

    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    let mut id = vk::PhysicalDeviceIDProperties::default();
    let mut subgroup = vk::PhysicalDeviceSubgroupProperties::default();
    let mut size_control = vk::PhysicalDeviceSubgroupSizeControlProperties::default();
    let mut maintenance = vk::PhysicalDeviceMaintenance3Properties::default();
    let mut all = vk::PhysicalDeviceProperties2::default()
        .push_next(&mut id)
        .push_next(&mut subgroup)
        .push_next(&mut maintenance);
    if has(ash::khr::driver_properties::NAME) {
        all = all.push_next(&mut driver);
    }
    if has(ash::ext::subgroup_size_control::NAME) {
        all = all.push_next(&mut size_control);
    }
    // SAFETY: as above; only structs that the device knows are chained.
    unsafe { instance.get_physical_device_properties2(physical, &mut all) };
    // SAFETY: as above.
    let memory = unsafe { instance.get_physical_device_memory_properties(physical) };

    let limits = basic.limits;
    let software = basic.device_type == vk::PhysicalDeviceType::CPU;
    let arithmetic = vk::SubgroupFeatureFlags::BASIC | vk::SubgroupFeatureFlags::ARITHMETIC;
    let max_binding_bytes =
        u64::from(limits.max_storage_buffer_range).min(maintenance.max_memory_allocation_size);
    let info = DeviceInfo {
        name: text(basic.device_name_as_c_str()),
        driver: driver_text(&driver, basic.driver_version),
        kind: kind(basic.device_type),
        uuid: id.device_uuid,
        memory_bytes: largest_heap(&memory),
        max_binding_bytes,
        subgroup_size: subgroup.subgroup_size,
        loop_budget: if software { SOFTWARE_LOOP_BUDGET } else { 0 },
    };
    let limits = Limits {
        max_lanes: limits
            .max_compute_work_group_invocations
            .min(limits.max_compute_work_group_size[0]),
        max_bindings: limits
            .max_per_stage_descriptor_storage_buffers
            .min(limits.max_descriptor_set_storage_buffers),
        max_groups: limits.max_compute_work_group_count[0]
            .min(limits.max_compute_work_group_count[1]),
        max_shared_bytes: limits.max_compute_shared_memory_size,
        max_binding_bytes,
        subgroup_arithmetic: subgroup.supported_stages.contains(vk::ShaderStageFlags::COMPUTE)
            && subgroup.supported_operations.contains(arithmetic),
        subgroup_control: controls_subgroups(instance, physical, &size_control, &info, has),
        software,
        max_texels: u64::from(limits.max_texel_buffer_elements),
        portability_subset: has(ash::khr::portability_subset::NAME),
        memory_budget: has(ash::ext::memory_budget::NAME),
    };
    Some(Candidate { physical, queue_family, info, limits })
}

fn controls_subgroups(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    properties: &vk::PhysicalDeviceSubgroupSizeControlProperties,
    info: &DeviceInfo,
    has: impl Fn(&CStr) -> bool,
) -> bool {
    if !has(ash::ext::subgroup_size_control::NAME) {
        return false;
    }
    let mut features = vk::PhysicalDeviceSubgroupSizeControlFeatures::default();
    let mut all = vk::PhysicalDeviceFeatures2::default().push_next(&mut features);
    // SAFETY: the device has the extension whose struct is chained.
    unsafe { instance.get_physical_device_features2(physical, &mut all) };
    features.compute_full_subgroups == vk::TRUE
        && features.subgroup_size_control == vk::TRUE
        && properties.required_subgroup_size_stages.contains(vk::ShaderStageFlags::COMPUTE)
        && (properties.min_subgroup_size..=properties.max_subgroup_size)
            .contains(&info.subgroup_size)
}

fn kind(kind: vk::PhysicalDeviceType) -> DeviceKind {
    match kind {
        vk::PhysicalDeviceType::DISCRETE_GPU => DeviceKind::DiscreteGpu,
        vk::PhysicalDeviceType::INTEGRATED_GPU => DeviceKind::IntegratedGpu,
        vk::PhysicalDeviceType::VIRTUAL_GPU => DeviceKind::VirtualGpu,
        vk::PhysicalDeviceType::CPU => DeviceKind::SoftwareVulkan,
        _ => DeviceKind::OtherVulkan,
    }
}

fn text<E>(text: std::result::Result<&CStr, E>) -> String {
    text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

fn driver_text(driver: &vk::PhysicalDeviceDriverProperties, version: u32) -> String {
    let name = text(driver.driver_name_as_c_str());
    let details = text(driver.driver_info_as_c_str());
    match (name.is_empty(), details.is_empty()) {
        (true, _) => format!("driver version {version:#x}"),
        (false, true) => name,
        (false, false) => format!("{name}, {details}"),
    }
}

fn largest_heap(memory: &vk::PhysicalDeviceMemoryProperties) -> u64 {
    let heaps = &memory.memory_heaps[..memory.memory_heap_count as usize];
    let local = heaps.iter().filter(|heap| heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL));
    local.map(|heap| heap.size).max().unwrap_or(0)
}

/// An opened device.
pub(super) struct Device {
    // Dropped by hand: the allocator before the device, the device before the instance.
    allocator: ManuallyDrop<Mutex<Allocator>>,
    raw: ash::Device,
    instance: Instance,
    physical: vk::PhysicalDevice,
    queue_family: u32,
    info: DeviceInfo,
    limits: Limits,
    faults: Option<Arc<Faults>>,
    allocated: AtomicU64,
    most_allocated: AtomicU64,
}

impl Device {
    /// Opens the device that `wanted` describes.
    pub(super) fn open(wanted: &str, settings: &Settings) -> Result<Device> {
        let faults = settings.faults.clone();
        let instance = Instance::new(faults.as_deref())?;
        let candidates = candidates(&instance, faults.as_deref())?;
        let Candidate { physical, queue_family, mut info, mut limits } =
            choose(candidates, wanted)?;
        if let Some(limit) = settings.max_binding_bytes {
            limits.max_binding_bytes = limits.max_binding_bytes.min(limit);
        }
        if let Some(budget) = settings.loop_budget {
            info.loop_budget = budget;
        }
        let raw =
            faults::make(faults.as_deref(), || create(&instance, physical, queue_family, &limits));
        let raw = raw.map_err(|code| driver_error(&info.name, "vkCreateDevice", code))?;
        let allocator = Allocator::new(&AllocatorCreateDesc {
            instance: instance.raw().clone(),
            device: raw.clone(),
            physical_device: physical,
            debug_settings: gpu_allocator::AllocatorDebugSettings::default(),
            buffer_device_address: false,
            // The least there are, so that small runs do not reserve hundreds of megabytes.
            allocation_sizes: gpu_allocator::AllocationSizes::new(4 << 20, 4 << 20),
        });
        match allocator {
            Ok(allocator) => {
                let allocator = ManuallyDrop::new(Mutex::new(allocator));
                let (allocated, most_allocated) = Default::default();
                Ok(Device {
                    allocator,
                    raw,
                    instance,
                    physical,
                    queue_family,
                    info,
                    limits,
                    faults,
                    allocated,
                    most_allocated,
                })
            }
            Err(error) => {
                // SAFETY: the device was just made and nothing uses it.
                unsafe { raw.destroy_device(None) };
                let (device, code) = (info.name, error.to_string());
                Err(Error::DriverMemory { device, call: "the allocator's start", code })
            }
        }
    }

    pub(super) fn raw(&self) -> &ash::Device {
        &self.raw
    }

    pub(super) fn info(&self) -> &DeviceInfo {
        &self.info
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn queue_family(&self) -> u32 {
        self.queue_family
    }

    pub(super) fn queue(&self) -> vk::Queue {
        // SAFETY: the device was made with one queue of this family.
        unsafe { self.raw.get_device_queue(self.queue_family, 0) }
    }

    pub(super) fn allocator(&self) -> MutexGuard<'_, Allocator> {
        self.allocator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn live_allocations(&self) -> (u64, usize) {
        let report = self.allocator().generate_report();
        (report.total_allocated_bytes, report.allocations.len())
    }

    pub(super) fn check_validation(&self) -> Result<()> {
        self.instance.validation().map_or(Ok(()), |validation| validation.check())
    }

    /// Makes a Vulkan call that can fail, and turns its code into the library's error.
    pub(super) fn call<T>(
        &self,
        name: &'static str,
        call: impl FnOnce() -> VkResult<T>,
    ) -> Result<T> {
        let result = faults::make(self.faults.as_deref(), call);
        result.map_err(|code| driver_error(&self.info.name, name, code))
    }

    pub(super) fn count_allocation(&self, bytes: u64) {
        let now = self.allocated.fetch_add(bytes, Relaxed) + bytes;
        self.most_allocated.fetch_max(now, Relaxed);
    }

    pub(super) fn discount_allocation(&self, bytes: u64) {
        self.allocated.fetch_sub(bytes, Relaxed);
    }

    /// The most bytes of buffers that were live at once.
    pub(super) fn most_allocated(&self) -> u64 {
        self.most_allocated.load(Relaxed)
    }

    /// Bytes of the largest heap that this process may still take: what the driver's budget says where it has one.
    pub(super) fn available_bytes(&self) -> u64 {
        let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
        let mut all = vk::PhysicalDeviceMemoryProperties2::default();
        if !self.limits.memory_budget {
            return self.info.memory_bytes;
        }
        all = all.push_next(&mut budget);
        // SAFETY: the physical device belongs to the live instance and has the extension whose struct is chained.
        let memory = unsafe {
            self.instance.raw().get_physical_device_memory_properties2(self.physical, &mut all);
            all.memory_properties
        };
        let heaps = &memory.memory_heaps[..memory.memory_heap_count as usize];
        let largest = (0..heaps.len())
            .filter(|&heap| heaps[heap].flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL))
            .max_by_key(|&heap| heaps[heap].size);
        let free = |heap: usize| budget.heap_budget[heap].saturating_sub(budget.heap_usage[heap]);
        largest.map_or(0, |heap| free(heap).min(self.info.memory_bytes))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: dropped once, here; everything that allocates holds the device alive.
        unsafe { ManuallyDrop::drop(&mut self.allocator) };
        // SAFETY: all that was made of the device is gone, and no work is pending.
        unsafe { self.raw.destroy_device(None) };
    }
}

/// Vulkan's codes as errors: lost, out of memory, anything else.
pub(super) fn driver_error(device: &str, call: &'static str, code: vk::Result) -> Error {
    let device = device.to_owned();
    match code {
        vk::Result::ERROR_DEVICE_LOST => Error::DeviceLost { device, call },
        vk::Result::ERROR_OUT_OF_HOST_MEMORY
        | vk::Result::ERROR_OUT_OF_DEVICE_MEMORY
        | vk::Result::ERROR_TOO_MANY_OBJECTS => {
            Error::DriverMemory { device, call, code: code.to_string() }
        }
        code => Error::Driver { device, call, code: code.to_string() },
    }
}

fn create(
    instance: &Instance,
    physical: vk::PhysicalDevice,
    queue_family: u32,
    limits: &Limits,
) -> VkResult<ash::Device> {
    let queues = [vk::DeviceQueueCreateInfo::default()
        .queue_family_index(queue_family)
        .queue_priorities(&[1.0])];
    let mut extensions = Vec::new();
    if limits.portability_subset {
        // A device that has this extension must be opened with it.
        extensions.push(ash::khr::portability_subset::NAME.as_ptr());
    }
    let mut subgroups = vk::PhysicalDeviceSubgroupSizeControlFeatures::default()
        .subgroup_size_control(true)
        .compute_full_subgroups(true);
    let mut create = vk::DeviceCreateInfo::default().queue_create_infos(&queues);
    if limits.subgroup_control {
        extensions.push(ash::ext::subgroup_size_control::NAME.as_ptr());
        create = create.push_next(&mut subgroups);
    }
    let create = create.enabled_extension_names(&extensions);
    // SAFETY: the physical device belongs to the instance; every pointer outlives the call.
    unsafe { instance.raw().create_device(physical, &create, None) }
}

/// The candidate that `wanted` names: "" or "vulkan": the best; a number: the index; else a UUID or a part
/// of the name, "vulkan:" before it allowed.
fn choose(candidates: Vec<Candidate>, wanted: &str) -> Result<Candidate> {
    let infos: Vec<&DeviceInfo> = candidates.iter().map(|candidate| &candidate.info).collect();
    let position = find(&infos, wanted);
    let names: Vec<&str> = infos.iter().map(|info| &*info.name).collect();
    let available = names.join(", ");
    position
        .and_then(|position| candidates.into_iter().nth(position))
        .ok_or_else(|| Error::DeviceNotFound { wanted: wanted.into(), available })
}

fn find(infos: &[&DeviceInfo], wanted: &str) -> Option<usize> {
    let wanted = wanted.strip_prefix("vulkan:").unwrap_or(wanted).trim().to_lowercase();
    if wanted.is_empty() || wanted == "vulkan" {
        return (!infos.is_empty()).then_some(0);
    }
    if let Ok(index) = wanted.parse::<usize>() {
        return (index < infos.len()).then_some(index);
    }
    let digits = wanted.replace('-', "");
    let hex = |info: &DeviceInfo| info.uuid.iter().map(|b| format!("{b:02x}")).collect::<String>();
    infos
        .iter()
        .position(|info| hex(info) == digits)
        .or_else(|| infos.iter().position(|info| info.name.to_lowercase().contains(&wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, first: u8) -> DeviceInfo {
        let mut info = crate::engine::reference::device_info();
        info.name = name.into();
        info.uuid[0] = first;
        info
    }

    #[test]
    fn devices_are_found_by_index_uuid_and_name() {
        let (a, b) = (device("NVIDIA RTX", 0x1f), device("llvmpipe (LLVM)", 2));
        let infos = [&a, &b];
        let cases = [
            ("", Some(0)),
            ("vulkan", Some(0)),
            ("1", Some(1)),
            ("2", None),
            ("LLVMpipe", Some(1)),
            ("vulkan:rtx", Some(0)),
            ("02000000-0000-0000-0000-000000000000", Some(1)),
            ("radeon", None),
        ];
        for (wanted, position) in cases {
            assert_eq!(find(&infos, wanted), position, "{wanted}");
        }
    }

    #[test]
    fn driver_codes_become_the_errors_they_mean() {
        let status = |code| driver_error("gpu", "vkQueueSubmit", code).status();
        assert_eq!(status(vk::Result::ERROR_DEVICE_LOST), -305);
        assert_eq!(status(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY), -204);
        assert_eq!(status(vk::Result::ERROR_OUT_OF_HOST_MEMORY), -204);
        assert_eq!(status(vk::Result::ERROR_INITIALIZATION_FAILED), -306);
    }
}
