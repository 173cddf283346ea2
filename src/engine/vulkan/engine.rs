//! The Vulkan engine: GLSL kernels on any Vulkan 1.1 device.
//!
//! `instance` opens the loader, `validation` listens to the validation layer, `physical` chooses a device and
//! reads its limits, `device` opens it, `memory` owns buffers, `kernels` embeds the SPIR-V, `pipeline` builds
//! pipelines and `cache` keeps them on the disk, `commands` records and submits, `pacing` sizes the
//! submissions. `prepared` has the rows that are multiplied and `multiply` the ways to do it; `layout` says
//! where the matrix lies. On top of them one file for each kernel family: `matrix`, `row_cache` (with `lru`),
//! `sequences` and `search`; and `baseline`, the direct method, for the benchmark.
//!
//! A run prepares the device's copy of the corpus, computes the contribution matrix once (or its rows when
//! they are needed, where it does not fit), then works through the starts in waves of sequences. Every
//! dispatch stays below the device's loop budget and near a target time. Objects free themselves in `Drop`,
//! each holding the device alive. A device that is lost is opened anew once in a run, and a driver that refuses
//! memory is asked for less; either way the run goes on behind the sequences that were finished. `faults` makes
//! calls fail, for tests; `compiled` tells what a driver makes of the kernels.

use std::sync::Arc;
use std::time::Duration;

use super::faults::Faults;
use super::gpu::cache::{Cache, PipelineCache};
use super::gpu::commands::Commands;
use super::gpu::device::Device;
use super::gpu::pipeline::Pipelines;
use super::gpu::{memory, physical};
use super::kernels::multiply::Multiply;
use super::runs::matrix::{self, Matrix};
use super::runs::row_cache::RowCache;
use super::runs::{search, sequences};
use crate::corpus::{Corpus, Shape};
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::rows::Offset;
use crate::engine::{DeviceInfo, DotRows, Engine, Needs, NeighborRows, Pairs, Rows};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::progress::{Phase, Progress};

/// How often a run may be refused memory: from all of it down to a hundredth, by quarters.
const MOST_REFUSALS: u32 = 16;

/// The two shapes of the sequence kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceKernel {
    /// Scores in a storage buffer: any number of items.
    Buffer,
    /// Scores in registers; too many items for that fall back to `Buffer`.
    Registers,
}

/// How a workgroup finds its lowest score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The workgroup is one full subgroup. Where the driver cannot guarantee it: as `Subgroups`.
    OneSubgroup,
    /// Several subgroups of any size.
    Subgroups,
    /// Shared memory only, for devices without subgroup arithmetic.
    Shared,
}

/// Settings of the Vulkan engine; the default lets the device decide. All settings give the same
/// bits, but for `loop_budget`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The sequence kernel.
    pub kernel: Option<SequenceKernel>,
    /// The reduction of the sequence kernel.
    pub reduction: Option<Reduction>,
    /// Invocations of a sequence workgroup, a power of two.
    pub lanes: Option<u32>,
    /// The most device memory in bytes that one run may use.
    pub memory_limit: Option<u64>,
    /// The most bytes one binding may span, if less than the device's limit.
    pub max_binding_bytes: Option<u64>,
    /// How long one submission should take.
    pub submit_target: Option<Duration>,
    /// Go through staging buffers even where memory can be mapped.
    pub force_staging: bool,
    /// Replaces the device's loop budget. More than the device has gives wrong results.
    pub loop_budget: Option<u32>,
    /// Keep taken scores pinned whatever the number of items, as for more than 32,768.
    pub force_pin: bool,
    /// Read the matrix as texel buffers; by default on software devices only.
    pub texels: Option<bool>,
    /// How products are made; a way that the device does not have becomes `Biased`.
    pub multiply: Option<Multiply>,
    /// Lanes of a subgroup; by default what the driver likes. One that the device cannot be told is refused.
    pub subgroup_size: Option<u32>,
    /// The most sequences computed side by side.
    pub max_wave: Option<u32>,
    /// Where compiled kernels are kept from one start to the next.
    pub pipeline_cache: PipelineCache,
    /// Makes Vulkan calls fail, for tests.
    pub faults: Option<Arc<Faults>>,
}

/// All Vulkan devices that can compute, best first.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    physical::list()
}

/// One Vulkan device.
pub struct VulkanEngine {
    /// None while a lost device cannot be opened again.
    open: Option<Open>,
    wanted: String,
    info: DeviceInfo,
    pub(crate) settings: Settings,
    /// What lost the device for good.
    lost: Option<Error>,
}

