//! Pipelines: a kernel variant with its specialisation constants, built once and kept.
//!
//! All kernels have one descriptor set of buffers (storage or texel) and one block of push
//! constants, so layouts follow from the recipe. `Bound` is a pipeline with its buffers, ready to
//! dispatch.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::Arc;

use ash::vk;

use super::cache::Cache;
use super::calls;
use super::device::Device;
use super::memory::Buffer;
use crate::error::Result;

const ENTRY: &CStr = c"main";

/// A kernel variant: its SPIR-V, how many buffers it binds, and which of them (by bit) as texels to
/// read, or as texels to read and write.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) spirv: &'static [u8],
    pub(crate) bindings: u32,
    pub(crate) texels: u32,
    pub(crate) storage_texels: u32,
}

/// A specialisation constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Constant {
    pub(crate) id: u32,
    pub(crate) value: u32,
}

/// Push constants and workgroups of one dispatch.
pub(crate) struct Dispatch {
    pub(crate) push: Vec<u32>,
    pub(crate) groups: Workgroups,
}

/// Workgroups along x and y.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workgroups {
    pub(crate) x: u32,
    pub(crate) y: u32,
}

impl Workgroups {
    pub(crate) fn row(x: u32) -> Workgroups {
        Workgroups { x, y: 1 }
    }
}

/// What a pipeline is made of.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Recipe {
    pub(crate) kernel: Kernel,
    pub(crate) constants: Vec<Constant>,
    /// Words of push constants.
    pub(crate) push_words: u32,
    /// Ask for subgroups of this many lanes.
    pub(crate) subgroup_size: Option<u32>,
    /// And for full ones.
    pub(crate) full_subgroups: bool,
}

impl Recipe {
    /// With subgroups as the driver makes them.
    pub(crate) fn plain(kernel: Kernel, constants: Vec<Constant>, push_words: u32) -> Recipe {
        Recipe { kernel, constants, push_words, subgroup_size: None, full_subgroups: false }
    }
}

/// The pipelines of a device.
pub(crate) struct Pipelines {
    device: Arc<Device>,
    cache: Cache,
    built: HashMap<Recipe, Arc<Pipeline>>,
}

/// One pipeline and its layouts.
pub(crate) struct Pipeline {
    device: Arc<Device>,
    kernel: Kernel,
    set_layout: vk::DescriptorSetLayout,
    layout: vk::PipelineLayout,
    raw: vk::Pipeline,
}

impl Pipelines {
    pub(crate) fn new(device: &Arc<Device>, cache: Cache) -> Pipelines {
        Pipelines { device: Arc::clone(device), cache, built: HashMap::new() }
    }

    /// Keeps what was built for the next start.
    pub(crate) fn save(&self) {
        self.cache.save();
    }

    /// The pipeline of `recipe`, built now if it is new.
    pub(crate) fn get(&mut self, recipe: &Recipe) -> Result<Arc<Pipeline>> {
        if let Some(pipeline) = self.built.get(recipe) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(Pipeline::new(&self.device, recipe, self.cache.raw())?);
        self.cache.mark();
        self.built.insert(recipe.clone(), Arc::clone(&pipeline));
        Ok(pipeline)
    }
}

impl Pipeline {
    fn new(device: &Arc<Device>, recipe: &Recipe, cache: vk::PipelineCache) -> Result<Pipeline> {
        let mut pipeline = Pipeline {
            device: Arc::clone(device),
            kernel: recipe.kernel,
            set_layout: vk::DescriptorSetLayout::null(),
            layout: vk::PipelineLayout::null(),
            raw: vk::Pipeline::null(),
        };
        // `Drop` cleans up whatever an early return leaves.
        pipeline.set_layout = set_layout(device, &recipe.kernel)?;
        pipeline.layout = layout(device, pipeline.set_layout, recipe.push_words)?;
        pipeline.raw = build(device, pipeline.layout, recipe, cache)?;
        Ok(pipeline)
    }

    #[cfg(feature = "internals")]
    pub(super) fn raw(&self) -> vk::Pipeline {
        self.raw
    }

    #[cfg(feature = "internals")]
    pub(crate) fn uncached(device: &Arc<Device>, recipe: &Recipe) -> Result<Pipeline> {
        Pipeline::new(device, recipe, vk::PipelineCache::null())
    }

