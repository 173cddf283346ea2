//! What may be asked of the Vulkan engine; by default the device decides.

use std::path::PathBuf;
#[cfg(feature = "internals")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "internals")]
use super::faults::Faults;
use crate::engine::RowSource;

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

/// How products of 16-bit values are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Multiply {
    /// Each in a 32-bit multiplication.
    Wide,
    /// The same with factors below 2^16, which compilers for AMD GPUs put into 24-bit
    /// multiply-adds: these take a quarter of the time.
    Biased,
    /// Two at once, by VK_KHR_shader_integer_dot_product. Devices without it: `Biased`.
    Dot16,
    /// Four 8-bit ones at once, each 16-bit value in two halves. Devices without it: `Biased`.
    Dot8,
}

/// Where compiled kernels are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PipelineCache {
    /// In the folder that `VKD_PIPELINE_CACHE` names ("off": nowhere), else in `vkd` in the user's
    /// folder for caches.
    #[default]
    Usual,
    /// Nowhere.
    Off,
    /// In this folder.
    At(PathBuf),
}

/// Settings of the Vulkan engine; the default lets the device decide. All settings give the same
/// bits, but for `loop_budget`.
#[derive(Debug, Clone, Default)]
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
    /// Read the matrix as texel buffers; by default on software devices only.
    pub texels: Option<bool>,
    /// How products are made; a way that the device does not have becomes `Biased`.
    pub multiply: Option<Multiply>,
    /// Lanes of a subgroup; by default what the driver likes. One that the device cannot be told is
    /// refused.
    pub subgroup_size: Option<u32>,
    /// The most sequences computed side by side.
    pub max_wave: Option<u32>,
    /// How the rows come that picks add; by default what costs least. `Matrix` is as `Cache` where
    /// it does not fit; `Direct` keeps a row for each sequence side by side; `Lazy` is as `Cache`.
    pub rows: Option<RowSource>,
    /// Where compiled kernels are kept from one start to the next.
    pub pipeline_cache: PipelineCache,
    /// Replaces the device's loop budget. More than the device has gives wrong results.
    #[cfg(feature = "internals")]
    pub loop_budget: Option<u32>,
    /// Keep taken scores pinned whatever the number of items, as for more than 32,768.
    #[cfg(feature = "internals")]
    pub force_pin: bool,
    /// Pipelines keep what the driver's compiler says of them.
    #[cfg(feature = "internals")]
    pub capture: bool,
    /// Makes Vulkan calls fail.
    #[cfg(feature = "internals")]
    pub faults: Option<Arc<Faults>>,
}

#[cfg(feature = "internals")]
impl Settings {
    pub(crate) fn loop_budget(&self) -> Option<u32> {
        self.loop_budget
    }

    pub(crate) fn force_pin(&self) -> bool {
        self.force_pin
    }

    pub(crate) fn captures(&self) -> bool {
        self.capture
    }
}

#[cfg(not(feature = "internals"))]
impl Settings {
    pub(crate) fn loop_budget(&self) -> Option<u32> {
        None
    }

    pub(crate) fn force_pin(&self) -> bool {
        false
    }

    pub(crate) fn captures(&self) -> bool {
        false
    }
}
