//! The Vulkan engine: GLSL kernels on any Vulkan 1.1 device.

mod engine;
mod faults;
mod gpu;
mod internals;
mod kernels;
mod runs;

pub use engine::{devices, Reduction, SequenceKernel, Settings, VulkanEngine};
pub use faults::Faults;
pub use gpu::cache::PipelineCache;
pub use gpu::validation::planted_error;
pub use internals::compiled::{build_all, compiled, Compiled};
pub use internals::direct_method::direct_method;
pub use kernels::multiply::Multiply;
