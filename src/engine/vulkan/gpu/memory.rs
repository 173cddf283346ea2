//! Buffers: device memory for the kernels, staging where the host cannot reach it.
//!
//! A buffer that the host fills or reads is mapped directly where the device's memory is the host's
//! (integrated and software devices); elsewhere the bytes go through a staging buffer and a copy.

use std::sync::Arc;

use ash::vk;
use gpu_allocator::vulkan::{Allocation, AllocationCreateDesc, AllocationScheme};
use gpu_allocator::{AllocationError, MemoryLocation};

use crate::engine::vulkan::gpu::commands::Commands;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::DeviceKind;
use crate::error::{Error, Result};

/// Buffers from this size on get memory of their own; smaller ones share blocks of 4 MiB.
const DEDICATED_BYTES: u64 = 1 << 20;

/// Whether shared buffers go through staging buffers on the host: where the device's memory is not the host's.
pub(crate) fn is_staged(device: &Device, force_staging: bool) -> bool {
    let same_memory =
        matches!(device.info().kind, DeviceKind::IntegratedGpu | DeviceKind::SoftwareVulkan);
    force_staging || !same_memory
}

/// A storage buffer and its memory.
pub(crate) struct Buffer {
    device: Arc<Device>,
    raw: vk::Buffer,
    allocation: Option<Allocation>,
    bytes: u64,
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
    pub(crate) fn shared(
        device: &Arc<Device>,
        name: &'static str,
        bytes: u64,
        force_staging: bool,
    ) -> Result<Buffer> {
        let location = match is_staged(device, force_staging) {
            false => MemoryLocation::GpuToCpu,
            true => MemoryLocation::GpuOnly,
        };
        Buffer::new(device, name, bytes, location)
    }

    fn new(
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
        let raw = device.call("vkCreateBuffer", create)?;
        // From here on `Drop` cleans up whatever fails.
        let mut buffer = Buffer { device: Arc::clone(device), raw, allocation: None, bytes };
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
        device.call("vkBindBufferMemory", bind)?;
        Ok(buffer)
    }

    pub(crate) fn raw(&self) -> vk::Buffer {
        self.raw
    }

    /// The whole buffer, for a binding.
    pub(crate) fn whole(&self) -> vk::DescriptorBufferInfo {
        vk::DescriptorBufferInfo { buffer: self.raw, offset: 0, range: self.bytes }
    }

    /// The whole buffer as texels of 16 bytes. The caller destroys the view.
    pub(crate) fn texels(&self, format: vk::Format) -> Result<vk::BufferView> {
        let info = vk::BufferViewCreateInfo::default()
            .buffer(self.raw)
            .format(format)
            .range(vk::WHOLE_SIZE);
        // SAFETY: the buffer is live and bound, and its usage has texel buffers.
        let create = || unsafe { self.device.raw().create_buffer_view(&info, None) };
        self.device.call("vkCreateBufferView", create)
    }

    fn mapped(&mut self) -> Option<&mut [u8]> {
        self.allocation.as_mut().and_then(Allocation::mapped_slice_mut)
    }

    /// Fills the buffer from its beginning; `fill` gets all its bytes.
    pub(crate) fn write(
        &mut self,
        commands: &mut Commands,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        self.write_at(commands, 0, self.bytes, fill)
    }

    /// Fills the `bytes` bytes from `offset` on.
    pub(crate) fn write_at(
        &mut self,
        commands: &mut Commands,
        offset: u64,
        bytes: u64,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        if let Some(mapped) = self.mapped() {
            fill(&mut mapped[offset as usize..][..bytes as usize]);
            return Ok(());
        }
        let mut staging =
            Buffer::new(&self.device, "upload staging", bytes, MemoryLocation::CpuToGpu)?;
        if let Some(mapped) = staging.mapped() {
            fill(&mut mapped[..bytes as usize]);
        }
        commands.copy((&staging, 0), (self, offset), bytes)
    }

    /// Reads the first `bytes` bytes; `read` gets them.
    pub(crate) fn read<T>(
        &mut self,
        commands: &mut Commands,
        bytes: u64,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        self.read_at(commands, 0, bytes, read)
    }

    /// Reads the `bytes` bytes from `offset` on.
    pub(crate) fn read_at<T>(
        &mut self,
        commands: &mut Commands,
        offset: u64,
        bytes: u64,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        if let Some(mapped) = self.mapped() {
            return Ok(read(&mapped[offset as usize..][..bytes as usize]));
        }
        let mut staging =
            Buffer::new(&self.device, "download staging", bytes, MemoryLocation::GpuToCpu)?;
        commands.copy((self, offset), (&staging, 0), bytes)?;
        match staging.mapped() {
            Some(mapped) => Ok(read(&mapped[..bytes as usize])),
            None => Err(Error::Internal { detail: "staging memory is not mapped".into() }),
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: no work is pending (every submission is awaited) and the buffer is used no more.
        unsafe { self.device.raw().destroy_buffer(self.raw, None) };
        if let Some(allocation) = self.allocation.take() {
            self.device.discount_allocation(allocation.size());
            // Freeing fails only for allocations of another allocator.
            let _ = self.device.allocator().free(allocation);
        }
    }
}

/// Allocates and counts, also what is refused.
fn allocate(device: &Device, description: &AllocationCreateDesc) -> Result<Allocation> {
    let bytes = description.requirements.size;
    let mut reason = None;
    let allocation = device.call("vkAllocateMemory", || {
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
            device.count_allocation(allocation.size());
            Ok(allocation)
        }
        Err(lost @ Error::DeviceLost { .. }) => Err(lost),
        Err(error) => {
            if matches!(error, Error::DriverMemory { .. }) {
                device.count_refusal(bytes);
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
