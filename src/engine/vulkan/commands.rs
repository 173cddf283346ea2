//! Recording and submitting: one command buffer, one fence, one submission at a time.
//!
//! Every submission ends with a barrier that makes its writes visible to later kernels, copies and the host,
//! and is awaited before the next one: whoever frees a buffer knows that nothing is pending.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ash::vk;

use super::device::Device;
use super::memory::Buffer;
use super::pipeline::Bound;
use crate::error::Result;

/// The engine's command buffer.
pub(super) struct Commands {
    device: Arc<Device>,
    pool: vk::CommandPool,
    buffer: vk::CommandBuffer,
    fence: vk::Fence,
}

impl Commands {
    pub(super) fn new(device: &Arc<Device>) -> Result<Commands> {
        let raw = device.raw();
        let null = (vk::CommandBuffer::null(), vk::Fence::null());
        let info = vk::CommandPoolCreateInfo::default()
            .queue_family_index(device.queue_family())
            .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
        // SAFETY: the device is live and has this queue family.
        let pool =
            device.check("vkCreateCommandPool", unsafe { raw.create_command_pool(&info, None) })?;
        let mut commands =
            Commands { device: Arc::clone(device), pool, buffer: null.0, fence: null.1 };
        let info =
            vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
        // SAFETY: the pool was just made.
        let buffers = unsafe { raw.allocate_command_buffers(&info) };
        commands.buffer = device.check("vkAllocateCommandBuffers", buffers)?[0];
        // SAFETY: the device is live.
        let fence = unsafe { raw.create_fence(&vk::FenceCreateInfo::default(), None) };
        commands.fence = device.check("vkCreateFence", fence)?;
        Ok(commands)
    }

    /// Copies the first `bytes` bytes of `from` to `to` and waits for it.
    pub(super) fn copy(&mut self, from: &Buffer, to: &Buffer, bytes: u64) -> Result<()> {
        let region = [vk::BufferCopy { src_offset: 0, dst_offset: 0, size: bytes }];
        self.submit(|device, commands| {
            // SAFETY: both buffers are live and at least `bytes` long.
            unsafe { device.cmd_copy_buffer(commands, from.raw(), to.raw(), &region) };
        })
        .map(|_| ())
    }

    /// Runs `groups` workgroups of a bound kernel, waits, and returns how long it took.
    pub(super) fn dispatch(
        &mut self,
        kernel: &Bound,
        push: &[u32],
        groups: (u32, u32),
    ) -> Result<Duration> {
        let push: Vec<u8> = push.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.submit(|device, commands| {
            let (pipeline, layout, set) = kernel.handles();
            let point = vk::PipelineBindPoint::COMPUTE;
            // SAFETY: pipeline, layout and set belong together and outlive the awaited submission;
            // the push constants are as long as the layout says.
            unsafe {
                device.cmd_bind_pipeline(commands, point, pipeline);
                device.cmd_bind_descriptor_sets(commands, point, layout, 0, &[set], &[]);
                device.cmd_push_constants(
                    commands,
                    layout,
                    vk::ShaderStageFlags::COMPUTE,
                    0,
                    &push,
                );
                device.cmd_dispatch(commands, groups.0, groups.1, 1);
            }
        })
    }

    fn submit(&mut self, record: impl FnOnce(&ash::Device, vk::CommandBuffer)) -> Result<Duration> {
        let (device, raw) = (&self.device, self.device.raw());
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: the last submission of this buffer has been awaited; beginning resets it.
        let begun = unsafe { raw.begin_command_buffer(self.buffer, &begin) };
        device.check("vkBeginCommandBuffer", begun)?;
        record(raw, self.buffer);
        self.barrier();
        // SAFETY: recording.
        let ended = unsafe { raw.end_command_buffer(self.buffer) };
        device.check("vkEndCommandBuffer", ended)?;

        let started = Instant::now();
        let buffers = [self.buffer];
        let submits = [vk::SubmitInfo::default().command_buffers(&buffers)];
        // SAFETY: the engine is locked for one caller, so the queue has one user.
        let submitted = unsafe { raw.queue_submit(device.queue(), &submits, self.fence) };
        device.check("vkQueueSubmit", submitted)?;
        // SAFETY: the fence was just submitted.
        let waited = unsafe { raw.wait_for_fences(&[self.fence], true, u64::MAX) };
        device.check("vkWaitForFences", waited)?;
        let took = started.elapsed();
        // SAFETY: the fence is signalled and nothing waits for it.
        device.check("vkResetFences", unsafe { raw.reset_fences(&[self.fence]) })?;
        Ok(took)
    }

    /// Makes all writes so far visible to all that follows, on the device and on the host.
    fn barrier(&self) {
        let writes = vk::AccessFlags::SHADER_WRITE | vk::AccessFlags::TRANSFER_WRITE;
        let reads = vk::AccessFlags::SHADER_READ | vk::AccessFlags::TRANSFER_READ;
        let barrier = [vk::MemoryBarrier::default()
            .src_access_mask(writes)
            .dst_access_mask(writes | reads | vk::AccessFlags::HOST_READ)];
        let stages = vk::PipelineStageFlags::COMPUTE_SHADER | vk::PipelineStageFlags::TRANSFER;
        // SAFETY: recording.
        unsafe {
            self.device.raw().cmd_pipeline_barrier(
                self.buffer,
                stages,
                stages | vk::PipelineStageFlags::HOST,
                vk::DependencyFlags::empty(),
                &barrier,
                &[],
                &[],
            );
        }
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        let raw = self.device.raw();
        // SAFETY: a submission whose wait failed may still be pending; after this nothing is. Null
        // handles are allowed.
        unsafe {
            let _ = raw.device_wait_idle();
            raw.destroy_fence(self.fence, None);
            raw.destroy_command_pool(self.pool, None);
        }
    }
}
