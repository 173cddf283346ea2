//! The Vulkan engine: GLSL kernels on any Vulkan 1.1 device.
//!
//! It is built on floors, each of which knows only itself and those before it: `settings` (and
//! `faults`, which makes calls fail in tests), `gpu` (Vulkan itself), `kernels` (the SPIR-V and the
//! data that it reads), `runs` (what the kernels are run for), `planner` (what a run takes) and
//! `engine`. `internals` is for tests and benchmarks and only there with the feature of that name.
//!
//! A run prepares the device's copy of the corpus, computes the contribution matrix once (or its
//! rows when they are needed, where it does not fit), then works through the starts in waves of
//! sequences. Every dispatch stays below the device's loop budget and near a target time. Objects
//! free themselves in `Drop`, each holding the device alive. A device that is lost is opened anew
//! once in a run, and a driver that refuses memory is asked for less; either way the run goes on
//! behind the sequences that were finished.

mod engine;
#[cfg(feature = "internals")]
mod faults;
mod gpu;
#[cfg(feature = "internals")]
mod internals;
mod kernels;
mod planner;
mod runs;
mod settings;

pub use engine::VulkanEngine;
#[cfg(feature = "internals")]
pub use faults::Faults;
pub use gpu::cache_state::KernelCache;
pub use gpu::physical::devices;
pub use gpu::report::{loader, reports, DeviceDetails, DeviceReport};
#[cfg(feature = "internals")]
pub use internals::{
    compiled::{build_all, compiled, Compiled},
    direct_method::direct_method,
    planted_error::planted_error,
};
pub use runs::reads::Reads;
pub use settings::{Multiply, PipelineCache, Reduction, SequenceKernel, Settings};
