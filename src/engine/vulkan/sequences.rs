//! The picks on the device: choice of the kernel, waves of sequences, download.
//!
//! A wave is as many sequences as run side by side; each has its scores and its picks in device buffers, so a
//! dispatch may end after any pick and the next goes on there. Both kernels give the same bits.

use super::device::Device;
use super::kernels::{self, Kernel};
use super::matrix::{available_bytes, submit_target, Layout, Matrix};
use super::memory::Buffer;
use super::pacing::Pacer;
use super::pipeline::{Bound, Recipe};
use super::{Reduction, SequenceKernel, Settings, Tools};
use crate::error::{zeroed, Error, Result};
use crate::plan::Plan;
use crate::progress::{Phase, Progress};

/// Sequences side by side on a software driver: enough for its threads, few enough that a dispatch
/// of thousands of picks stays short.
const SOFTWARE_WAVE: u32 = 64;

/// And on a GPU: several workgroups for every compute unit of the largest ones.
const GPU_WAVE: u32 = 16_384;

/// Chunks of 8 scores that one invocation can hold in registers on a GPU: 64 of the 255 there are.
const GPU_CHUNKS: u32 = 8;

/// And on a software driver, where they spill to the stack in the first-level cache; what grows is the time
/// to compile the unrolled kernel.
const SOFTWARE_CHUNKS: u32 = 128;

/// Picks for every chunk that make up for compiling that kernel, on a software driver: 122 chunks took
/// llvmpipe 14 s, and 8 us less a pick than the buffer kernel.
const SOFTWARE_PICKS_PER_CHUNK: u64 = 14_000;

/// Above this many items a sum of contributions could reach a taken score: see shaders/sequence.glsl.
const UNPINNED_ITEMS: u32 = 21_845;

/// The kernel as chosen for a device and a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    kernel: SequenceKernel,
    reduction: Reduction,
    lanes: u32,
    /// Chunks of 8 items that each invocation owns.
    chunks: u32,
}

/// How many sequences run side by side.
pub(super) fn wave(
    device: &Device,
    settings: &Settings,
    layout: &Layout,
    plan: &Plan,
) -> Result<u32> {
    let limits = device.limits();
    let scores = u64::from(layout.row_length) * 32;
    let picks = u64::from(plan.length()) * 4;
    let free = available_bytes(device, settings).saturating_sub(layout.matrix_bytes());
    // Half of the rest is left to the driver, staging and other programs.
    let fitting = (free / 2 / (scores + picks)).min(limits.max_binding_bytes / scores.max(picks));
    let texels = if layout.texels { limits.max_texels / (scores / 16) } else { u64::MAX };
    let fitting = fitting.min(texels);
    let usual = if limits.software { SOFTWARE_WAVE } else { GPU_WAVE };
    let most = settings.max_wave.unwrap_or(usual).min(limits.max_groups);
    let wave = fitting.min(u64::from(most)).min(plan.starts().len() as u64) as u32;
    if wave == 0 {
        return Err(Error::TooLarge {
            what: "the contribution matrix and one sequence",
            needed: layout.matrix_bytes() + 2 * (scores + picks),
            available: available_bytes(device, settings),
            device: device.info().name.clone(),
        });
    }
    Ok(wave)
}

/// Computes all planned sequences, wave by wave.
pub(super) fn run(
    mut tools: Tools,
    matrix: &Matrix,
    plan: &Plan,
    wave: u32,
    progress: &Progress,
) -> Result<Vec<u32>> {
    let mut out = zeroed(plan.output_len(), "the sequences")?;
    let mut state = progress.time(Phase::Upload, || State::new(&mut tools, matrix, plan, wave))?;
    let row = plan.length() as usize;
    for (index, rows) in out.chunks_mut(wave as usize * row).enumerate() {
        let first = index as u32 * wave;
        let sequences = (rows.len() / row) as u32;
        progress.time(Phase::Sequences, || {
            state.compute(&mut tools, plan, first, sequences, progress)
        })?;
        progress.time(Phase::Download, || state.download(&mut tools, rows))?;
        progress.add_sequences(sequences.into());
    }
    Ok(out)
}