    /// The pipeline with `buffers` at its bindings 0, 1, ...; the last one fills the bindings that
    /// are left over, which the kernel never reads.
    pub(crate) fn bind(self: &Arc<Self>, buffers: &[&Buffer]) -> Result<Bound> {
        let raw = self.device.raw();
        let kinds = [
            vk::DescriptorType::STORAGE_BUFFER,
            vk::DescriptorType::UNIFORM_TEXEL_BUFFER,
            vk::DescriptorType::STORAGE_TEXEL_BUFFER,
        ];
        let count = |ty| {
            let same = |binding: &u32| descriptor_type(&self.kernel, *binding) == ty;
            let descriptor_count = (0..self.kernel.bindings).filter(same).count() as u32;
            vk::DescriptorPoolSize { ty, descriptor_count }
        };
        let mut sizes: Vec<_> = kinds.into_iter().map(count).collect();
        sizes.retain(|size| size.descriptor_count > 0);
        let info = vk::DescriptorPoolCreateInfo::default().max_sets(1).pool_sizes(&sizes);
        // SAFETY: the device is live.
        let create = || unsafe { raw.create_descriptor_pool(&info, None) };
        let pool = self.device.call(&calls::CREATE_DESCRIPTOR_POOL, create)?;
        let set = vk::DescriptorSet::null();
        let mut bound = Bound { pipeline: Arc::clone(self), pool, set, views: Vec::new() };
        let layouts = [self.set_layout];
        let info =
            vk::DescriptorSetAllocateInfo::default().descriptor_pool(pool).set_layouts(&layouts);
        // SAFETY: the pool was just made for one such set.
        let allocate = || unsafe { raw.allocate_descriptor_sets(&info) };
        bound.set = self.device.call(&calls::ALLOCATE_SETS, allocate)?[0];
        for binding in 0..self.kernel.bindings {
            bound.write(binding, buffers[(binding as usize).min(buffers.len() - 1)])?;
        }
        Ok(bound)
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        let raw = self.device.raw();
        // SAFETY: no pending work uses them; null handles are allowed.
        unsafe {
            raw.destroy_pipeline(self.raw, None);
            raw.destroy_pipeline_layout(self.layout, None);
            raw.destroy_descriptor_set_layout(self.set_layout, None);
        }
    }
}

/// A pipeline with its buffers.
pub(crate) struct Bound {
    pipeline: Arc<Pipeline>,
    pool: vk::DescriptorPool,
    set: vk::DescriptorSet,
    views: Vec<vk::BufferView>,
}

impl Bound {
    fn write(&mut self, binding: u32, buffer: &Buffer) -> Result<()> {
        let kind = descriptor_type(&self.pipeline.kernel, binding);
        let infos = [buffer.whole()];
        let write = vk::WriteDescriptorSet::default()
            .dst_set(self.set)
            .dst_binding(binding)
            .descriptor_type(kind);
        let format = match kind {
            vk::DescriptorType::UNIFORM_TEXEL_BUFFER => Some(vk::Format::R32G32B32A32_UINT),
            vk::DescriptorType::STORAGE_TEXEL_BUFFER => Some(vk::Format::R32G32B32A32_SINT),
            _ => None,
        };
        let views;
        let write = match format {
            Some(format) => {
                views = [buffer.texels(format)?];
                self.views.push(views[0]);
                write.texel_buffer_view(&views)
            }
            None => write.buffer_info(&infos),
        };
        // SAFETY: set, buffer and view are live, and no pending work uses the set.
        unsafe { self.pipeline.device.raw().update_descriptor_sets(&[write], &[]) };
        Ok(())
    }

