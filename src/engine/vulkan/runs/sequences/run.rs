//! The picks on the device: choice of the kernel, waves of sequences, download.
//!
//! A wave is as many sequences as run side by side; each has its scores and its picks in device buffers, so a
//! dispatch may end after any pick and the next goes on there. All kernels give the same bits. Where the
//! device holds only some rows of the matrix, a dispatch makes one pick.

use std::time::{Duration, Instant};

use crate::engine::vulkan::engine::{Reduction, SequenceKernel, Settings, Tools};
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing::{self, Pacer};
use crate::engine::vulkan::gpu::pipeline::{Bound, Recipe};
use crate::engine::vulkan::kernels::layout::Layout;
use crate::engine::vulkan::kernels::table::{self as kernels, Kernel};
use crate::engine::vulkan::runs::matrix::Matrix;
use crate::engine::vulkan::runs::row_cache::RowCache;
use crate::engine::Rows;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::progress::{Phase, Progress};

/// Sequences side by side on a software driver: enough for its threads, few enough that a dispatch
/// of thousands of picks stays short.
const SOFTWARE_WAVE: u32 = 64;

/// And at least: its threads must have something to do.
const SOFTWARE_THREADS: u32 = 16;

/// And on a GPU: several workgroups for every compute unit of the largest ones.
const GPU_WAVE: u32 = 16_384;

/// And at least, so that the memory stays busy.
const LEAST_GPU_WAVE: u32 = 1024;

/// How long a wave should take, where that leaves enough sequences side by side: finished sequences are put after each,
/// so this is what a killed run or a lost device costs.
const WAVE_SECONDS: f64 = 0.5;

/// Chunks of 8 scores that one invocation holds in registers on a GPU: with the loads under way and some more
/// that is up to 64 registers, as many as there are for each of 1,024 invocations. See tests/compiled.
const GPU_CHUNKS: u32 = 4;

/// And in the kernel for software drivers, where they spill to the stack in the first-level cache; what grows is the time
/// to compile the unrolled kernel.
const SOFTWARE_CHUNKS: u32 = 128;

/// Picks for every chunk that make up for compiling that kernel, on a software driver: 122 chunks took
/// llvmpipe 14 s, and 8 us less a pick than the buffer kernel.
const SOFTWARE_PICKS_PER_CHUNK: u64 = 14_000;

/// Above this many items a sum of contributions could reach a taken score: see shaders/sequence.glsl.
const UNPINNED_ITEMS: u32 = 32_768;

/// The kernel as chosen for a device and a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    kernel: SequenceKernel,
    reduction: Reduction,
    lanes: u32,
    /// Chunks of 8 items that each invocation owns.
    chunks: u32,
}

/// Where everything lies, and how many sequences run side by side at most. Where the matrix does not fit, as
/// many of its rows as do.
pub(crate) fn lay_out(
    device: &Device,
    settings: &Settings,
    (num_items, dim): (u32, u32),
    plan: &Plan,
) -> Result<(Layout, u32)> {
    let whole = Layout::new(num_items, dim, device, settings)
        .and_then(|layout| Ok((wave(device, settings, &layout, plan)?, layout)));
    match whole {
        Err(Error::TooLarge { .. }) => {
            let row_length = num_items.div_ceil(8);
            let sequence_bytes = bytes_of_each(row_length, plan.length());
            let most = most_side_by_side(device, settings, row_length, plan);
            Layout::with_held_rows((num_items, dim), device, settings, sequence_bytes, most)
        }
        whole => whole.map(|(wave, layout)| (layout, wave)),
    }
}

/// Device bytes of a sequence: its scores, its picks and the slot of its row.
fn bytes_of_each(row_length: u32, length: u32) -> u64 {
    u64::from(row_length) * 32 + u64::from(length) * 4 + 4
}