/// The buffers and the kernel of a run.
struct State {
    kernel: Bound,
    picks: Buffer,
    // Bound to the kernel, never touched by the host again.
    _scores: Buffer,
    _starts: Buffer,
    layout: Layout,
    pacer: Pacer,
}

impl State {
    fn new(tools: &mut Tools, matrix: &Matrix, plan: &Plan, wave: u32) -> Result<State> {
        let (device, layout) = (tools.device, &matrix.layout);
        let choice = choose(device, tools.settings, layout.row_length, plan.picks());
        let cap = picks_per_dispatch(device, &choice, layout.row_length)?;
        let staging = tools.settings.force_staging;
        let wave = u64::from(wave);
        let scores = Buffer::on_device(device, "scores", wave * u64::from(layout.row_length) * 32)?;
        let picks = Buffer::shared(device, "picks", wave * u64::from(plan.length()) * 4, staging)?;
        let mut starts = Buffer::shared(device, "starts", plan.starts().len() as u64 * 4, staging)?;
        starts.write(tools.commands, |to| {
            for (to, start) in to.chunks_exact_mut(4).zip(plan.starts()) {
                to.copy_from_slice(&start.to_ne_bytes());
            }
        })?;
        let recipe = recipe(device, tools.settings, &choice, matrix)?;
        let mut buffers = vec![&scores, &picks, &starts];
        buffers.extend(&matrix.slabs);
        let kernel = tools.pipelines.get(&recipe)?.bind(&buffers)?;
        let pacer = Pacer::new(submit_target(device, tools.settings), 16, cap);
        let (_scores, _starts) = (scores, starts);
        let layout = layout.clone();
        let mut state = State { kernel, picks, _scores, _starts, layout, pacer };
        // No picks: some drivers compile at the first dispatch, and that time is not the picks'.
        state.dispatch(tools, plan.length(), 0, 1, (1, 1))?;
        Ok(state)
    }

    /// The picks of the `sequences` sequences that begin at `first` in the plan's starts.
    fn compute(
        &mut self,
        tools: &mut Tools,
        plan: &Plan,
        first: u32,
        sequences: u32,
        progress: &Progress,
    ) -> Result<()> {
        let length = plan.length();
        let mut pick = 1;
        while pick < length {
            progress.check()?;
            let now = self.pacer.units(length - pick);
            let took = self.dispatch(tools, length, first, sequences, (pick, pick + now))?;
            self.pacer.learn(now, took);
            let picks = u64::from(now) * u64::from(sequences);
            progress.add_picks(picks, picks * u64::from(self.layout.num_items) * 2);
            pick += now;
        }
        Ok(())
    }

    fn dispatch(
        &mut self,
        tools: &mut Tools,
        length: u32,
        first_sequence: u32,
        sequences: u32,
        picks: (u32, u32),
    ) -> Result<std::time::Duration> {
        let push = [
            self.layout.num_items,
            self.layout.row_length,
            self.layout.rows_per_slab,
            length,
            picks.0,
            picks.1,
            first_sequence,
        ];
        tools.commands.dispatch(&self.kernel, &push, (sequences, 1))
    }

