//! Vulkan itself: everything that is unsafe about it, behind safe types.
//!
//! `calls` knows what each call can fail with. `instance` opens the loader, `validation` listens to
//! the validation layer, `physical` chooses a device and reads its limits, `device` opens it.
//! `memory` owns buffers, `cache` keeps compiled pipelines on the disk (in `private` files),
//! `pipeline` builds and binds them, `commands` records and submits, `transfer` writes and reads
//! buffers, `pacing` sizes the submissions.

pub(crate) mod cache;
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
mod transfer;
mod usage;
mod validation;
