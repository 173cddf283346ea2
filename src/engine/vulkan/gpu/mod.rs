//! Vulkan itself: everything that is unsafe about it, behind safe types.
//!
//! `calls` knows what each call can fail with. `instance` opens the loader, `validation` listens to
//! the validation layer, `physical` chooses a device and reads its limits, `device` opens it,
//! `budget` asks what is free of its memory.
//! `memory` owns buffers, `cache` keeps compiled pipelines on the disk (in `private` files),
//! `pipeline` builds and binds them, `commands` records and submits, `transfer` writes and reads
//! buffers, `pacing` sizes the submissions. `report` tells users of devices and the loader,
//! `cache_state` of the folder of the cache.

mod budget;
pub(crate) mod cache;
pub(crate) mod cache_state;
pub(crate) mod calls;
pub(crate) mod commands;
pub(crate) mod device;
#[cfg(feature = "internals")]
pub(crate) mod executables;
mod instance;
pub(crate) mod memory;
pub(crate) mod pacing;
pub(crate) mod physical;
pub(crate) mod pipeline;
mod private;
pub(crate) mod report;
mod transfer;
mod usage;
mod validation;
