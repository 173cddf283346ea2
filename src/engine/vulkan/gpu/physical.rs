//! The physical devices: which there are, what they can do, and the one that a name means.
//!
//! Devices are ordered by kind; the same GPU under two drivers (equal UUID) counts once.

use std::ffi::CStr;
use std::ops::RangeInclusive;

use ash::vk;

use super::calls::{self, Caller};
use super::instance::Instance;
use crate::engine::{DeviceInfo, DeviceKind};
use crate::error::{Error, Result};

/// llvmpipe ends a shader's loops silently after so many rounds per invocation, all its loops
/// together; hardware has no such limit.
const SOFTWARE_LOOP_BUDGET: u32 = 65_535;

/// A physical device with what was read of it.
pub(super) struct Candidate {
    pub(super) physical: vk::PhysicalDevice,
    pub(super) queue_family: u32,
    pub(super) info: DeviceInfo,
    pub(super) limits: Limits,
}

/// Limits that the kernels depend on.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) max_lanes: u32,
    pub(crate) max_bindings: u32,
    pub(crate) max_groups: u32,
    pub(crate) max_shared_bytes: u32,
    pub(crate) max_binding_bytes: u64,
    pub(crate) subgroup_arithmetic: bool,
    /// The subgroup size can be fixed and full subgroups asked for.
    pub(crate) subgroup_control: bool,
    /// Sizes that it can be fixed to: the powers of two among these.
    pub(crate) subgroup_sizes: RangeInclusive<u32>,
    pub(crate) software: bool,
    /// SwiftShader, whose fastest kernels are not llvmpipe's.
    pub(crate) is_swiftshader: bool,
    pub(crate) max_texels: u64,
    pub(crate) portability_subset: bool,
    pub(crate) memory_budget: bool,
    pub(crate) executable_properties: bool,
    /// Dot products of two 16-bit pairs, of four 8-bit values; and whether they take one
    /// instruction.
    pub(crate) dot16: bool,
    pub(crate) dot8: bool,
    pub(crate) dot16_is_fast: bool,
    pub(crate) dot8_is_fast: bool,
}

/// All Vulkan devices that can compute, best first.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    let instance = Instance::new(Caller::default())?;
    Ok(candidates(&instance)?.into_iter().map(|candidate| candidate.info).collect())
}

