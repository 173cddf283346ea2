//! An opened device: owns the instance, the logical device, its one compute queue and the allocator.
//!
//! `physical` chooses it and knows its limits.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ash::prelude::VkResult;
use ash::vk;
use gpu_allocator::vulkan::{Allocator, AllocatorCreateDesc};

use crate::engine::vulkan::engine::Settings;
use crate::engine::vulkan::faults::{self, Faults};
use crate::engine::vulkan::gpu::instance::Instance;
use crate::engine::vulkan::gpu::physical::{self, Candidate, Limits};
use crate::engine::vulkan::kernels::table as kernels;
use crate::engine::DeviceInfo;
use crate::error::{Error, Result};

/// An opened device.
pub(crate) struct Device {
    // Dropped by hand: the allocator before the device, the device before the instance.
    allocator: ManuallyDrop<Mutex<Allocator>>,
    raw: ash::Device,
    instance: Instance,
    physical: vk::PhysicalDevice,
    queue_family: u32,
    info: DeviceInfo,
    limits: Limits,
    faults: Option<Arc<Faults>>,
    /// Pipelines keep what the compiler says of them.
    looks: bool,
    allocated: AtomicU64,
    most_allocated: AtomicU64,
    /// Bytes that would have been live with the allocation that was refused last; 0: none was.
    refused: AtomicU64,
}

impl Device {
    /// Opens the device that `wanted` describes.
    pub(crate) fn open(wanted: &str, settings: &Settings) -> Result<Device> {
        Device::open_with(wanted, settings, false)
    }

    /// Opens a device to look at what its driver makes of kernels.
    pub(crate) fn open_to_look(wanted: &str) -> Result<Device> {
        Device::open_with(wanted, &Settings::default(), true)
    }