    fn download(&mut self, tools: &mut Tools, rows: &mut [u32]) -> Result<()> {
        self.picks.read(tools.commands, rows.len() as u64 * 4, |bytes| {
            for (value, bytes) in rows.iter_mut().zip(bytes.chunks_exact(4)) {
                *value = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        })
    }
}

fn choose(device: &Device, settings: &Settings, row_length: u32, picks: u64) -> Choice {
    let limits = device.limits();
    let subgroup = device.info().subgroup_size.max(1);
    let one_subgroup = limits.subgroup_arithmetic && limits.subgroup_control;
    let max_lanes = 1 << limits.max_lanes.ilog2();
    let wanted = settings.kernel.unwrap_or(SequenceKernel::Registers);
    let narrow = if limits.subgroup_arithmetic { subgroup } else { 64 };
    let usual = match (limits.software, wanted) {
        (true, _) | (false, SequenceKernel::Buffer) => narrow,
        // About 4 chunks an invocation: enough loads in flight, few enough registers.
        (false, SequenceKernel::Registers) => row_length.div_ceil(4).next_power_of_two().max(64),
    };
    let lanes = settings.lanes.unwrap_or(usual).min(max_lanes);
    let chunks = row_length.div_ceil(lanes);
    let most = if limits.software { SOFTWARE_CHUNKS } else { GPU_CHUNKS };
    let pays = settings.kernel.is_some()
        || !limits.software
        || picks >= SOFTWARE_PICKS_PER_CHUNK * u64::from(chunks);
    let kernel = match wanted {
        SequenceKernel::Registers if chunks <= most && pays => SequenceKernel::Registers,
        // What was chosen for registers is too wide for the buffer kernel's one subgroup.
        SequenceKernel::Registers if settings.kernel.is_none() && settings.lanes.is_none() => {
            let settings = Settings { kernel: Some(SequenceKernel::Buffer), ..settings.clone() };
            return choose(device, &settings, row_length, picks);
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
    let subgroup = device.info().subgroup_size.max(1);
    let reduction = match choice.reduction {
        Reduction::OneSubgroup => 0,
        Reduction::Subgroups => choice.lanes.div_ceil(subgroup).div_ceil(subgroup) + 1,
        Reduction::Shared => choice.lanes.ilog2() + 1,
    };
    let scores = match choice.kernel {
        SequenceKernel::Buffer => choice.chunks + 1,
        SequenceKernel::Registers => 0,
    };
    // The buffer kernel's first dispatch also clears its scores: `scores` rounds more.
    match budget.saturating_sub(scores + 1) / (1 + scores + reduction) {
        0 => Err(Error::TooLarge {
            what: "the loop rounds of one pick",
            needed: u64::from(1 + 2 * scores + reduction + 1),
            available: budget.into(),
            device: format!("{} ({} chunks a row)", device.info().name, row_length),
        }),
        picks => Ok(picks),
    }
}

fn recipe(
    device: &Device,
    settings: &Settings,
    choice: &Choice,
    matrix: &Matrix,
) -> Result<Recipe> {
    let variants = match (choice.kernel, choice.reduction, matrix.layout.texels) {
        (SequenceKernel::Buffer, Reduction::Shared, _) => kernels::BUFFER_SHARED,
        (SequenceKernel::Buffer, _, true) => kernels::BUFFER_TEXELS,
        (SequenceKernel::Buffer, _, false) => kernels::BUFFER_SUBGROUP,
        (SequenceKernel::Registers, Reduction::Shared, _) => kernels::REGISTERS_SHARED,
        (SequenceKernel::Registers, _, true) => kernels::REGISTERS_TEXELS,
        (SequenceKernel::Registers, _, false) => kernels::REGISTERS_SUBGROUP,
    };
    let one_subgroup = choice.reduction == Reduction::OneSubgroup;
    let pin = settings.force_pin || matrix.layout.num_items > UNPINNED_ITEMS;
    let mut constants = vec![(0, choice.lanes), (2, pin.into())];
    if choice.reduction != Reduction::Shared {
        constants.push((1, one_subgroup.into()));
    }
    if choice.kernel == SequenceKernel::Registers {
        constants.push((3, choice.chunks));
    }
    let kernel = smallest_fitting(variants, matrix.slabs.len() as u32, device)?;
    let subgroup_size = one_subgroup.then_some(device.info().subgroup_size);
    Ok(Recipe { kernel, constants, push_words: 7, subgroup_size })
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
