//! Buffers: device memory for the kernels, staging where the host cannot reach it.
//!
//! A buffer that the host fills or reads is mapped directly where the device's memory is the host's
//! (integrated and software devices); elsewhere the bytes go through a staging buffer and a copy.

use std::sync::Arc;

use ash::vk;
use gpu_allocator::vulkan::{Allocation, AllocationCreateDesc, AllocationScheme};
use gpu_allocator::{AllocationError, MemoryLocation};

use super::commands::Commands;
use super::device::{driver_error, Device};
use crate::engine::DeviceKind;
use crate::error::{Error, Result};

/// A storage buffer and its memory.
pub(super) struct Buffer {
    device: Arc<Device>,
    raw: vk::Buffer,
    allocation: Option<Allocation>,
    bytes: u64,
}

impl Buffer {
    /// A buffer for kernels only.
    pub(super) fn on_device(
        device: &Arc<Device>,
        name: &'static str,
        bytes: u64,
    ) -> Result<Buffer> {
        Buffer::new(device, name, bytes, MemoryLocation::GpuOnly)
    }

    /// A buffer that the host fills or reads too: mapped where that is as good as device memory.
    pub(super) fn shared(
        device: &Arc<Device>,
        name: &'static str,
        bytes: u64,
        force_staging: bool,
    ) -> Result<Buffer> {
        let same_memory =
            matches!(device.info().kind, DeviceKind::IntegratedGpu | DeviceKind::SoftwareVulkan);
        let location = match same_memory && !force_staging {
            true => MemoryLocation::GpuToCpu,
            false => MemoryLocation::GpuOnly,
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
        let raw =
            device.check("vkCreateBuffer", unsafe { device.raw().create_buffer(&info, None) })?;
        // From here on `Drop` cleans up whatever fails.
        let mut buffer = Buffer { device: Arc::clone(device), raw, allocation: None, bytes };
        // SAFETY: the buffer was just made on this device.
        let requirements = unsafe { device.raw().get_buffer_memory_requirements(raw) };
        let allocation = device.allocator().allocate(&AllocationCreateDesc {
            name,
            requirements,
            location,
            linear: true,
            allocation_scheme: AllocationScheme::GpuAllocatorManaged,
        });
        let allocation = allocation.map_err(|error| refused(device, name, bytes, error))?;
        // SAFETY: the allocation is live.
        let (memory, offset) = (unsafe { allocation.memory() }, allocation.offset());
        buffer.allocation = Some(allocation);
        // SAFETY: memory and offset were made for this buffer's requirements.
        let bound = unsafe { device.raw().bind_buffer_memory(raw, memory, offset) };
        bound.map_err(|code| driver_error(&device.info().name, "vkBindBufferMemory", code))?;
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
        let view = unsafe { self.device.raw().create_buffer_view(&info, None) };
        self.device.check("vkCreateBufferView", view)
    }

    fn mapped(&mut self) -> Option<&mut [u8]> {
        self.allocation.as_mut().and_then(Allocation::mapped_slice_mut)
    }

    /// Fills the buffer from its beginning; `fill` gets all its bytes.
    pub(super) fn write(
        &mut self,
        commands: &mut Commands,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        let bytes = self.bytes as usize;
        if let Some(mapped) = self.mapped() {
            fill(&mut mapped[..bytes]);
            return Ok(());
        }
        let mut staging =
            Buffer::new(&self.device, "upload staging", self.bytes, MemoryLocation::CpuToGpu)?;
        if let Some(mapped) = staging.mapped() {
            fill(&mut mapped[..bytes]);
        }
        commands.copy(&staging, self, self.bytes)
    }

    /// Reads the first `bytes` bytes; `read` gets them.
    pub(super) fn read<T>(
        &mut self,
        commands: &mut Commands,
        bytes: u64,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        if let Some(mapped) = self.mapped() {
            return Ok(read(&mapped[..bytes as usize]));
        }
        let mut staging =
            Buffer::new(&self.device, "download staging", bytes, MemoryLocation::GpuToCpu)?;
        commands.copy(self, &staging, bytes)?;
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
            // Freeing fails only for allocations of another allocator.
            let _ = self.device.allocator().free(allocation);
        }
    }
}

fn refused(device: &Device, name: &str, bytes: u64, error: AllocationError) -> Error {
    Error::DeviceMemory {
        device: device.info().name.clone(),
        what: name.into(),
        bytes,
        reason: error.to_string(),
    }
}
