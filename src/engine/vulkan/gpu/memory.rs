//! Buffers: device memory for the kernels, and staging memory on the host.
//!
//! A buffer that the host fills or reads is mapped where the device's memory is the host's
//! (integrated and software devices). How the bytes get into and out of it is told in `transfer`.

use std::sync::Arc;

use ash::vk;
use gpu_allocator::vulkan::{Allocation, AllocationCreateDesc, AllocationScheme};
use gpu_allocator::{AllocationError, MemoryLocation};

use super::calls;
use super::device::Device;
use crate::error::{Error, Result};

/// Buffers from this size on get memory of their own; smaller ones share blocks of 4 MiB.
const DEDICATED_BYTES: u64 = 1 << 20;

/// A storage buffer and its memory.
pub(crate) struct Buffer {
    device: Arc<Device>,
    raw: vk::Buffer,
    allocation: Option<Allocation>,
    bytes: u64,
    /// Whether the host may go to the bytes directly. Memory that is the device's can be mapped too
    /// (all of it on a software device, a window of it on GPUs), but the host reads it slowly.
    of_host: bool,
}

impl Buffer {
    /// A buffer for kernels only.
    pub(crate) fn on_device(
        device: &Arc<Device>,
        name: &'static str,
        bytes: u64,
    ) -> Result<Buffer> {
        Buffer::new(device, name, bytes, MemoryLocation::GpuOnly)
    }

    /// A buffer that the host fills or reads too: mapped where that is as good as device memory.
    pub(crate) fn shared(device: &Arc<Device>, name: &'static str, bytes: u64) -> Result<Buffer> {
        let location = match device.is_staged() {
            false => MemoryLocation::GpuToCpu,
            true => MemoryLocation::GpuOnly,
        };
        Buffer::new(device, name, bytes, location)
    }

    pub(super) fn new(
        device: &Arc<Device>,
        name: &'static str,
        bytes: u64,
        location: MemoryLocation,
    ) -> Result<Buffer> {
        let bytes = bytes.max(16);
        let usage = vk::BufferUsageFlags::STORAGE_BUFFER
            | vk::BufferUsageFlags::UNIFORM_TEXEL_BUFFER
            | vk::BufferUsageFlags::STORAGE_TEXEL_BUFFER
            | vk::BufferUsageFlags::TRANSFER_SRC
            | vk::BufferUsageFlags::TRANSFER_DST;
        let info = vk::BufferCreateInfo::default().size(bytes).usage(usage);
        // SAFETY: the device is live.
        let create = || unsafe { device.raw().create_buffer(&info, None) };
        let raw = device.call(&calls::CREATE_BUFFER, create)?;
        let of_host = location != MemoryLocation::GpuOnly;
        // From here on `Drop` cleans up whatever fails.
        let mut buffer =
            Buffer { device: Arc::clone(device), raw, allocation: None, bytes, of_host };
        // SAFETY: the buffer was just made on this device.
        let requirements = unsafe { device.raw().get_buffer_memory_requirements(raw) };
        let description = AllocationCreateDesc {
            name,
            requirements,
            location,
            linear: true,
            allocation_scheme: match bytes {
                0..DEDICATED_BYTES => AllocationScheme::GpuAllocatorManaged,
                _ => AllocationScheme::DedicatedBuffer(raw),
            },
        };
        let allocation = allocate(device, &description)?;
        // SAFETY: the allocation is live.
        let (memory, offset) = (unsafe { allocation.memory() }, allocation.offset());
        buffer.allocation = Some(allocation);
        // SAFETY: memory and offset were made for this buffer's requirements.
        let bind = || unsafe { device.raw().bind_buffer_memory(raw, memory, offset) };
        device.call(&calls::BIND_BUFFER, bind)?;
        Ok(buffer)
    }

    pub(super) fn raw(&self) -> vk::Buffer {
        self.raw
    }

    /// The whole buffer, for a binding.
    pub(super) fn whole(&self) -> vk::DescriptorBufferInfo {
        vk::DescriptorBufferInfo { buffer: self.raw, offset: 0, range: self.bytes }
    }

    /// The whole buffer as texels of 16 bytes. The caller destroys the view.
    pub(super) fn texels(&self, format: vk::Format) -> Result<vk::BufferView> {
        let info = vk::BufferViewCreateInfo::default()
            .buffer(self.raw)
            .format(format)
            .range(vk::WHOLE_SIZE);
        // SAFETY: the buffer is live and bound, and its usage has texel buffers.
        let create = || unsafe { self.device.raw().create_buffer_view(&info, None) };
        self.device.call(&calls::CREATE_BUFFER_VIEW, create)
    }

    pub(super) fn device(&self) -> &Arc<Device> {
        &self.device
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes, where the host may go to them directly.
    pub(super) fn mapped(&mut self) -> Option<&mut [u8]> {
        let of_host = self.of_host;
        self.allocation.as_mut().filter(|_| of_host).and_then(Allocation::mapped_slice_mut)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: no work is pending (every submission is awaited) and the buffer is used no more.
        unsafe { self.device.raw().destroy_buffer(self.raw, None) };
        if let Some(allocation) = self.allocation.take() {
            self.device.usage().subtract(allocation.size());
            // Freeing fails only for allocations of another allocator.
            let _ = self.device.allocator().free(allocation);
        }
    }
}

/// Allocates and counts, also what is refused.
fn allocate(device: &Device, description: &AllocationCreateDesc) -> Result<Allocation> {
    let bytes = description.requirements.size;
    let mut reason = None;
    let allocation = device.call(&calls::ALLOCATE_MEMORY, || {
        device.check_grant(bytes)?;
        device.allocator().allocate(description).map_err(|error| {
            let full = matches!(error, AllocationError::OutOfMemory);
            reason = Some(error.to_string());
            match full {
                true => vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
                false => vk::Result::ERROR_UNKNOWN,
            }
        })
    });
    match allocation {
        Ok(allocation) => {
            device.usage().add(allocation.size());
            Ok(allocation)
        }
        Err(error) => {
            if matches!(error, Error::DriverMemory { .. }) {
                device.usage().refuse(bytes);
            }
            Err(Error::DeviceMemory {
                device: device.info().name.clone(),
                what: description.name.into(),
                bytes,
                reason: reason.unwrap_or_else(|| "out of memory".into()),
            })
        }
    }
}