/// Sequences side by side that the device's limits allow and that are of use.
fn most_side_by_side(device: &Device, settings: &Settings, row_length: u32, plan: &Plan) -> u32 {
    let limits = device.limits();
    let scores = u64::from(row_length) * 32;
    let picks = u64::from(plan.length()) * 4 + 4;
    let bindable = limits.max_binding_bytes / scores.max(picks);
    let texels = if limits.software { limits.max_texels / (scores / 16) } else { u64::MAX };
    let usual = if limits.software { SOFTWARE_WAVE } else { GPU_WAVE };
    let most = settings.max_wave.unwrap_or(usual).min(limits.max_groups);
    bindable.min(texels).min(u64::from(most)).min(plan.count() as u64) as u32
}

/// How many sequences run side by side at most, beside the whole matrix.
fn wave(device: &Device, settings: &Settings, layout: &Layout, plan: &Plan) -> Result<u32> {
    let available = device.usable_bytes(settings);
    let free = available.saturating_sub(layout.matrix_bytes());
    let each = bytes_of_each(layout.row_length, plan.length());
    // An eighth of the rest is left to the driver and its alignments.
    let most = most_side_by_side(device, settings, layout.row_length, plan);
    let wave = (free / 8 * 7 / each).min(most.into()) as u32;
    if wave == 0 {
        return Err(Error::TooLarge {
            what: "the contribution matrix and one sequence",
            needed: layout.matrix_bytes() + each.div_ceil(7) * 8,
            available,
            device: device.info().name.clone(),
        });
    }
    Ok(wave)
}

/// Device bytes for the sequences of a wave.
pub(crate) fn wave_bytes(layout: &Layout, length: u32, wave: u32) -> u64 {
    u64::from(wave) * bytes_of_each(layout.row_length, length)
}

/// Submissions that a wave takes at least.
pub(crate) fn dispatches(
    device: &Device,
    settings: &Settings,
    layout: &Layout,
    plan: &Plan,
) -> Result<u64> {
    let choice = choose(device, settings, layout, plan.picks());
    let cap = match layout.held {
        None => picks_per_dispatch(device, &choice, layout.row_length)?,
        Some(_) => 1,
    };
    Ok(u64::from((plan.length() - 1).div_ceil(cap)))
}

/// Computes all planned sequences, wave by wave, and puts each wave into `rows`. `done` counts the sequences put, also when
/// an error ends the run. `cache` brings the rows where the matrix holds only some.
pub(crate) fn run(
    mut tools: Tools,
    (matrix, mut cache): (&Matrix, Option<RowCache>),
    plan: &Plan,
    wave: u32,
    rows: &dyn Rows,
    progress: &Progress,
    done: &mut usize,
) -> Result<()> {
    let mut state = progress.time(Phase::Upload, || State::new(&mut tools, matrix, plan, wave))?;
    let least = if tools.device.limits().software { SOFTWARE_THREADS } else { LEAST_GPU_WAVE };
    let mut size = wave.min(least);
    let mut heads = plan.heads();
    while *done < plan.count() {
        let sequences = (plan.count() - *done).min(size as usize);
        let begin = Instant::now();
        let wave_heads: Vec<&[u32]> = heads.by_ref().take(sequences).collect();
        state.upload(&mut tools, plan.length(), &wave_heads)?;
        progress.time(Phase::Steps, || match &mut cache {
            None => state.compute(&mut tools, plan, sequences as u32, progress),
            Some(cache) => {
                let starts = wave_heads.iter().map(|head| head[0]).collect();
                state.step(&mut tools, (plan, starts), (cache, &matrix.slabs), progress)
            }
        })?;
        size = next_wave(size, begin.elapsed(), least.min(wave), wave);
        progress.time(Phase::Download, || {
            let shape = (sequences, plan.length() as usize);
            state.download(&mut tools, shape, |index, row| rows.put(*done + index, row))
        })?;
        *done += sequences;
        progress.add_rows(sequences as u64);
    }
    Ok(())
}

/// A wave that took long shrinks, a short one grows.
fn next_wave(size: u32, took: Duration, least: u32, most: u32) -> u32 {
    let fitting = f64::from(size) * WAVE_SECONDS / took.as_secs_f64().max(1e-6);
    (fitting as u32).clamp(least, most.max(least)).min(size.saturating_mul(4))
}

