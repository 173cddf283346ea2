//! The proof that the validation layer is listening.

use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::settings::Settings;
use crate::error::Result;

/// Makes a wrong Vulkan call on purpose and returns what the validation layer made of it.
/// `VKD_VALIDATION` must be set.
pub fn planted_error() -> Result<()> {
    let device = Device::open("", &Settings::default())?;
    device.make_empty_buffer();
    device.check_validation()
}
