//! The table of kernel variants, generated with their SPIR-V by build/shaders.rs.

use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::pipeline::Kernel;
use crate::engine::vulkan::settings::Settings;
use crate::error::{Error, Result};

/// A sequence kernel for a matrix of up to so many slabs.
#[derive(Clone, Copy)]
pub(crate) struct SlabVariant {
    pub(crate) slabs: u32,
    pub(crate) kernel: Kernel,
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// The most slabs of a matrix that a variant takes, and that `bindings` bindings allow. 0: not even
/// one.
pub(crate) fn max_slabs(bindings: u32) -> u32 {
    let fits = |variant: &&SlabVariant| variant.kernel.bindings <= bindings;
    SEQUENCES_BUFFER_SHARED.iter().rev().find(fits).map_or(0, |variant| variant.slabs)
}

/// Opens the device that `wanted` describes, if it can bind what every kernel binds.
pub(crate) fn open_device(wanted: &str, settings: &Settings) -> Result<Device> {
    // The matrix's kernel has the most bindings beside the slabs.
    let least = MATRIX_WIDE.bindings;
    let device = Device::open(wanted, settings)?;
    let bindable = device.limits().max_bindings;
    if bindable < least {
        let missing = format!("its kernels bind {bindable} buffers at most, not {least}");
        return Err(Error::Unsupported { device: device.info().name.clone(), missing });
    }
    Ok(device)
}
