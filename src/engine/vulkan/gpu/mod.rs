//! What stands between Vulkan and the engine.

pub(crate) mod cache;
pub(crate) mod commands;
pub(crate) mod device;
pub(crate) mod instance;
pub(crate) mod memory;
pub(crate) mod pacing;
pub(crate) mod physical;
pub(crate) mod pipeline;
pub(crate) mod validation;
