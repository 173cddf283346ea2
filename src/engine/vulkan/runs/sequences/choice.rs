//! Which sequence kernel runs, in which shape.
//!
//! All of them give the same bits. The choice follows from the device, from the length of a matrix
//! row, from the rule and how many picks there are to make, and from what the settings ask for.

use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::pipeline::{Constant, Kernel, Recipe};
use crate::engine::vulkan::kernels::layout::MatrixLayout;
use crate::engine::vulkan::kernels::table::{self, SlabVariant};
use crate::engine::vulkan::settings::{Reduction, SequenceKernel, Settings};
use crate::error::{Error, Result};
use crate::plan::PlanShape;
use crate::rule::Rule;

/// Chunks of 8 scores that one invocation holds in registers on a GPU: with the loads under way and
/// some more that is up to 64 registers, as many as there are for each of 1,024 invocations. See
/// tests/compiled.
const GPU_CHUNKS: u32 = 4;

/// Of the rule mmr, whose costs are computed beside the scores.
const GPU_CHUNKS_MMR: u32 = 3;

/// And in the kernel for software drivers, where they spill to the stack in the first-level cache;
/// what grows is the time to compile the unrolled kernel.
const SOFTWARE_CHUNKS: u32 = 128;

/// Picks for every chunk that make up for compiling that kernel, on a software driver: 122 chunks
/// took llvmpipe 14 s, and 8 us less a pick than the buffer kernel.
const SOFTWARE_PICKS_PER_CHUNK: u64 = 14_000;

/// Words of the push constants of all of them.
const PUSH_WORDS: u32 = 10;

/// Above this many items a sum of contributions could reach a taken score: see
/// shaders/sequence.glsl.
const UNPINNED_ITEMS: u32 = 32_768;

/// The kernel as chosen for a device and a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChosenKernel {
    kernel: SequenceKernel,
    reduction: Reduction,
    lanes: u32,
    /// Chunks of 8 items that each invocation owns.
    chunks: u32,
    rule: Rule,
}

/// What a kernel is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    rule: Rule,
    /// Of all sequences together.
    picks: u64,
}

impl Work {
    pub(super) fn new(plan: &PlanShape) -> Work {
        Work { rule: plan.rule, picks: plan.picks() }
    }
}

/// The number of a rule in shaders/sequence.glsl.
fn number(rule: Rule) -> u32 {
    match rule {
        Rule::Centroid => 0,
        Rule::Farthest => 1,
        Rule::Mmr(_) => 2,
        Rule::Chain => 3,
    }
}

