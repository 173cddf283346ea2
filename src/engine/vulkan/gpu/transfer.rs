//! Writing and reading buffers: directly where they are mapped, else through a staging buffer.

use std::ops::Range;

use ash::vk;
use gpu_allocator::MemoryLocation;

use super::commands::Commands;
use super::memory::Buffer;
use crate::error::{Error, Result};

impl Buffer {
    /// Fills the whole buffer.
    pub(crate) fn write(
        &mut self,
        commands: &mut Commands,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        self.write_at(commands, 0..self.bytes(), fill)
    }

    /// Fills the bytes of `range`.
    pub(crate) fn write_at(
        &mut self,
        commands: &mut Commands,
        range: Range<u64>,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        if let Some(mapped) = self.mapped() {
            fill(&mut mapped[range.start as usize..range.end as usize]);
            return Ok(());
        }
        let bytes = range.end - range.start;
        let mut staging =
            Buffer::new(self.device(), "upload staging", bytes, MemoryLocation::CpuToGpu)?;
        if let Some(mapped) = staging.mapped() {
            fill(&mut mapped[..bytes as usize]);
        }
        let to = BufferPlace { buffer: self, offset: range.start };
        copy(commands, BufferPlace { buffer: &staging, offset: 0 }, to, bytes)
    }

    /// Reads the bytes of `range`; `read` gets them.
    pub(crate) fn read_at<T>(
        &mut self,
        commands: &mut Commands,
        range: Range<u64>,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        if let Some(mapped) = self.mapped() {
            return Ok(read(&mapped[range.start as usize..range.end as usize]));
        }
        let bytes = range.end - range.start;
        let mut staging =
            Buffer::new(self.device(), "download staging", bytes, MemoryLocation::GpuToCpu)?;
        let from = BufferPlace { buffer: self, offset: range.start };
        copy(commands, from, BufferPlace { buffer: &staging, offset: 0 }, bytes)?;
        match staging.mapped() {
            Some(mapped) => Ok(read(&mapped[..bytes as usize])),
            None => Err(Error::Internal { detail: "staging memory is not mapped".into() }),
        }
    }
}

/// Where in a buffer a copy begins.
struct BufferPlace<'a> {
    buffer: &'a Buffer,
    offset: u64,
}

/// Copies `bytes` bytes between buffers and waits for it.
fn copy(commands: &mut Commands, from: BufferPlace, to: BufferPlace, bytes: u64) -> Result<()> {
    let region = [vk::BufferCopy { src_offset: from.offset, dst_offset: to.offset, size: bytes }];
    commands.run(|device, commands| {
        // SAFETY: both buffers are live and long enough.
        unsafe { device.cmd_copy_buffer(commands, from.buffer.raw(), to.buffer.raw(), &region) };
    })?;
    Ok(())
}