/// The buffers and the kernel of a run.
struct State {
    kernel: Bound,
    picks: Buffer,
    /// Where in `picks` the slots of the sequences' rows lie, in words; 0 where the whole matrix is there.
    slots_at: u32,
    // Bound to the kernel, never touched by the host.
    _scores: Buffer,
    layout: Layout,
    pacer: Pacer,
}

impl State {
    fn new(tools: &mut Tools, matrix: &Matrix, plan: &Plan, wave: u32) -> Result<State> {
        let (device, layout) = (tools.device, &matrix.layout);
        let choice = choose(device, tools.settings, layout, plan.picks());
        let cap = picks_per_dispatch(device, &choice, layout.row_length)?;
        let staging = tools.settings.force_staging;
        let slots_at = if layout.held.is_some() { wave * plan.length() } else { 0 };
        let wave = u64::from(wave);
        let scores = Buffer::on_device(device, "scores", wave * u64::from(layout.row_length) * 32)?;
        let bytes = wave * (u64::from(plan.length()) + 1) * 4;
        let picks = Buffer::shared(device, "picks", bytes, staging)?;
        let recipe = recipe(device, tools.settings, &choice, layout)?;
        let mut buffers = vec![&scores, &picks];
        buffers.extend(&matrix.slabs);
        let kernel = tools.pipelines.get(&recipe)?.bind(&buffers)?;
        let pacer = Pacer::new(pacing::target(tools.settings), 16, cap);
        let state =
            State { kernel, picks, slots_at, _scores: scores, layout: layout.clone(), pacer };
        // No picks: some drivers compile at the first dispatch, and that time is not the picks'.
        let push = state.push(plan, (1, 1));
        tools.commands.dispatch(&state.kernel, &push, (1, 1))?;
        Ok(state)
    }

    /// Writes the heads of a wave into its rows of picks.
    fn upload(&mut self, tools: &mut Tools, length: u32, heads: &[&[u32]]) -> Result<()> {
        let row_bytes = length as usize * 4;
        self.picks.write_at(tools.commands, 0, (heads.len() * row_bytes) as u64, |bytes| {
            for (row, head) in bytes.chunks_exact_mut(row_bytes).zip(heads) {
                for (to, item) in row.chunks_exact_mut(4).zip(*head) {
                    to.copy_from_slice(&item.to_ne_bytes());
                }
            }
        })
    }

    /// The picks of the wave's first `sequences` sequences.
    fn compute(
        &mut self,
        tools: &mut Tools,
        plan: &Plan,
        sequences: u32,
        progress: &Progress,
    ) -> Result<()> {
        let (num_items, known) = (self.layout.num_items, plan.head() - 1);
        let push =
            |done: u32, now: u32| (self.push(plan, (1 + done, 1 + done + now)), (sequences, 1));
        let mut done = 0;
        let finished = |now: u32| {
            // Rows of the head are read, but they are no picks.
            let picks = (done + now).saturating_sub(known.max(done));
            done += now;
            progress.add_steps(
                u64::from(picks) * u64::from(sequences),
                u64::from(now) * u64::from(sequences) * u64::from(num_items) * 2,
            );
        };
        let mut pacer = self.pacer.clone();
        let what = (&mut *tools.commands, &self.kernel);
        pacing::run(what, &mut pacer, plan.length() - 1, progress, push, finished)?;
        self.pacer = pacer;
        Ok(())
    }

