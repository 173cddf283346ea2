//! What a driver's compiler made of the kernels: registers, spills, occupancy, instructions.
//!
//! VK_KHR_pipeline_executable_properties tells it without running anything, so it also works on a driver that compiles for a
//! GPU that is not there. For tests and for whoever changes a kernel; runs do not use it.

use std::collections::HashSet;
use std::ffi::CStr;

use ash::vk;

use crate::engine::vulkan::engine::{SequenceKernel, Settings};
use crate::engine::vulkan::gpu::cache::Cache;
use crate::engine::vulkan::gpu::cache::PipelineCache;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::pipeline::{Pipeline, Pipelines, Recipe};
use crate::engine::vulkan::kernels::layout::Layout;
use crate::engine::vulkan::kernels::multiply::Multiply;
use crate::engine::vulkan::runs::{matrix, row_cache, search, sequences};
use crate::error::{Error, Result};

/// A kernel as compiled for a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// Kernel, variant and specialisation constants.
    pub name: String,
    /// What the driver counts, by the driver's names.
    pub statistics: Vec<(String, f64)>,
    /// The machine code as text, where the driver gives it.
    pub assembly: String,
}

/// The driver of a device, and all kernels that the engine may choose on it, compiled.
pub fn compiled(wanted: &str) -> Result<(String, Vec<Compiled>)> {
    let device = std::sync::Arc::new(Device::open_to_look(wanted)?);
    let mut all = Vec::new();
    for recipe in recipes(&device)? {
        let pipeline = Pipeline::new(&device, &recipe, vk::PipelineCache::null())?;
        all.push(look(&device, &pipeline, name(&recipe))?);
    }
    let info = device.info();
    Ok((format!("{}, {}", info.name, info.driver), all))
}

/// Builds all these kernels on an opened device, as runs would, with the cache that `place` names; returns
/// how many there are. For the benchmark of starts.
pub fn build_all(wanted: &str, place: &PipelineCache) -> Result<usize> {
    let device = std::sync::Arc::new(Device::open(wanted, &Settings::default())?);
    let mut pipelines = Pipelines::new(&device, Cache::new(&device, place));
    let recipes = recipes(&device)?;
    for recipe in &recipes {
        pipelines.get(recipe)?;
    }
    pipelines.save();
    Ok(recipes.len())
}

/// Every recipe that corpora of 1 to 70,000 items lead to, by default and with the kernel that callers can ask for.
fn recipes(device: &Device) -> Result<Vec<Recipe>> {
    let settings = Settings::default();
    let asked_for = Settings { kernel: Some(SequenceKernel::Buffer), ..Settings::default() };
    let (multiply, texels) = (Multiply::choose(device, &settings), device.limits().software);
    let mut all = vec![
        matrix::recipe(device, multiply, texels),
        row_cache::recipe(device, multiply, texels),
        search::dots_recipe(device, multiply, texels),
        search::nearest_recipe(device, 10_000)?,
    ];
    let mut seen: HashSet<Recipe> = HashSet::new();
    for num_items in (8..=70_000).step_by(8) {
        // A dimension more or less does not change these kernels.
        let layout = match Layout::of_any_size(num_items, 8, device, &settings) {
            Err(Error::TooLarge { .. }) => break,
            layout => layout?,
        };
        for settings in [&settings, &asked_for] {
            let recipe = sequences::usual_recipe(device, settings, &layout)?;
            if seen.insert(recipe.clone()) {
                all.push(recipe);
            }
        }
    }
    Ok(all)
}

/// Such as `sequences_registers.subgroup_1 0=256 2=0 1=0 3=4`.
fn name(recipe: &Recipe) -> String {
    let constant = |(number, value): &(u32, u32)| format!(" {number}={value}");
    let constants: String = recipe.constants.iter().map(constant).collect();
    format!("{}{constants}", recipe.kernel.name)
}

fn look(device: &Device, pipeline: &Pipeline, name: String) -> Result<Compiled> {
    let extension =
        ash::khr::pipeline_executable_properties::Device::new(device.instance(), device.raw());
    let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline.raw());
    // SAFETY: the device was opened with the extension and its feature, and the pipeline made with both captures.
    let statistics = device.call("vkGetPipelineExecutableStatisticsKHR", || unsafe {
        extension.get_pipeline_executable_statistics(&info)
    })?;
    let statistics = statistics.iter().map(|one| (text(&one.name), value(one))).collect();
    Ok(Compiled { name, statistics, assembly: assembly(device, &extension, &info)? })
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
    let mut all = device.call("vkGetPipelineExecutableInternalRepresentationsKHR", || unsafe {
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
    device.call("vkGetPipelineExecutableInternalRepresentationsKHR", fill)?;
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