    /// Records a dispatch.
    pub(super) fn record(
        &self,
        device: &ash::Device,
        commands: vk::CommandBuffer,
        dispatch: &Dispatch,
    ) {
        let Pipeline { raw, layout, .. } = *self.pipeline;
        let Workgroups { x, y } = dispatch.groups;
        let (point, stage) = (vk::PipelineBindPoint::COMPUTE, vk::ShaderStageFlags::COMPUTE);
        let push = bytemuck::cast_slice(&dispatch.push);
        // SAFETY: pipeline, layout and set belong together and outlive the awaited submission; the
        // push constants are as long as the layout says.
        unsafe {
            device.cmd_bind_pipeline(commands, point, raw);
            device.cmd_bind_descriptor_sets(commands, point, layout, 0, &[self.set], &[]);
            device.cmd_push_constants(commands, layout, stage, 0, push);
            device.cmd_dispatch(commands, x, y, 1);
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let raw = self.pipeline.device.raw();
        // SAFETY: every submission that uses the set and its views has been awaited.
        unsafe {
            raw.destroy_descriptor_pool(self.pool, None);
            self.views.iter().for_each(|view| raw.destroy_buffer_view(*view, None));
        }
    }
}

fn descriptor_type(kernel: &Kernel, binding: u32) -> vk::DescriptorType {
    let has = |bits: u32| bits >> binding & 1 == 1;
    match (has(kernel.texels), has(kernel.storage_texels)) {
        (true, _) => vk::DescriptorType::UNIFORM_TEXEL_BUFFER,
        (_, true) => vk::DescriptorType::STORAGE_TEXEL_BUFFER,
        _ => vk::DescriptorType::STORAGE_BUFFER,
    }
}

fn set_layout(device: &Device, kernel: &Kernel) -> Result<vk::DescriptorSetLayout> {
    let one = |binding| {
        vk::DescriptorSetLayoutBinding::default()
            .binding(binding)
            .descriptor_type(descriptor_type(kernel, binding))
            .descriptor_count(1)
            .stage_flags(vk::ShaderStageFlags::COMPUTE)
    };
    let bindings: Vec<_> = (0..kernel.bindings).map(one).collect();
    let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
    // SAFETY: the device is live.
    let create = || unsafe { device.raw().create_descriptor_set_layout(&info, None) };
    device.call(&calls::CREATE_SET_LAYOUT, create)
}

fn layout(
    device: &Device,
    set: vk::DescriptorSetLayout,
    push_words: u32,
) -> Result<vk::PipelineLayout> {
    let sets = [set];
    let push = [vk::PushConstantRange {
        stage_flags: vk::ShaderStageFlags::COMPUTE,
        offset: 0,
        size: push_words * 4,
    }];
    let info =
        vk::PipelineLayoutCreateInfo::default().set_layouts(&sets).push_constant_ranges(&push);
    // SAFETY: the set layout is live.
    let create = || unsafe { device.raw().create_pipeline_layout(&info, None) };
    device.call(&calls::CREATE_PIPELINE_LAYOUT, create)
}

fn build(
    device: &Device,
    layout: vk::PipelineLayout,
    recipe: &Recipe,
    cache: vk::PipelineCache,
) -> Result<vk::Pipeline> {
    let raw = device.raw();
    let words: Vec<u32> = recipe
        .kernel
        .spirv
        .chunks_exact(4)
        .map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    let info = vk::ShaderModuleCreateInfo::default().code(&words);
    // SAFETY: the code is valid SPIR-V (checked by the tests with spirv-val).
    let create = || unsafe { raw.create_shader_module(&info, None) };
    let module = device.call(&calls::CREATE_SHADER, create)?;

    let constant = |(index, constant): (usize, &Constant)| vk::SpecializationMapEntry {
        constant_id: constant.id,
        offset: index as u32 * 4,
        size: 4,
    };
    let entries: Vec<_> = recipe.constants.iter().enumerate().map(constant).collect();
    let data: Vec<u8> = recipe.constants.iter().flat_map(|one| one.value.to_ne_bytes()).collect();
    let specialization = vk::SpecializationInfo::default().map_entries(&entries).data(&data);
    let mut required = vk::PipelineShaderStageRequiredSubgroupSizeCreateInfo::default();
    let mut stage = vk::PipelineShaderStageCreateInfo::default()
        .stage(vk::ShaderStageFlags::COMPUTE)
        .module(module)
        .name(ENTRY)
        .specialization_info(&specialization);
    if let Some(size) = recipe.subgroup_size {
        required.required_subgroup_size = size;
        stage = stage.push_next(&mut required);
        if recipe.full_subgroups {
            stage = stage.flags(vk::PipelineShaderStageCreateFlags::REQUIRE_FULL_SUBGROUPS);
        }
    }
    let mut info = vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout);
    if device.captures() {
        info = info.flags(
            vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR,
        );
    }
    let infos = [info];
    // SAFETY: module and layout are live and fit each other.
    let create = || unsafe { raw.create_compute_pipelines(cache, &infos, None) };
    let pipelines = device
        .call(&calls::CREATE_PIPELINES, || create().map(|all| all[0]).map_err(|(_, code)| code));
    // SAFETY: a pipeline keeps what it needs of its module.
    unsafe { raw.destroy_shader_module(module, None) };
    pipelines
}
