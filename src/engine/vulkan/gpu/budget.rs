//! What the driver says of a device's largest heap, where it tells (VK_EXT_memory_budget).

use ash::vk;

/// Bytes of the heap that this process may use, and those that it uses.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeapBudget {
    pub(super) budget: u64,
    pub(super) usage: u64,
}

/// Of the largest heap that is the device's own. The device must have the extension.
pub(super) fn of_largest_heap(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
) -> Option<HeapBudget> {
    let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
    let mut all = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budget);
    // SAFETY: the physical device belongs to the live instance and has the extension whose struct
    // is chained.
    let memory = unsafe {
        instance.get_physical_device_memory_properties2(physical, &mut all);
        all.memory_properties
    };
    let heaps = &memory.memory_heaps[..memory.memory_heap_count as usize];
    let largest = (0..heaps.len())
        .filter(|&heap| heaps[heap].flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL))
        .max_by_key(|&heap| heaps[heap].size)?;
    Some(HeapBudget { budget: budget.heap_budget[largest], usage: budget.heap_usage[largest] })
}