    /// The same pick by pick: before each, the rows of the last ones are brought.
    fn step(
        &mut self,
        tools: &mut Tools,
        (plan, mut picks): (&Plan, Vec<u32>),
        (cache, slabs): (&mut RowCache, &[Buffer]),
        progress: &Progress,
    ) -> Result<()> {
        let (sequences, at) = (picks.len(), u64::from(self.slots_at) * 4);
        let bytes = sequences as u64 * 4;
        for pick in 1..plan.length() {
            progress.check()?;
            let slots = cache.bring(tools, (&self.layout, slabs), &picks, progress)?;
            let write = |bytes: &mut [u8]| bytes.copy_from_slice(bytemuck::cast_slice(slots));
            self.picks.write_at(tools.commands, at, bytes, write)?;
            let push = self.push(plan, (pick, pick + 1));
            let took = tools.commands.dispatch(&self.kernel, &push, (sequences as u32, 1))?;
            progress.add_submission(took);
            let read = |bytes: &[u8]| bytemuck::cast_slice_mut(&mut picks).copy_from_slice(bytes);
            self.picks.read_at(tools.commands, at, bytes, read)?;
            let new = if pick < plan.head() { 0 } else { sequences as u64 };
            let row_bytes = u64::from(self.layout.num_items) * 2;
            progress.add_steps(new, sequences as u64 * row_bytes);
        }
        Ok(())
    }

    /// The push constants for the picks `picks.0 .. picks.1`.
    fn push(&self, plan: &Plan, picks: (u32, u32)) -> Vec<u32> {
        let layout = &self.layout;
        vec![
            layout.num_items,
            layout.row_length,
            layout.matrix_rows_per_slab(),
            plan.length(),
            picks.0,
            picks.1,
            plan.head(),
            self.slots_at,
        ]
    }

    /// Hands the wave's first sequences to `put`, row by row.
    fn download(
        &mut self,
        tools: &mut Tools,
        (sequences, length): (usize, usize),
        mut put: impl FnMut(usize, &[u32]) -> Result<()>,
    ) -> Result<()> {
        self.picks.read(tools.commands, (sequences * length) as u64 * 4, |bytes| {
            let mut row = Vec::new();
            for (index, bytes) in bytes.chunks_exact(length * 4).enumerate() {
                row.clear();
                let word = |word: &[u8]| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
                row.extend(bytes.chunks_exact(4).map(word));
                put(index, &row)?;
            }
            Ok(())
        })?
    }
}

fn choose(device: &Device, settings: &Settings, layout: &Layout, picks: u64) -> Choice {
    let row_length = layout.row_length;
    let limits = device.limits();
    let subgroup = device.info().subgroup_size.max(1);
    let one_subgroup = limits.subgroup_arithmetic && limits.subgroup_control;
    let max_lanes = 1 << limits.max_lanes.ilog2();
    // A pick in each dispatch: scores would go through registers in vain.
    let usual = match layout.held {
        None => SequenceKernel::Registers,
        Some(_) => SequenceKernel::Buffer,
    };
    let wanted = settings.kernel.filter(|_| layout.held.is_none()).unwrap_or(usual);
    let narrow = if limits.subgroup_arithmetic { subgroup } else { 64 };
    let usual = match (limits.software, wanted) {
        (true, _) | (false, SequenceKernel::Buffer) => narrow,
        // As many chunks to an invocation as it can hold: the loads of all of them are under way at once.
        (false, SequenceKernel::Registers) => {
            row_length.div_ceil(GPU_CHUNKS).next_power_of_two().max(64)
        }
    };
    let lanes = settings.lanes.unwrap_or(usual).min(max_lanes);
    let chunks = row_length.div_ceil(lanes);
    let most = if layout.texels { SOFTWARE_CHUNKS } else { GPU_CHUNKS };
    let pays = settings.kernel.is_some()
        || !limits.software
        || picks >= SOFTWARE_PICKS_PER_CHUNK * u64::from(chunks);
    let kernel = match wanted {
        SequenceKernel::Registers if chunks <= most && pays => SequenceKernel::Registers,
        // What was chosen for registers is too wide for the buffer kernel's one subgroup.
        SequenceKernel::Registers if settings.kernel.is_none() && settings.lanes.is_none() => {
            let settings = Settings { kernel: Some(SequenceKernel::Buffer), ..settings.clone() };
            return choose(device, &settings, layout, picks);
        }
        _ => SequenceKernel::Buffer,
    };
    let reduction = match settings.reduction {
        _ if !limits.subgroup_arithmetic => Reduction::Shared,
        Some(Reduction::OneSubgroup) | None if one_subgroup && lanes == subgroup => {
            Reduction::OneSubgroup
        }
        Some(Reduction::Shared) => Reduction::Shared,
        _ => Reduction::Subgroups,
    };
    Choice { kernel, reduction, lanes, chunks }
}

