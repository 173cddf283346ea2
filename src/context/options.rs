//! How a context is made.

use crate::engine::{cpu, vulkan};

/// How a context is made. The default is right for nearly everyone.
#[derive(Debug, Clone, Default)]
pub struct ContextOptions {
    /// `None` or empty: what `VKD_DEVICE` says, else the best device. "cpu": the built-in CPU
    /// engine. "reference": the contract in plain loops. "vulkan": the best Vulkan device. A
    /// number: the index in [`super::devices`], if there is one. A UUID in hex (dashes allowed), or
    /// any part of a Vulkan device's name, "vulkan:" before it allowed. Several of these with +
    /// between them ("cpu + vulkan:0"): the starts of a run are split over them by the speed of
    /// each. "all": every GPU and the CPU engine.
    pub device: Option<String>,
    /// The most bytes of memory that one run may take: of the device's, for a Vulkan device, else
    /// of the host's. `None`: what `VKD_MEMORY_LIMIT` says, else what is free. With several
    /// devices: of each Vulkan device's, and of the host's.
    pub memory_limit: Option<u64>,
    /// Settings of the CPU engine.
    pub cpu: cpu::Settings,
    /// Settings of the Vulkan engine.
    pub vulkan: vulkan::Settings,
}
