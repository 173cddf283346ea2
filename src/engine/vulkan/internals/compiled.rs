//! What a driver's compiler makes of the kernels: registers, spills, occupancy, instructions.
//!
//! Nothing is run, so it also works on a driver that compiles for a GPU that is not there. For
//! tests and for whoever changes a kernel.

use std::collections::HashSet;
use std::sync::Arc;

use crate::corpus::Shape;
use crate::engine::vulkan::gpu::cache::Cache;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::executables::look;
use crate::engine::vulkan::gpu::pipeline::{Constant, Pipeline, Pipelines, Recipe};
use crate::engine::vulkan::kernels::layout::MatrixLayout;
use crate::engine::vulkan::kernels::table::open_device;
use crate::engine::vulkan::runs::{matrix, row_cache, search, sequences};
use crate::engine::vulkan::settings::{Multiply, PipelineCache, SequenceKernel, Settings};
use crate::error::{Error, Result};
use crate::rule::{Lambda, Rule, Weighing};

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
    let settings = Settings { capture: true, ..Settings::default() };
    let device = Arc::new(open_device(wanted, &settings)?);
    let mut all = Vec::new();
    for recipe in recipes(&device, &rules())? {
        let look = look(&device, &Pipeline::uncached(&device, &recipe)?)?;
        let (statistics, assembly) = (look.statistics, look.assembly);
        all.push(Compiled { name: name(&recipe), statistics, assembly });
    }
    let info = device.info();
    Ok((format!("{}, {}", info.name, info.driver), all))
}

/// Builds all these kernels that the default rule needs on an opened device, as runs would, with the
/// cache that `place` names; returns how many there are. For the benchmark of starts.
pub fn build_all(wanted: &str, place: &PipelineCache) -> Result<usize> {
    let device = Arc::new(open_device(wanted, &Settings::default())?);
    let mut pipelines = Pipelines::new(&device, Cache::new(&device, place));
    let recipes = recipes(&device, &[Rule::default()])?;
    for recipe in &recipes {
        pipelines.get(recipe)?;
    }
    pipelines.save();
    Ok(recipes.len())
}

/// The four rules; another lambda does not change a kernel.
fn rules() -> [Rule; 4] {
    [Rule::Centroid, Rule::Farthest, Rule::Mmr(Lambda::default()), Rule::Chain]
}

/// Every recipe that corpora of 1 to 70,000 items lead to, by default and with the kernel that
/// callers can ask for.
fn recipes(device: &Device, rules: &[Rule]) -> Result<Vec<Recipe>> {
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
        let shape = Shape::new(num_items, 8);
        let layout = MatrixLayout::of_any_memory(shape, Weighing::Weighted, device, &settings);
        let layout = match layout {
            Err(Error::TooLarge { .. }) => break,
            layout => layout?,
        };
        for &rule in rules {
            for settings in [&settings, &asked_for] {
                let recipe = sequences::usual_recipe(device, settings, &layout, rule)?;
                if seen.insert(recipe.clone()) {
                    all.push(recipe);
                }
            }
        }
    }
    Ok(all)
}

/// Such as `sequences_registers.subgroup_1 0=256 2=0 4=0 1=0 3=4`.
fn name(recipe: &Recipe) -> String {
    let constant = |Constant { id, value }: &Constant| format!(" {id}={value}");
    let constants: String = recipe.constants.iter().map(constant).collect();
    format!("{}{constants}", recipe.kernel.name)
}
