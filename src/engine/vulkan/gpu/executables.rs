//! What a driver's compiler says of a pipeline, by VK_KHR_pipeline_executable_properties.

use std::ffi::CStr;

use ash::vk;

use super::calls;
use super::device::Device;
use super::pipeline::Pipeline;
use crate::error::Result;

/// What the driver says.
pub(crate) struct Look {
    /// What it counts, by its own names.
    pub(crate) statistics: Vec<(String, f64)>,
    /// The machine code as text, where it gives that.
    pub(crate) assembly: String,
}

/// Asks the driver about a pipeline of a device that captures.
pub(crate) fn look(device: &Device, pipeline: &Pipeline) -> Result<Look> {
    let extension =
        ash::khr::pipeline_executable_properties::Device::new(device.instance(), device.raw());
    let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline.raw());
    // SAFETY: the device was opened with the extension and its feature, and the pipeline made with
    // both captures.
    let statistics = device.call(&calls::GET_STATISTICS, || unsafe {
        extension.get_pipeline_executable_statistics(&info)
    })?;
    let statistics = statistics.iter().map(|one| (text(&one.name), value(one))).collect();
    Ok(Look { statistics, assembly: assembly(device, &extension, &info)? })
}

fn value(statistic: &vk::PipelineExecutableStatisticKHR) -> f64 {
    // SAFETY: the format says which member of the union is set.
    unsafe {
        match statistic.format {
            vk::PipelineExecutableStatisticFormatKHR::BOOL32 => f64::from(statistic.value.b32),
            vk::PipelineExecutableStatisticFormatKHR::INT64 => statistic.value.i64 as f64,
            vk::PipelineExecutableStatisticFormatKHR::UINT64 => statistic.value.u64 as f64,
            _ => statistic.value.f64,
        }
    }
}

/// The representation whose name says that it is machine code.
fn assembly(
    device: &Device,
    extension: &ash::khr::pipeline_executable_properties::Device,
    info: &vk::PipelineExecutableInfoKHR,
) -> Result<String> {
    // The first call tells the sizes, the second fills the texts.
    // SAFETY: as above.
    let mut all = device.call(&calls::GET_REPRESENTATIONS, || unsafe {
        extension.get_pipeline_executable_internal_representations(info)
    })?;
    let mut texts: Vec<Vec<u8>> = all.iter().map(|one| vec![0; one.data_size]).collect();
    for (one, text) in all.iter_mut().zip(&mut texts) {
        one.p_data = text.as_mut_ptr().cast();
    }
    let mut count = all.len() as u32;
    // SAFETY: as above; every structure points to as many bytes as it says.
    let fill = || unsafe {
        let fill = extension.fp().get_pipeline_executable_internal_representations_khr;
        fill(device.raw().handle(), info, &mut count, all.as_mut_ptr()).result()
    };
    device.call(&calls::GET_REPRESENTATIONS, fill)?;
    let found = all.iter().zip(&texts).find(|(one, _)| text(&one.name) == "Assembly");
    Ok(found.map(|(_, text)| String::from_utf8_lossy(text).into_owned()).unwrap_or_default())
}

/// A fixed array of characters as text.
fn text(characters: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = characters.iter().map(|&byte| byte as u8).collect();
    CStr::from_bytes_until_nul(&bytes)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}
