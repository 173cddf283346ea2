//! Recording and submitting: a ring of command buffers with a fence each.
//!
//! While one submission runs the next is already queued, so the device does not idle between two. Every
//! submission ends with a barrier that makes its writes visible to later kernels, copies and the host. Who
//! starts submissions finishes them (or drains the ring after an error) before a buffer is freed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ash::vk;

use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pipeline::Bound;
use crate::error::Result;

/// Submissions under way at once, at most.
pub(crate) const DEPTH: usize = 2;

struct Submission {
    buffer: vk::CommandBuffer,
    fence: vk::Fence,
    begin: Instant,
}

/// The engine's command buffers.
pub(crate) struct Commands {
    device: Arc<Device>,
    pool: vk::CommandPool,
    ring: Vec<Submission>,
    /// Submissions so far; the ring's places are used in turn.
    started: usize,
    finished: usize,
    /// When the last one ended.
    last_end: Instant,
}

impl Commands {
    pub(crate) fn new(device: &Arc<Device>) -> Result<Commands> {
        let raw = device.raw();
        let info = vk::CommandPoolCreateInfo::default()
            .queue_family_index(device.queue_family())
            .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
        // SAFETY: the device is live and has this queue family.
        let create = || unsafe { raw.create_command_pool(&info, None) };
        let pool = device.call("vkCreateCommandPool", create)?;
        let now = Instant::now();
        let device = Arc::clone(device);
        let mut commands =
            Commands { device, pool, ring: Vec::new(), started: 0, finished: 0, last_end: now };
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(pool)
            .command_buffer_count(DEPTH as u32);
        let (device, raw) = (&commands.device, commands.device.raw());
        // SAFETY: the pool was just made.
        let allocate = || unsafe { raw.allocate_command_buffers(&info) };
        for buffer in device.call("vkAllocateCommandBuffers", allocate)? {
            // SAFETY: the device is live.
            let create = || unsafe { raw.create_fence(&vk::FenceCreateInfo::default(), None) };
            let fence = device.call("vkCreateFence", create)?;
            commands.ring.push(Submission { buffer, fence, begin: now });
        }
        Ok(commands)
    }

    /// Copies `bytes` bytes between buffers, each from its offset on, and waits for it.
    pub(crate) fn copy(
        &mut self,
        (from, src_offset): (&Buffer, u64),
        (to, dst_offset): (&Buffer, u64),
        bytes: u64,
    ) -> Result<()> {
        let region = [vk::BufferCopy { src_offset, dst_offset, size: bytes }];
        self.start(|device, commands| {
            // SAFETY: both buffers are live and long enough.
            unsafe { device.cmd_copy_buffer(commands, from.raw(), to.raw(), &region) };
        })?;
        self.finish_or_drain().map(|_| ())
    }

    /// Runs `groups` workgroups of a bound kernel, waits for them and returns how long it took.
    pub(crate) fn dispatch(
        &mut self,
        kernel: &Bound,
        push: &[u32],
        groups: (u32, u32),
    ) -> Result<Duration> {
        self.start_dispatch(kernel, push, groups)?;
        self.finish_or_drain()
    }

    fn finish_or_drain(&mut self) -> Result<Duration> {
        let finished = self.finish();
        if finished.is_err() {
            self.drain();
        }
        finished
    }

    /// Starts `groups` workgroups of a bound kernel; there must be a free place (see `is_full`).
    pub(crate) fn start_dispatch(
        &mut self,
        kernel: &Bound,
        push: &[u32],
        groups: (u32, u32),
    ) -> Result<()> {
        let push: Vec<u8> = push.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.start(|device, commands| {
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

    /// Whether as many submissions are under way as there may be.
    pub(crate) fn is_full(&self) -> bool {
        self.started - self.finished == self.ring.len()
    }

    fn start(&mut self, record: impl FnOnce(&ash::Device, vk::CommandBuffer)) -> Result<()> {
        let place = self.started % self.ring.len();
        let Submission { buffer, fence, .. } = self.ring[place];
        let recorded = self.record(buffer, record).and_then(|()| {
            let raw = self.device.raw();
            let buffers = [buffer];
            let submits = [vk::SubmitInfo::default().command_buffers(&buffers)];
            // SAFETY: the fence's last submission has been awaited.
            self.device.call("vkResetFences", || unsafe { raw.reset_fences(&[fence]) })?;
            // SAFETY: the engine is locked for one caller, so the queue has one user.
            let submit = || unsafe { raw.queue_submit(self.device.queue(), &submits, fence) };
            self.device.call("vkQueueSubmit", submit)
        });
        if recorded.is_err() {
            // SAFETY: the buffer was not submitted. Nothing more can be done where even this fails.
            let _ = unsafe {
                self.device.raw().reset_command_buffer(buffer, vk::CommandBufferResetFlags::empty())
            };
            return recorded;
        }
        self.ring[place].begin = Instant::now();
        self.started += 1;
        Ok(())
    }

    fn record(
        &self,
        buffer: vk::CommandBuffer,
        record: impl FnOnce(&ash::Device, vk::CommandBuffer),
    ) -> Result<()> {
        let raw = self.device.raw();
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: the last submission of this buffer has been awaited; beginning resets it.
        let begin = || unsafe { raw.begin_command_buffer(buffer, &begin) };
        self.device.call("vkBeginCommandBuffer", begin)?;
        record(raw, buffer);
        self.barrier(buffer);
        // SAFETY: recording.
        self.device.call("vkEndCommandBuffer", || unsafe { raw.end_command_buffer(buffer) })
    }

    /// Waits for the oldest submission under way and returns how long the device was busy with it.
    pub(crate) fn finish(&mut self) -> Result<Duration> {
        let Submission { fence, begin, .. } = self.ring[self.finished % self.ring.len()];
        let raw = self.device.raw();
        // SAFETY: the fence was submitted.
        let wait = || unsafe { raw.wait_for_fences(&[fence], true, u64::MAX) };
        self.device.call("vkWaitForFences", wait)?;
        self.finished += 1;
        let end = Instant::now();
        let took = end - begin.max(self.last_end);
        self.last_end = end;
        Ok(took)
    }

    /// Waits for everything under way, whatever becomes of it: after an error, before buffers are freed.
    pub(crate) fn drain(&mut self) {
        // SAFETY: the engine is locked for one caller. A lost device has nothing under way.
        let _ = unsafe { self.device.raw().device_wait_idle() };
        self.finished = self.started;
    }

    /// Makes all writes so far visible to all that follows, on the device and on the host.
    fn barrier(&self, buffer: vk::CommandBuffer) {
        let writes = vk::AccessFlags::SHADER_WRITE | vk::AccessFlags::TRANSFER_WRITE;
        let reads = vk::AccessFlags::SHADER_READ | vk::AccessFlags::TRANSFER_READ;
        let barrier = [vk::MemoryBarrier::default()
            .src_access_mask(writes)
            .dst_access_mask(writes | reads | vk::AccessFlags::HOST_READ)];
        let stages = vk::PipelineStageFlags::COMPUTE_SHADER | vk::PipelineStageFlags::TRANSFER;
        // SAFETY: recording.
        unsafe {
            self.device.raw().cmd_pipeline_barrier(
                buffer,
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
        self.drain();
        let raw = self.device.raw();
        // SAFETY: nothing is pending.
        unsafe {
            self.ring.iter().for_each(|one| raw.destroy_fence(one.fence, None));
            raw.destroy_command_pool(self.pool, None);
        }
    }
}