pub(super) fn candidates(instance: &Instance) -> Result<Vec<Candidate>> {
    let mut found: Vec<Candidate> = Vec::new();
    for device in instance.physical_devices()? {
        if let Some(candidate) = inspect(instance, device)? {
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
pub(super) fn inspect(owner: &Instance, physical: vk::PhysicalDevice) -> Result<Option<Candidate>> {
    let instance = owner.raw();
    // SAFETY: the physical device belongs to this live instance.
    let basic = unsafe { instance.get_physical_device_properties(physical) };
    if basic.api_version < vk::API_VERSION_1_1 {
        return Ok(None);
    }
    // SAFETY: as above.
    let families = unsafe { instance.get_physical_device_queue_family_properties(physical) };
    let computes = |family: &vk::QueueFamilyProperties| {
        family.queue_count > 0 && family.queue_flags.contains(vk::QueueFlags::COMPUTE)
    };
    let Some(queue_family) = families.iter().position(computes) else { return Ok(None) };
    // SAFETY: as above.
    let enumerate = || unsafe { instance.enumerate_device_extension_properties(physical) };
    let extensions = owner.call(&calls::ENUMERATE_DEVICE_EXTENSIONS, enumerate)?;
    let has = |name: &CStr| {
        extensions.iter().any(|extension| extension.extension_name_as_c_str() == Ok(name))
    };

    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    let mut id = vk::PhysicalDeviceIDProperties::default();
    let mut subgroup = vk::PhysicalDeviceSubgroupProperties::default();
    let mut size_control = vk::PhysicalDeviceSubgroupSizeControlProperties::default();
    let mut dots = vk::PhysicalDeviceShaderIntegerDotProductProperties::default();
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
    if has(ash::khr::shader_integer_dot_product::NAME) {
        all = all.push_next(&mut dots);
    }
    // SAFETY: as above; only structs that the device knows are chained.
    unsafe { instance.get_physical_device_properties2(physical, &mut all) };
    // SAFETY: as above.
    let memory = unsafe { instance.get_physical_device_memory_properties(physical) };

    let limits = basic.limits;
    let dot8 = has(ash::khr::shader_integer_dot_product::NAME) && has_dots(instance, physical);
    let dot16 = dot8 && has_int16(instance, physical);
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
        subgroup_sizes: size_control.min_subgroup_size..=size_control.max_subgroup_size,
        subgroup_control: controls_subgroups(instance, physical, &size_control, &info, &has),
        software,
        is_swiftshader: driver.driver_id == vk::DriverId::GOOGLE_SWIFTSHADER,
        max_texels: u64::from(limits.max_texel_buffer_elements),
        portability_subset: has(ash::khr::portability_subset::NAME),
        memory_budget: has(ash::ext::memory_budget::NAME),
        executable_properties: has(ash::khr::pipeline_executable_properties::NAME),
        dot16,
        dot8,
        dot16_is_fast: dot16 && dots.integer_dot_product16_bit_signed_accelerated == vk::TRUE,
        dot8_is_fast: dot8
            && dots.integer_dot_product4x8_bit_packed_signed_accelerated == vk::TRUE
            && dots.integer_dot_product4x8_bit_packed_unsigned_accelerated == vk::TRUE
            && dots.integer_dot_product4x8_bit_packed_mixed_signedness_accelerated == vk::TRUE,
    };
    Ok(Some(Candidate { physical, queue_family: queue_family as u32, info, limits }))
}

fn controls_subgroups(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    properties: &vk::PhysicalDeviceSubgroupSizeControlProperties,
    info: &DeviceInfo,
    has: &dyn Fn(&CStr) -> bool,
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

/// Whether kernels may use dot products, of a device that has the extension.
fn has_dots(instance: &ash::Instance, physical: vk::PhysicalDevice) -> bool {
    let mut features = vk::PhysicalDeviceShaderIntegerDotProductFeatures::default();
    let mut all = vk::PhysicalDeviceFeatures2::default().push_next(&mut features);
    // SAFETY: the device has the extension whose struct is chained.
    unsafe { instance.get_physical_device_features2(physical, &mut all) };
    features.shader_integer_dot_product == vk::TRUE
}

/// Whether kernels may have 16-bit integers, which the dot products of 16-bit pairs take.
fn has_int16(instance: &ash::Instance, physical: vk::PhysicalDevice) -> bool {
    // SAFETY: the physical device belongs to this live instance.
    unsafe { instance.get_physical_device_features(physical) }.shader_int16 == vk::TRUE
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

pub(super) fn text<E>(text: std::result::Result<&CStr, E>) -> String {
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

/// The candidate that `wanted` names: "" or "vulkan": the best; a number: the index, where there
/// is one; else a UUID or a part of the name, "vulkan:" before it allowed.
pub(super) fn choose(candidates: Vec<Candidate>, wanted: &str) -> Result<Candidate> {
    let infos: Vec<&DeviceInfo> = candidates.iter().map(|candidate| &candidate.info).collect();
    let position = find(&infos, wanted);
    let names: Vec<&str> = infos.iter().map(|info| &*info.name).collect();
    let available = names.join(", ");
    position
        .and_then(|position| candidates.into_iter().nth(position))
        .ok_or_else(|| Error::DeviceNotFound { option: "device", wanted: wanted.into(), available })
}

fn find(infos: &[&DeviceInfo], wanted: &str) -> Option<usize> {
    let wanted = wanted.to_lowercase();
    let wanted = wanted.strip_prefix("vulkan:").unwrap_or(&wanted).trim();
    if wanted.is_empty() || wanted == "vulkan" {
        return (!infos.is_empty()).then_some(0);
    }
    // A number that is no index may be a part of a name: "4090".
    if let Some(index) = wanted.parse().ok().filter(|&index| index < infos.len()) {
        return Some(index);
    }
    let digits = wanted.replace('-', "");
    let hex = |info: &DeviceInfo| info.uuid.iter().map(|b| format!("{b:02x}")).collect::<String>();
    infos
        .iter()
        .position(|info| hex(info) == digits)
        .or_else(|| infos.iter().position(|info| info.name.to_lowercase().contains(wanted)))
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
        let (a, b) = (device("NVIDIA RTX 4090", 0x1f), device("llvmpipe (LLVM)", 2));
        let infos = [&a, &b];
        let cases = [
            ("", Some(0)),
            ("vulkan", Some(0)),
            ("1", Some(1)),
            ("2", None),
            ("40", Some(0)),
            ("vulkan:4090", Some(0)),
            ("Vulkan:1", Some(1)),
            ("4080", None),
            ("LLVMpipe", Some(1)),
            ("vulkan:rtx", Some(0)),
            ("02000000-0000-0000-0000-000000000000", Some(1)),
            ("radeon", None),
        ];
        for (wanted, position) in cases {
            assert_eq!(find(&infos, wanted), position, "{wanted}");
        }
    }
}