/// All that goes when a device is lost.
pub(crate) struct Open {
    // Fields drop in order: what uses the device before the device.
    pipelines: Pipelines,
    commands: Commands,
    device: Arc<Device>,
}

impl Open {
    fn new(wanted: &str, settings: &Settings) -> Result<Open> {
        let device = Arc::new(Device::open(wanted, settings)?);
        let commands = Commands::new(&device)?;
        let cache = Cache::new(&device, &settings.pipeline_cache);
        let pipelines = Pipelines::new(&device, cache);
        Ok(Open { pipelines, commands, device })
    }

    pub(crate) fn tools<'a>(&'a mut self, settings: &'a Settings) -> Tools<'a> {
        let Open { pipelines, commands, device } = self;
        Tools { device, commands, pipelines, settings }
    }
}

/// Puts the sequences of `plan` into `rows`; `done` counts them, also when an error ends the run.
fn run(
    mut tools: Tools,
    (corpus, plan): (&Corpus, &Plan),
    rows: &dyn Rows,
    progress: &Progress,
    done: &mut usize,
) -> Result<()> {
    let (device, settings) = (tools.device, tools.settings);
    let shape = (corpus.num_items(), corpus.dim());
    let (layout, wave) = sequences::lay_out(device, settings, shape, plan)?;
    if let Some(held) = layout.held {
        let cache = || RowCache::new(&mut tools, corpus, &layout, held.slots);
        let cache = progress.time(Phase::Upload, cache)?;
        let matrix = Matrix::allocate(device, &layout)?;
        return sequences::run(tools, (&matrix, Some(cache)), plan, wave, rows, progress, done);
    }
    let upload = || matrix::upload(device, tools.commands, corpus, &layout, settings);
    let prepared = progress.time(Phase::Upload, upload)?;
    let multiply = || Matrix::compute(&mut tools, &layout, &prepared, progress);
    let matrix = progress.time(Phase::Matrix, multiply)?;
    drop(prepared);
    sequences::run(tools, (&matrix, None), plan, wave, rows, progress, done)
}

impl VulkanEngine {
    /// Opens the device that `wanted` names (see [`crate::ContextOptions::device`]).
    pub fn new(wanted: &str, settings: &Settings) -> Result<VulkanEngine> {
        let open = Open::new(wanted, settings)?;
        let (info, settings) = (open.device.info().clone(), settings.clone());
        Ok(VulkanEngine { open: Some(open), wanted: wanted.into(), info, settings, lost: None })
    }

    /// Bytes and number of the device allocations that are live now.
    pub fn live_allocations(&self) -> (u64, usize) {
        self.open.as_ref().map_or((0, 0), |open| open.device.live_allocations())
    }