    fn open_with(wanted: &str, settings: &Settings, looks: bool) -> Result<Device> {
        let faults = settings.faults.clone();
        let instance = Instance::new(faults.as_deref())?;
        let candidates = physical::candidates(&instance, faults.as_deref())?;
        let Candidate { physical, queue_family, mut info, mut limits } =
            physical::choose(candidates, wanted)?;
        if let Some(limit) = settings.max_binding_bytes {
            limits.max_binding_bytes = limits.max_binding_bytes.min(limit);
        }
        if let Some(budget) = settings.loop_budget {
            info.loop_budget = budget;
        }
        if let Some(size) = settings.subgroup_size {
            let (first, last) = limits.subgroup_sizes;
            let offered = size.is_power_of_two() && (first..=last).contains(&size);
            if !limits.subgroup_control || !offered {
                let missing =
                    format!("it has no subgroups of {size} lanes that could be asked for");
                return Err(Error::Unsupported { device: info.name, missing });
            }
            info.subgroup_size = size;
        }
        if limits.max_bindings < kernels::LEAST_BINDINGS {
            let missing = format!("its kernels bind {} buffers at most", limits.max_bindings);
            return Err(Error::Unsupported { device: info.name, missing });
        }
        if looks && !limits.executable_properties {
            let missing = "its driver does not tell what it compiles to".into();
            return Err(Error::Unsupported { device: info.name, missing });
        }
        let raw = faults::make(faults.as_deref(), || {
            create(&instance, physical, queue_family, &limits, looks)
        });
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
                let (allocated, most_allocated, refused) = Default::default();
                Ok(Device {
                    allocator,
                    raw,
                    instance,
                    physical,
                    queue_family,
                    info,
                    limits,
                    faults,
                    looks,
                    allocated,
                    most_allocated,
                    refused,
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

    pub(crate) fn raw(&self) -> &ash::Device {
        &self.raw
    }

    pub(crate) fn instance(&self) -> &ash::Instance {
        self.instance.raw()
    }

    pub(crate) fn looks(&self) -> bool {
        self.looks
    }

    pub(crate) fn info(&self) -> &DeviceInfo {
        &self.info
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What compiled kernels depend on: the device, its driver, and what the driver says of its caches.
    pub(crate) fn cache_key(&self) -> Vec<u8> {
        // SAFETY: the physical device belongs to the live instance.
        let about = unsafe { self.instance.raw().get_physical_device_properties(self.physical) };
        let mut key = Vec::new();
        for number in [about.vendor_id, about.device_id, about.driver_version, about.api_version] {
            key.extend(number.to_le_bytes());
        }
        key.extend(about.pipeline_cache_uuid);
        key.extend(self.info.uuid);
        key.extend(self.info.name.bytes());
        key
    }

    pub(crate) fn queue_family(&self) -> u32 {
        self.queue_family
    }

    pub(crate) fn queue(&self) -> vk::Queue {
        // SAFETY: the device was made with one queue of this family.
        unsafe { self.raw.get_device_queue(self.queue_family, 0) }
    }

    pub(crate) fn allocator(&self) -> MutexGuard<'_, Allocator> {
        self.allocator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn live_allocations(&self) -> (u64, usize) {
        let report = self.allocator().generate_report();
        (report.total_allocated_bytes, report.allocations.len())
    }

    pub(crate) fn check_validation(&self) -> Result<()> {
        self.instance.validation().map_or(Ok(()), |validation| validation.check())
    }

    /// Makes a Vulkan call that can fail, and turns its code into the library's error.
    pub(crate) fn call<T>(
        &self,
        name: &'static str,
        call: impl FnOnce() -> VkResult<T>,
    ) -> Result<T> {
        let result = faults::make(self.faults.as_deref(), call);
        result.map_err(|code| driver_error(&self.info.name, name, code))
    }

    pub(crate) fn count_allocation(&self, bytes: u64) {
        let now = self.allocated.fetch_add(bytes, Relaxed) + bytes;
        self.most_allocated.fetch_max(now, Relaxed);
    }

    pub(crate) fn discount_allocation(&self, bytes: u64) {
        self.allocated.fetch_sub(bytes, Relaxed);
    }

    /// Refuses `bytes` more where a test has made the device smaller than it says.
    pub(crate) fn check_grant(&self, bytes: u64) -> VkResult<()> {
        let live = self.allocated.load(Relaxed) + bytes;
        match &self.faults {
            Some(faults) if live > faults.granted() => Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY),
            _ => Ok(()),
        }
    }

    pub(crate) fn count_refusal(&self, bytes: u64) {
        self.refused.store(self.allocated.load(Relaxed) + bytes, Relaxed);
    }

    /// Bytes that would have been live with the allocation that was refused since the last question.
    pub(crate) fn take_refusal(&self) -> Option<u64> {
        Some(self.refused.swap(0, Relaxed)).filter(|&bytes| bytes > 0)
    }

    /// The most bytes of buffers that were live at once.
    pub(crate) fn most_allocated(&self) -> u64 {
        self.most_allocated.load(Relaxed)
    }

    /// The device bytes that a run may use.
    pub(crate) fn usable_bytes(&self, settings: &Settings) -> u64 {
        self.available_bytes().min(settings.memory_limit.unwrap_or(u64::MAX))
    }

    /// Bytes of the largest heap that this process may still take: what the driver's budget says where it has one.
    fn available_bytes(&self) -> u64 {
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
pub(crate) fn driver_error(device: &str, call: &'static str, code: vk::Result) -> Error {
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
    looks: bool,
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
    let mut executables = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
        .pipeline_executable_info(true);
    if looks {
        extensions.push(ash::khr::pipeline_executable_properties::NAME.as_ptr());
        create = create.push_next(&mut executables);
    }
    let mut dots = vk::PhysicalDeviceShaderIntegerDotProductFeatures::default()
        .shader_integer_dot_product(true);
    let int16 = vk::PhysicalDeviceFeatures::default().shader_int16(limits.dot16);
    if limits.dot8 {
        extensions.push(ash::khr::shader_integer_dot_product::NAME.as_ptr());
        create = create.push_next(&mut dots).enabled_features(&int16);
    }
    let create = create.enabled_extension_names(&extensions);
    // SAFETY: the physical device belongs to the instance; every pointer outlives the call.
    unsafe { instance.raw().create_device(physical, &create, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_codes_become_the_errors_they_mean() {
        let error = |code| driver_error("gpu", "vkQueueSubmit", code);
        assert!(matches!(error(vk::Result::ERROR_DEVICE_LOST), Error::DeviceLost { .. }));
        for code in [vk::Result::ERROR_OUT_OF_DEVICE_MEMORY, vk::Result::ERROR_OUT_OF_HOST_MEMORY] {
            assert!(matches!(error(code), Error::DriverMemory { .. }));
        }
        let failed = error(vk::Result::ERROR_INITIALIZATION_FAILED);
        assert!(matches!(failed, Error::Driver { .. }));
    }
}
