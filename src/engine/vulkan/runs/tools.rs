//! What a run has of the engine.

use std::sync::Arc;

use crate::engine::kept::Kept;
use crate::engine::vulkan::gpu::commands::Commands;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pipeline::Pipelines;
use crate::engine::vulkan::kernels::layout::MatrixLayout;
use crate::engine::vulkan::settings::Settings;

/// The slabs of a whole matrix that stay for the next run.
pub(crate) type KeptSlabs = Kept<MatrixLayout, Vec<Buffer>>;

/// The opened device and what belongs to it.
pub(crate) struct Tools<'a> {
    pub(crate) device: &'a Arc<Device>,
    pub(crate) commands: &'a mut Commands,
    pub(crate) pipelines: &'a mut Pipelines,
    pub(crate) settings: &'a Settings,
    /// The matrix of the last run over a corpus, where one is to be kept.
    pub(crate) kept: &'a mut KeptSlabs,
}
