//! An opened device: owns the instance, the logical device, its one compute queue and the
//! allocator.
//!
//! `physical` chooses it and knows its limits.

use std::mem::ManuallyDrop;
use std::sync::{Mutex, MutexGuard};

use ash::prelude::VkResult;
use ash::vk;
use gpu_allocator::vulkan::{Allocator, AllocatorCreateDesc};

use super::budget;
use super::calls::{self, Call, Caller};
use super::instance::Instance;
use super::physical::{self, Candidate, Limits};
use super::usage::MemoryUsage;
use crate::engine::vulkan::settings::Settings;
use crate::engine::{DeviceInfo, DeviceKind};
use crate::error::{Error, Result};
use crate::memory::Bytes;
use crate::threads::lock;

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
    /// What the host fills or reads goes through staging buffers.
    staged: bool,
    /// Pipelines keep what the compiler says of them.
    captures: bool,
    usage: MemoryUsage,
}

impl Device {
    /// Opens the device that `wanted` describes.
    pub(crate) fn open(wanted: &str, settings: &Settings) -> Result<Device> {
        let instance = Instance::new(Caller::new(settings))?;
        let candidate = physical::choose(physical::candidates(&instance)?, wanted)?;
        let candidate = adapt(candidate, settings)?;
        let name = &candidate.info.name;
        let create = || create(&instance, &candidate, settings);
        let raw = instance.caller().make(name, &calls::CREATE_DEVICE, create)?;
        let allocator = Allocator::new(&AllocatorCreateDesc {
            instance: instance.raw().clone(),
            device: raw.clone(),
            physical_device: candidate.physical,
            debug_settings: gpu_allocator::AllocatorDebugSettings::default(),
            buffer_device_address: false,
            // The least there are, so that small runs do not reserve hundreds of megabytes.
            allocation_sizes: gpu_allocator::AllocationSizes::new(4 << 20, 4 << 20),
        });
        let Candidate { physical, queue_family, info, limits } = candidate;
        match allocator {
            Ok(allocator) => Ok(Device {
                allocator: ManuallyDrop::new(Mutex::new(allocator)),
                raw,
                instance,
                physical,
                queue_family,
                staged: settings.force_staging || !shares_memory(info.kind),
                info,
                limits,
                captures: settings.captures(),
                usage: MemoryUsage::default(),
            }),
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

    pub(crate) fn info(&self) -> &DeviceInfo {
        &self.info
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether buffers that the host fills or reads go through staging buffers: where the device's
    /// memory is not the host's.
    pub(crate) fn is_staged(&self) -> bool {
        self.staged
    }

    pub(super) fn captures(&self) -> bool {
        self.captures
    }

    /// What compiled kernels depend on: the device, its driver, and what the driver says of its
    /// caches.
    pub(super) fn cache_key(&self) -> Vec<u8> {
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

    pub(super) fn queue_family(&self) -> u32 {
        self.queue_family
    }

    pub(super) fn queue(&self) -> vk::Queue {
        // SAFETY: the device was made with one queue of this family.
        unsafe { self.raw.get_device_queue(self.queue_family, 0) }
    }

    pub(super) fn allocator(&self) -> MutexGuard<'_, Allocator> {
        lock(&self.allocator)
    }

    pub(super) fn usage(&self) -> &MemoryUsage {
        &self.usage
    }

    /// Bytes and number of the allocations that are live now.
    pub(crate) fn live_allocations(&self) -> (u64, usize) {
        let report = self.allocator().generate_report();
        (report.total_allocated_bytes, report.allocations.len())
    }

    /// The most bytes of buffers that were live at once.
    pub(crate) fn most_allocated(&self) -> u64 {
        self.usage.most()
    }

    /// Bytes that would have been live with the allocation that was refused since the last
    /// question.
    pub(crate) fn take_refusal(&self) -> Option<u64> {
        self.usage.take_refused()
    }

    pub(crate) fn check_validation(&self) -> Result<()> {
        self.instance.validation().map_or(Ok(()), |validation| validation.check())
    }

    /// Makes a Vulkan call that can fail, and turns its code into the library's error.
    pub(super) fn call<T>(&self, call: &Call, make: impl FnOnce() -> VkResult<T>) -> Result<T> {
        self.instance.caller().make(&self.info.name, call, make)
    }

    /// Refuses `bytes` more where a test has made the device smaller than it says.
    pub(super) fn check_grant(&self, bytes: u64) -> VkResult<()> {
        match self.usage.live_with(bytes) > self.instance.caller().granted() {
            true => Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY),
            false => Ok(()),
        }
    }

    /// The device bytes that a run may use.
    pub(crate) fn usable_bytes(&self, settings: &Settings) -> Bytes {
        Bytes::new(self.available_bytes().min(settings.memory_limit.unwrap_or(u64::MAX)))
    }

    /// Bytes of the largest heap that a run may take: what the driver's budget says where it has
    /// one, and what this device's own buffers hold, which are gone when the next run begins.
    fn available_bytes(&self) -> u64 {
        if !self.limits.memory_budget {
            return self.info.memory_bytes;
        }
        let own = self.usage.live_with(0);
        budget::of_largest_heap(self.instance.raw(), self.physical).map_or(0, |heap| {
            let others = heap.usage.saturating_sub(own);
            heap.budget.saturating_sub(others).min(self.info.memory_bytes)
        })
    }
}

#[cfg(feature = "internals")]
impl Device {
    pub(super) fn instance(&self) -> &ash::Instance {
        self.instance.raw()
    }

    /// A wrong call on purpose: a buffer of 0 bytes, which drivers refuse or make.
    pub(crate) fn make_empty_buffer(&self) {
        let empty = vk::BufferCreateInfo::default().usage(vk::BufferUsageFlags::STORAGE_BUFFER);
        // SAFETY: wrong in its size only.
        if let Ok(buffer) = unsafe { self.raw.create_buffer(&empty, None) } {
            // SAFETY: just made, never used.
            unsafe { self.raw.destroy_buffer(buffer, None) };
        }
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

/// Whether a device's memory is the host's.
fn shares_memory(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::IntegratedGpu | DeviceKind::SoftwareVulkan)
}

/// The candidate as the settings want it, or what it cannot do of that.
fn adapt(mut candidate: Candidate, settings: &Settings) -> Result<Candidate> {
    let Candidate { info, limits, .. } = &mut candidate;
    if let Some(limit) = settings.max_binding_bytes {
        limits.max_binding_bytes = limits.max_binding_bytes.min(limit);
    }
    if let Some(budget) = settings.loop_budget() {
        info.loop_budget = budget;
    }
    if let Some(size) = settings.subgroup_size {
        let offered = size.is_power_of_two() && limits.subgroup_sizes.contains(&size);
        if !limits.subgroup_control || !offered {
            let missing = format!("it has no subgroups of {size} lanes that could be asked for");
            return Err(Error::Unsupported { device: info.name.clone(), missing });
        }
        info.subgroup_size = size;
    }
    if settings.captures() && !limits.executable_properties {
        let missing = "its driver does not tell what it compiles to".into();
        return Err(Error::Unsupported { device: info.name.clone(), missing });
    }
    Ok(candidate)
}

fn create(
    instance: &Instance,
    candidate: &Candidate,
    settings: &Settings,
) -> VkResult<ash::Device> {
    let limits = &candidate.limits;
    let queues = [vk::DeviceQueueCreateInfo::default()
        .queue_family_index(candidate.queue_family)
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
    if settings.captures() {
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
    unsafe { instance.raw().create_device(candidate.physical, &create, None) }
}