    /// The most bytes of device allocations that were live at once.
    pub fn most_allocated(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.device.most_allocated())
    }

    /// The opened device, or the error that lost it.
    pub(crate) fn open(&mut self) -> Result<&mut Open> {
        self.planned()?;
        self.open.as_mut().ok_or_else(not_open)
    }

    /// Does `work`; where that loses the device, opens it anew and does the rest, once. `work` is told what
    /// it has done already.
    fn survive<D: Copy + Default>(
        &mut self,
        progress: &Progress,
        mut work: impl FnMut(Tools, &mut D) -> Result<()>,
    ) -> Result<()> {
        let mut done = D::default();
        let mut result = self.make_do(progress, &mut work, &mut done);
        if let Err(lost @ Error::DeviceLost { .. }) = &result {
            self.rebuild(lost)?;
            progress.back_to(0);
            result = self.make_do(progress, &mut work, &mut done);
            if let Err(lost @ Error::DeviceLost { .. }) = &result {
                self.lost = Some(lost.clone());
                return result;
            }
        }
        // Also of a run that was cancelled or failed: its kernels are as good.
        let open = self.open()?;
        open.pipelines.save();
        result?;
        open.device.check_validation()
    }

    /// Does `work`; where the driver refuses memory that it seemed to have, does the rest with a quarter less,
    /// and again, as long as that is enough.
    fn make_do<D: Copy + Default>(
        &mut self,
        progress: &Progress,
        work: &mut impl FnMut(Tools, &mut D) -> Result<()>,
        done: &mut D,
    ) -> Result<()> {
        let mut settings = self.settings.clone();
        let mut refusal = None;
        for _ in 0..MOST_REFUSALS {
            let open = self.open()?;
            let result = work(open.tools(&settings), done);
            let refused = open.device.take_refusal();
            match (result, refused) {
                (Err(error @ Error::DeviceMemory { .. }), Some(bytes)) => {
                    let limit = bytes.min(settings.memory_limit.unwrap_or(u64::MAX)) / 4 * 3;
                    settings.memory_limit = Some(limit);
                    refusal = Some(error);
                    progress.back_to(0);
                }
                // Not even the least fits: what the driver said is nearer to the cause than our own limit.
                (Err(Error::TooLarge { .. }), _) if refusal.is_some() => break,
                (result, _) => return result,
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// The opened device, to plan for; the error that lost it for good.
    fn planned(&self) -> Result<&Open> {
        match &self.lost {
            Some(error) => Err(error.clone()),
            None => self.open.as_ref().ok_or_else(not_open),
        }
    }

    /// What a search takes.
    fn block_needs(&self, shape: &QueryShape, wanted: search::Wanted) -> Result<Needs> {
        let open = self.planned()?;
        let layout = search::Layout::new(&open.device, &self.settings, shape, wanted)?;
        Ok(layout.needs(&open.device, &self.settings))
    }

    /// Closes the lost device and opens it anew.
    fn rebuild(&mut self, lost: &Error) -> Result<()> {
        self.open = None;
        match Open::new(&self.wanted, &self.settings) {
            Ok(open) => {
                self.open = Some(open);
                Ok(())
            }
            Err(_) => {
                self.lost = Some(lost.clone());
                Err(lost.clone())
            }
        }
    }
}

fn not_open() -> Error {
    Error::Internal { detail: "no device is open".into() }
}

/// What the kernel families need of the engine.
pub(crate) struct Tools<'a> {
    pub(crate) device: &'a Arc<Device>,
    pub(crate) commands: &'a mut Commands,
    pub(crate) pipelines: &'a mut Pipelines,
    pub(crate) settings: &'a Settings,
}

impl Engine for VulkanEngine {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn needs(&self, shape: Shape, plan: &Plan) -> Result<Needs> {
        let open = self.planned()?;
        let (device, settings) = (&open.device, &self.settings);
        let (layout, wave) =
            sequences::lay_out(device, settings, (shape.num_items, shape.dim), plan)?;
        let waves = (plan.count() as u64).div_ceil(wave.into());
        let wave_bytes = sequences::wave_bytes(&layout, plan.length(), wave);
        let slabs = u64::from(layout.rows.slabs());
        // A wave's picks come down through one staging buffer; a slab of rows goes up through another, earlier.
        let row_bytes = u64::from(plan.length()) * 4;
        let staged = match memory::is_staged(device, settings.force_staging) {
            true => (u64::from(wave) * row_bytes).max(layout.rows_bytes()),
            false => 0,
        };
        let (beside_matrix, matrix_dispatches) = match layout.held {
            None => (layout.rows_bytes().max(wave_bytes), slabs * (slabs + 1) / 2),
            Some(_) => (layout.bytes_beside_slots() + wave_bytes, slabs),
        };
        Ok(Needs {
            host_bytes: row_bytes + staged,
            device_bytes: layout.matrix_bytes() + beside_matrix,
            batches: waves,
            dispatches: matrix_dispatches
                + 1
                + waves * sequences::dispatches(device, settings, &layout, plan)?,
            held_rows: layout.held.map_or(shape.num_items, |held| held.slots).into(),
        })
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn Rows,
        progress: &Progress,
    ) -> Result<()> {
        self.survive(progress, |tools, done: &mut usize| {
            // What was put stays; only the wave under way is computed again.
            progress.back_to(*done as u64 * u64::from(plan.length() - plan.head()));
            let rest = Offset { rows, first: *done };
            let mut more = 0;
            let result = run(tools, (corpus, &plan.rest(*done)), &rest, progress, &mut more);
            *done += more;
            result
        })
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        self.block_needs(shape, search::Wanted::Nearest(shape.k))
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn NeighborRows,
        progress: &Progress,
    ) -> Result<()> {
        self.survive(progress, |tools, done| {
            search::neighbors(tools, (corpus, query), rows, progress, done)
        })
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        let Shape { num_items, dim } = shape;
        let shape = QueryShape { num_items, dim, num_rows: num_items, own: true, k: 0 };
        self.block_needs(&shape, search::Wanted::Dots)
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        _pairs: Pairs,
        rows: &dyn DotRows,
        progress: &Progress,
    ) -> Result<()> {
        self.survive(progress, |tools, done| search::dots(tools, corpus, rows, progress, done))
    }
}