/// Picks that one dispatch may make within the device's loop budget. Rounds of nested loops add up;
/// each loop counts one more for its end.
fn picks_per_dispatch(device: &Device, choice: &Choice, row_length: u32) -> Result<u32> {
    let budget = match device.info().loop_budget {
        0 => return Ok(u32::MAX),
        budget => budget,
    };
    let scores = match choice.kernel {
        SequenceKernel::Buffer => choice.chunks + 1,
        SequenceKernel::Registers => 0,
    };
    // The buffer kernel's first dispatch also clears its scores: `scores` rounds more.
    match budget.saturating_sub(scores + 1) / (1 + scores) {
        0 => Err(Error::TooLarge {
            what: "the loop rounds of one pick",
            needed: u64::from(2 + 2 * scores),
            available: budget.into(),
            device: format!("{} ({} chunks a row)", device.info().name, row_length),
        }),
        picks => Ok(picks),
    }
}

/// The recipe of the kernel for long runs over this matrix.
pub(crate) fn usual_recipe(
    device: &Device,
    settings: &Settings,
    layout: &Layout,
) -> Result<Recipe> {
    let choice = choose(device, settings, layout, u64::MAX);
    recipe(device, settings, &choice, layout)
}

fn recipe(
    device: &Device,
    settings: &Settings,
    choice: &Choice,
    layout: &Layout,
) -> Result<Recipe> {
    let variants = match (choice.kernel, choice.reduction, layout.texels) {
        (SequenceKernel::Buffer, Reduction::Shared, _) => kernels::BUFFER_SHARED,
        (SequenceKernel::Buffer, _, true) => kernels::BUFFER_TEXELS,
        (SequenceKernel::Buffer, _, false) => kernels::BUFFER_SUBGROUP,
        (SequenceKernel::Registers, Reduction::Shared, _) => kernels::REGISTERS_SHARED,
        (SequenceKernel::Registers, _, true) => kernels::SOFTWARE,
        (SequenceKernel::Registers, _, false) => kernels::REGISTERS_SUBGROUP,
    };
    let one_subgroup = choice.reduction == Reduction::OneSubgroup;
    let pin = settings.force_pin || layout.num_items > UNPINNED_ITEMS;
    let mut constants = vec![(0, choice.lanes), (2, pin.into())];
    if choice.reduction != Reduction::Shared {
        constants.push((1, one_subgroup.into()));
    }
    if choice.kernel == SequenceKernel::Registers {
        constants.push((3, choice.chunks));
    }
    let kernel = smallest_fitting(variants, layout.matrix_slabs(), device)?;
    let forced = settings.subgroup_size.is_some() && choice.reduction != Reduction::Shared;
    let subgroup_size = (one_subgroup || forced).then_some(device.info().subgroup_size);
    Ok(Recipe { kernel, constants, push_words: 8, subgroup_size, full_subgroups: one_subgroup })
}

/// The variant with the fewest bindings that takes `slabs` slabs and that the device can bind.
fn smallest_fitting(variants: [(u32, Kernel); 3], slabs: u32, device: &Device) -> Result<Kernel> {
    let bindable = device.limits().max_bindings;
    let fits = |&(most, kernel): &(u32, Kernel)| slabs <= most && kernel.bindings <= bindable;
    variants.into_iter().find(fits).map(|(_, kernel)| kernel).ok_or_else(|| Error::Unsupported {
        device: device.info().name.clone(),
        missing: format!("{slabs} matrix slabs need more than its {bindable} storage bindings"),
    })
}
