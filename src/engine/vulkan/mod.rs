//! The Vulkan engine: GLSL kernels on any Vulkan 1.1 device.
//!
//! `instance` opens the loader, `validation` listens to the validation layer, `device` chooses a device and
//! reads its limits, `memory` owns buffers, `kernels` embeds the SPIR-V, `pipeline` builds pipelines,
//! `commands` records and submits, `pacing` sizes the submissions. On top of them one file for each
//! kernel family: `matrix` and `sequences` (and `baseline`, the direct method, for the benchmark).
//!
//! A run prepares the device's copy of the corpus, computes the contribution matrix once, then works
//! through the starts in waves of sequences. Every dispatch stays below the device's loop budget and
//! near a target time. Objects free themselves in `Drop`, each holding the device alive.

mod baseline;
mod commands;
mod device;
mod instance;
mod kernels;
mod matrix;
mod memory;
mod pacing;
mod pipeline;
mod sequences;
mod validation;

use std::sync::Arc;
use std::time::Duration;

pub use baseline::direct_method;
pub use validation::planted_error;

use crate::corpus::Corpus;
use crate::engine::{DeviceInfo, Engine};
use crate::error::Result;
use crate::plan::Plan;
use crate::progress::{Phase, Progress};
use commands::Commands;
use device::Device;
use matrix::Matrix;
use pipeline::Pipelines;

/// The two shapes of the sequence kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceKernel {
    /// Scores in a storage buffer: any number of items.
    Buffer,
    /// Scores in registers; too many items for that fall back to `Buffer`.
    Registers,
}

/// How a workgroup finds its lowest score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The workgroup is one full subgroup. Where the driver cannot guarantee it: as `Subgroups`.
    OneSubgroup,
    /// Several subgroups of any size.
    Subgroups,
    /// Shared memory only, for devices without subgroup arithmetic.
    Shared,
}

/// Settings of the Vulkan engine; the default lets the device decide. All settings give the same
/// bits, but for `loop_budget`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The sequence kernel.
    pub kernel: Option<SequenceKernel>,
    /// The reduction of the sequence kernel.
    pub reduction: Option<Reduction>,
    /// Invocations of a sequence workgroup, a power of two.
    pub lanes: Option<u32>,
    /// The most device memory in bytes that one run may use.
    pub memory_limit: Option<u64>,
    /// The most bytes one binding may span, if less than the device's limit.
    pub max_binding_bytes: Option<u64>,
    /// How long one submission should take.
    pub submit_target: Option<Duration>,
    /// Go through staging buffers even where memory can be mapped.
    pub force_staging: bool,
    /// Replaces the device's loop budget. More than the device has gives wrong results.
    pub loop_budget: Option<u32>,
    /// Keep taken scores pinned whatever the number of items, as for more than 21,845.
    pub force_pin: bool,
    /// Read the matrix as texel buffers; by default on software devices only.
    pub texels: Option<bool>,
    /// The most sequences computed side by side.
    pub max_wave: Option<u32>,
}

/// All Vulkan devices that can compute, best first.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    device::list()
}

/// One Vulkan device.
pub struct VulkanEngine {
    // Fields drop in order: what uses the device before the device.
    pipelines: Pipelines,
    commands: Commands,
    device: Arc<Device>,
    settings: Settings,
}

impl VulkanEngine {
    /// Opens the device that `wanted` names (see [`crate::ContextOptions::device`]).
    pub fn new(wanted: &str, settings: &Settings) -> Result<VulkanEngine> {
        let device = Arc::new(Device::open(wanted, settings)?);
        let commands = Commands::new(&device)?;
        let pipelines = Pipelines::new(&device);
        Ok(VulkanEngine { pipelines, commands, device, settings: settings.clone() })
    }

    /// Bytes and number of the device allocations that are live now.
    pub fn live_allocations(&self) -> (u64, usize) {
        self.device.live_allocations()
    }

    fn run(&mut self, corpus: &Corpus, plan: &Plan, progress: &Progress) -> Result<Vec<u32>> {
        if plan.picks() == 0 {
            return Ok(plan.starts().to_vec());
        }
        let layout = matrix::Layout::new(corpus, &self.device, &self.settings)?;
        let wave = sequences::wave(&self.device, &self.settings, &layout, plan)?;
        let upload =
            || matrix::upload(&self.device, &mut self.commands, corpus, &layout, &self.settings);
        let rows = progress.time(Phase::Upload, upload)?;
        let matrix = progress
            .time(Phase::Matrix, || Matrix::compute(self.tools(), &layout, &rows, progress))?;
        drop(rows);
        sequences::run(self.tools(), &matrix, plan, wave, progress)
    }

    fn tools(&mut self) -> Tools<'_> {
        Tools {
            device: &self.device,
            commands: &mut self.commands,
            pipelines: &mut self.pipelines,
            settings: &self.settings,
        }
    }
}

/// What the kernel families need of the engine.
struct Tools<'a> {
    device: &'a Arc<Device>,
    commands: &'a mut Commands,
    pipelines: &'a mut Pipelines,
    settings: &'a Settings,
}

impl Engine for VulkanEngine {
    fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    fn sequences(&mut self, corpus: &Corpus, plan: &Plan, progress: &Progress) -> Result<Vec<u32>> {
        let result = self.run(corpus, plan, progress)?;
        self.device.check_validation()?;
        Ok(result)
    }
}
