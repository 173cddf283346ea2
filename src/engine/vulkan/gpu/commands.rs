//! Recording and submitting: a ring of command buffers with a fence each.
//!
//! While one submission runs the next is already queued, so the device does not idle between two.
//! Every submission ends with a barrier that makes its writes visible to later kernels, copies and
//! the host. Who starts submissions finishes them (or drains the ring after an error) before a
//! buffer is freed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ash::vk;

use super::calls;
use super::device::Device;
use super::pipeline::{Bound, Dispatch};
use crate::error::Result;

/// Submissions under way at once, at most.
const DEPTH: usize = 2;

/// A place in the ring.
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
        let pool = device.call(&calls::CREATE_COMMAND_POOL, create)?;
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
        for buffer in device.call(&calls::ALLOCATE_COMMANDS, allocate)? {
            // SAFETY: the device is live.
            let create = || unsafe { raw.create_fence(&vk::FenceCreateInfo::default(), None) };
            let fence = device.call(&calls::CREATE_FENCE, create)?;
            commands.ring.push(Submission { buffer, fence, begin: now });
        }
        Ok(commands)
    }

    /// Runs a dispatch of a bound kernel, waits for it and returns how long it took.
    pub(crate) fn dispatch(&mut self, kernel: &Bound, dispatch: &Dispatch) -> Result<Duration> {
        self.run(|device, commands| kernel.record(device, commands, dispatch))
    }

    /// Starts a dispatch of a bound kernel; there must be a free place (see `is_full`).
    pub(super) fn start_dispatch(&mut self, kernel: &Bound, dispatch: &Dispatch) -> Result<()> {
        self.start(|device, commands| kernel.record(device, commands, dispatch))
    }

    /// Submits what `record` records, waits for it and returns how long it took.
    pub(super) fn run(
        &mut self,
        record: impl FnOnce(&ash::Device, vk::CommandBuffer),
    ) -> Result<Duration> {
        self.start(record)?;
        let finished = self.finish();
        if finished.is_err() {
            self.drain();
        }
        finished
    }

    /// Whether as many submissions are under way as there may be.
    pub(super) fn is_full(&self) -> bool {
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
            self.device.call(&calls::RESET_FENCES, || unsafe { raw.reset_fences(&[fence]) })?;
            // SAFETY: the engine is locked for one caller, so the queue has one user.
            let submit = || unsafe { raw.queue_submit(self.device.queue(), &submits, fence) };
            self.device.call(&calls::SUBMIT, submit)
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
        self.device.call(&calls::BEGIN_COMMANDS, begin)?;
        record(raw, buffer);
        self.barrier(buffer);
        // SAFETY: recording.
        self.device.call(&calls::END_COMMANDS, || unsafe { raw.end_command_buffer(buffer) })
    }

    /// Waits for the oldest submission under way and returns how long the device was busy with it.
    pub(super) fn finish(&mut self) -> Result<Duration> {
        let Submission { fence, begin, .. } = self.ring[self.finished % self.ring.len()];
        let raw = self.device.raw();
        // SAFETY: the fence was submitted.
        let wait = || unsafe { raw.wait_for_fences(&[fence], true, u64::MAX) };
        self.device.call(&calls::WAIT_FOR_FENCES, wait)?;
        self.finished += 1;
        let end = Instant::now();
        let took = end - begin.max(self.last_end);
        self.last_end = end;
        Ok(took)
    }

    /// Waits for everything under way, whatever becomes of it: after an error, before buffers are
    /// freed.
    pub(super) fn drain(&mut self) {
        if self.started == self.finished {
            return;
        }
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