/// The kernel for `work`.
pub(super) fn choose(
    device: &Device,
    settings: &Settings,
    layout: &MatrixLayout,
    work: Work,
) -> ChosenKernel {
    let gpu_chunks = match work.rule {
        Rule::Mmr(_) => GPU_CHUNKS_MMR,
        _ => GPU_CHUNKS,
    };
    let row_length = layout.row_length;
    let limits = device.limits();
    let subgroup = device.info().subgroup_size.max(1);
    let one_subgroup = limits.subgroup_arithmetic && limits.subgroup_control;
    let max_lanes = 1 << limits.max_lanes.ilog2();
    // A pick in each dispatch: scores would go through registers in vain. And SwiftShader takes
    // three times as long with the kernel of software drivers (300 items: 17 us a pick, not 5.7).
    let usual = match layout.held {
        None if !limits.is_swiftshader => SequenceKernel::Registers,
        _ => SequenceKernel::Buffer,
    };
    let wanted = settings.kernel.filter(|_| layout.held.is_none()).unwrap_or(usual);
    let narrow = if limits.subgroup_arithmetic { subgroup } else { 64 };
    let usual = match (limits.software, wanted) {
        (true, _) | (false, SequenceKernel::Buffer) => narrow,
        // As many chunks to an invocation as it can hold: the loads of all of them are under way at
        // once.
        (false, SequenceKernel::Registers) => {
            row_length.div_ceil(gpu_chunks).next_power_of_two().max(64)
        }
    };
    let lanes = settings.lanes.unwrap_or(usual).min(max_lanes);
    let chunks = row_length.div_ceil(lanes);
    let most = if layout.texels { SOFTWARE_CHUNKS } else { gpu_chunks };
    let pays = settings.kernel.is_some()
        || !limits.software
        || work.picks >= SOFTWARE_PICKS_PER_CHUNK * u64::from(chunks);
    let kernel = match wanted {
        SequenceKernel::Registers if chunks <= most && pays => SequenceKernel::Registers,
        // What was chosen for registers is too wide for the buffer kernel's one subgroup.
        SequenceKernel::Registers if settings.kernel.is_none() && settings.lanes.is_none() => {
            let settings = Settings { kernel: Some(SequenceKernel::Buffer), ..settings.clone() };
            return choose(device, &settings, layout, work);
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
    ChosenKernel { kernel, reduction, lanes, chunks, rule: work.rule }
}

/// Picks that one dispatch may make within the device's loop budget. Rounds of nested loops add up;
/// each loop counts one more for its end.
pub(super) fn picks_per_dispatch(device: &Device, choice: &ChosenKernel) -> Result<u32> {
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
        0 => Err(Error::TooManyRounds {
            what: "one pick",
            needed: u64::from(2 + 2 * scores),
            allowed: budget.into(),
            device: device.info().name.clone(),
        }),
        picks => Ok(picks),
    }
}

/// The recipe of the kernel for long runs over this matrix.
#[cfg(feature = "internals")]
pub(crate) fn usual_recipe(
    device: &Device,
    settings: &Settings,
    layout: &MatrixLayout,
    rule: Rule,
) -> Result<Recipe> {
    let choice = choose(device, settings, layout, Work { rule, picks: u64::MAX });
    recipe(device, settings, &choice, layout)
}

pub(super) fn recipe(
    device: &Device,
    settings: &Settings,
    choice: &ChosenKernel,
    layout: &MatrixLayout,
) -> Result<Recipe> {
    let variants = match (choice.kernel, choice.reduction, layout.texels) {
        (SequenceKernel::Buffer, Reduction::Shared, _) => table::SEQUENCES_BUFFER_SHARED,
        (SequenceKernel::Buffer, _, true) => table::SEQUENCES_BUFFER_TEXELS,
        (SequenceKernel::Buffer, _, false) => table::SEQUENCES_BUFFER_SUBGROUP,
        (SequenceKernel::Registers, Reduction::Shared, _) => table::SEQUENCES_REGISTERS_SHARED,
        (SequenceKernel::Registers, _, true) => table::SEQUENCES_SOFTWARE_TEXELS,
        (SequenceKernel::Registers, _, false) => table::SEQUENCES_REGISTERS_SUBGROUP,
    };
    let constant = |id: u32, value: u32| Constant { id, value };
    let one_subgroup = choice.reduction == Reduction::OneSubgroup;
    // Of the other rules a taken score is one that no item can have.
    let sums = choice.rule == Rule::Centroid;
    let pin = sums && (settings.force_pin() || layout.num_items > UNPINNED_ITEMS);
    let rule = constant(4, number(choice.rule));
    let mut constants = vec![constant(0, choice.lanes), constant(2, pin.into()), rule];
    if choice.reduction != Reduction::Shared {
        constants.push(constant(1, one_subgroup.into()));
    }
    if choice.kernel == SequenceKernel::Registers {
        constants.push(constant(3, choice.chunks));
    }
    let kernel = smallest_fitting(variants, layout.matrix_slabs(), device)?;
    let forced = settings.subgroup_size.is_some() && choice.reduction != Reduction::Shared;
    let subgroup_size = (one_subgroup || forced).then_some(device.info().subgroup_size);
    Ok(Recipe {
        kernel,
        constants,
        push_words: PUSH_WORDS,
        subgroup_size,
        full_subgroups: one_subgroup,
    })
}

/// The variant with the fewest bindings that takes `slabs` slabs and that the device can bind.
fn smallest_fitting(variants: [SlabVariant; 3], slabs: u32, device: &Device) -> Result<Kernel> {
    let bindable = device.limits().max_bindings;
    let fits =
        |variant: &SlabVariant| slabs <= variant.slabs && variant.kernel.bindings <= bindable;
    let fitting = variants.into_iter().find(fits).map(|variant| variant.kernel);
    fitting.ok_or_else(|| Error::Unsupported {
        device: device.info().name.clone(),
        missing: format!("{slabs} matrix slabs need more than its {bindable} storage bindings"),
    })
}
