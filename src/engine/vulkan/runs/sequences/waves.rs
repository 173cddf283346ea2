//! How many sequences run side by side, and what a run takes.
//!
//! A wave is as many sequences as run side by side. Where the device does not hold the whole matrix
//! beside one sequence, it holds as many rows of it as leave room for some sequences.

use std::time::Duration;

use super::choice;
use crate::corpus::Shape;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::kernels::layout::{row_length, HeldRows, MatrixLayout};
use crate::engine::vulkan::kernels::prepared::TILE;
use crate::engine::vulkan::runs::row_cache;
use crate::engine::vulkan::settings::Settings;
use crate::engine::{common_picks, Needs, RowSource};
use crate::error::{Error, Result};
use crate::memory::Bytes;
use crate::plan::PlanShape;

/// Sequences side by side on a software driver: enough for its threads, few enough that a dispatch
/// of thousands of picks stays short.
const SOFTWARE_WAVE: u32 = 64;

/// And at least: its threads must have something to do.
const SOFTWARE_THREADS: u32 = 16;

/// And on a GPU: several workgroups for every compute unit of the largest ones.
const GPU_WAVE: u32 = 16_384;

/// And at least, so that the memory stays busy.
const LEAST_GPU_WAVE: u32 = 1024;

/// How long a wave should take, where that leaves enough sequences side by side: finished sequences
/// are put after each, so this is what a killed run or a lost device costs.
const WAVE_SECONDS: f64 = 0.5;

/// Where everything lies, and how many sequences run side by side at most.
pub(super) struct SequenceLayout {
    pub(super) matrix: MatrixLayout,
    pub(super) wave: u32,
}

impl SequenceLayout {
    /// With the whole matrix, or with rows as they are needed: where that costs less, or where the
    /// matrix does not fit.
    pub(super) fn new(
        shape: Shape,
        plan: &PlanShape,
        device: &Device,
        settings: &Settings,
    ) -> Result<SequenceLayout> {
        let costs = Costs::new(shape, plan, device.limits().software);
        let whole = match settings.rows {
            Some(wanted) => wanted == RowSource::Matrix,
            None => !costs.rows_are_cheaper(),
        };
        if whole {
            match SequenceLayout::with_whole_matrix(shape, plan, device, settings) {
                Err(Error::TooLarge { .. }) => {}
                layout => return layout,
            }
        }
        SequenceLayout::with_held_rows(shape, plan, device, settings)
    }

    fn with_whole_matrix(
        shape: Shape,
        plan: &PlanShape,
        device: &Device,
        settings: &Settings,
    ) -> Result<SequenceLayout> {
        let matrix = MatrixLayout::of_any_memory(shape, plan.rule.weighing(), device, settings)?;
        matrix.check_memory(device, settings)?;
        let available = device.usable_bytes(settings);
        let free = available.less(matrix.matrix_bytes()).get();
        let each = sequence_bytes(matrix.row_length, plan);
        // An eighth of the rest is left to the driver and its alignments.
        let most = most_side_by_side(device, settings, matrix.row_length, plan);
        let wave = (free / 8 * 7 / each).min(most.into()) as u32;
        if wave == 0 {
            return Err(Error::TooLarge {
                what: "the contribution matrix and one sequence",
                needed: (matrix.matrix_bytes() + Bytes::new(each.div_ceil(7) * 8)).get(),
                available: available.get(),
                device: device.info().name.clone(),
            });
        }
        Ok(SequenceLayout { matrix, wave })
    }

    fn with_held_rows(
        shape: Shape,
        plan: &PlanShape,
        device: &Device,
        settings: &Settings,
    ) -> Result<SequenceLayout> {
        let most = most_side_by_side(device, settings, row_length(shape), plan);
        let mut matrix = MatrixLayout::with_slots(shape, plan.rule.weighing(), device, settings);
        let row_bytes = matrix.matrix_row_bytes();
        let each = sequence_bytes(matrix.row_length, plan);
        let bindable = matrix.held.unwrap_or_default();
        if bindable.slots == 0 || most == 0 || matrix.rows.rows_per_slab == 0 {
            return Err(Error::TooLarge {
                what: "a row of the contribution matrix, or a sequence, in one binding",
                needed: row_bytes.max(each),
                available: device.limits().max_binding_bytes,
                device: device.info().name.clone(),
            });
        }
        let available = device.usable_bytes(settings);
        let fixed = matrix.bytes_beside_slots();
        // An eighth of the rest is left to the driver and its alignments, a quarter is for
        // sequences.
        let free = available.less(fixed).get() / 8 * 7;
        // Each sequence may need a row of its own.
        let possible = (free / (each + row_bytes)).min(bindable.slots.into());
        let wave = (free / 4 / each).max(1).min(possible).min(most.into()) as u32;
        if wave == 0 {
            return Err(Error::TooLarge {
                what: "the prepared rows and a row of the contribution matrix",
                needed: (fixed + Bytes::new((each + row_bytes).div_ceil(7) * 8)).get(),
                available: available.get(),
                device: device.info().name.clone(),
            });
        }
        let fitting = (free - u64::from(wave) * each) / row_bytes;
        let useful = match settings.rows {
            Some(RowSource::Direct) => wave.into(),
            _ => rows_needed(shape, plan).max(wave.into()),
        };
        let slots = fitting.min(bindable.slots.into()).min(useful) as u32;
        matrix.held = Some(HeldRows { slots, ..bindable });
        Ok(SequenceLayout { matrix, wave: wave.min(slots) })
    }

    /// Device bytes for the sequences of a wave.
    fn wave_bytes(&self, plan: &PlanShape) -> Bytes {
        Bytes::new(sequence_bytes(self.matrix.row_length, plan)) * self.wave.into()
    }

    /// Submissions that a wave takes at least.
    fn dispatches(&self, plan: &PlanShape, device: &Device, settings: &Settings) -> Result<u64> {
        let cap = match self.matrix.held {
            None => {
                let work = choice::Work::new(plan);
                let choice = choice::choose(device, settings, &self.matrix, work);
                choice::picks_per_dispatch(device, &choice)?
            }
            Some(_) => 1,
        };
        Ok(u64::from((plan.length - 1).div_ceil(cap)))
    }
}

/// Rows that sequences add, of those that there are, if no two need the same.
fn rows_needed(shape: Shape, plan: &PlanShape) -> u64 {
    let of_each = u64::from(plan.length.saturating_sub(1));
    u64::from(plan.count).saturating_mul(of_each).min(shape.num_items.into())
}

/// What the ways to get rows cost, in seconds, by rates measured on llvmpipe; no GPU was at hand,
/// so the rates of GPUs are those of a small one.
struct Costs {
    matrix: f64,
    rows: f64,
}

/// What a device takes.
struct Rates {
    multiply_add: f64,
    /// What a step takes beside its multiply-adds.
    step: f64,
    /// Rows that a step computes at least.
    least_rows: u32,
}

const SOFTWARE_RATES: Rates = Rates { multiply_add: 7e-11, step: 2e-4, least_rows: 4 };

/// A tile is computed whole.
const GPU_RATES: Rates = Rates { multiply_add: 1e-12, step: 1e-4, least_rows: TILE };

impl Costs {
    fn new(shape: Shape, plan: &PlanShape, software: bool) -> Costs {
        let rates = if software { SOFTWARE_RATES } else { GPU_RATES };
        let row = f64::from(shape.num_items) * f64::from(shape.dim);
        let wave = if software { SOFTWARE_WAVE } else { GPU_WAVE }.min(plan.count);
        let waves = f64::from(plan.count.div_ceil(wave));
        let steps = waves * f64::from(common_picks::rows_of_each(plan));
        let least = steps * f64::from(rates.least_rows);
        // Of a row no half is known from others.
        let computed = least.max(common_picks::different_rows(shape, plan));
        Costs {
            matrix: row * f64::from(shape.num_items) / 2.0 * rates.multiply_add,
            rows: row * computed * rates.multiply_add + steps * rates.step,
        }
    }

    fn rows_are_cheaper(&self) -> bool {
        self.rows < self.matrix
    }
}

/// What a run takes.
pub(crate) fn needs(
    shape: Shape,
    plan: &PlanShape,
    device: &Device,
    settings: &Settings,
) -> Result<Needs> {
    let layout = SequenceLayout::new(shape, plan, device, settings)?;
    let (matrix, n) = (&layout.matrix, u64::from(shape.num_items));
    let waves = u64::from(plan.count).div_ceil(layout.wave.into());
    let wave_bytes = layout.wave_bytes(plan);
    let slabs = u64::from(matrix.rows.slabs());
    // A wave's picks and their costs come down through one staging buffer; a slab of rows goes up
    // through another, earlier.
    let staged = match device.is_staged() {
        true => Bytes::new(picks_bytes(plan) * u64::from(layout.wave)).max(matrix.rows_bytes()),
        false => Bytes::ZERO,
    };
    let cache = matrix.held.map(|held| row_cache::host_bytes(matrix, held, layout.wave));
    // The last picks of a wave stand in a list beside the rows.
    let picks = Bytes::of::<u32>(layout.wave.into());
    let (beside_matrix, matrix_dispatches) = match matrix.held {
        None => (matrix.rows_bytes().max(wave_bytes), slabs * (slabs + 1) / 2),
        Some(_) => (matrix.bytes_beside_slots() + wave_bytes, slabs),
    };
    Ok(Needs {
        // One row that is put, or read as a head.
        host_bytes: plan.row_bytes() + staged + cache.unwrap_or_default() + picks,
        device_bytes: matrix.matrix_bytes() + beside_matrix,
        groups: waves,
        dispatches: waves
            .saturating_mul(layout.dispatches(plan, device, settings)?)
            .saturating_add(matrix_dispatches + 1),
        held_rows: matrix.held.map_or(shape.num_items, |held| held.slots).into(),
        row_source: Some(match (matrix.held, settings.rows) {
            (None, _) => RowSource::Matrix,
            (Some(_), Some(RowSource::Direct)) => RowSource::Direct,
            (Some(_), _) => RowSource::Cache,
        }),
        multiply_adds: match matrix.held {
            None => shape.values().saturating_mul(n) / 2,
            Some(_) => shape.values().saturating_mul(rows_needed(shape, plan)),
        },
    })
}

/// Device bytes of a sequence: its scores and its picks.
fn sequence_bytes(row_length: u32, plan: &PlanShape) -> u64 {
    u64::from(row_length) * 32 + picks_bytes(plan)
}

/// Device bytes of a sequence's picks, of the slot of its row, and of what the picks cost where
/// values are asked for.
pub(super) fn picks_bytes(plan: &PlanShape) -> u64 {
    let lists = if plan.values { 2 } else { 1 };
    u64::from(plan.length) * 4 * lists + 4
}

/// Sequences side by side that the device's limits allow and that are of use.
fn most_side_by_side(
    device: &Device,
    settings: &Settings,
    row_length: u32,
    plan: &PlanShape,
) -> u32 {
    let limits = device.limits();
    let scores = u64::from(row_length) * 32;
    let bindable = limits.max_binding_bytes / scores.max(picks_bytes(plan));
    let texels = if limits.software { limits.max_texels / (scores / 16) } else { u64::MAX };
    let usual = if limits.software { SOFTWARE_WAVE } else { GPU_WAVE };
    let most = settings.max_wave.unwrap_or(usual).min(limits.max_groups);
    bindable.min(texels).min(u64::from(most)).min(plan.count.into()) as u32
}

/// The sizes of the waves of a run.
pub(super) struct WaveSizes {
    least: u32,
    most: u32,
    next: u32,
}

impl WaveSizes {
    /// Few sequences first; never more than `most`.
    pub(super) fn new(device: &Device, most: u32) -> WaveSizes {
        let least = if device.limits().software { SOFTWARE_THREADS } else { LEAST_GPU_WAVE };
        let least = least.min(most);
        WaveSizes { least, most, next: least }
    }

    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// A wave that took long shrinks, a short one grows.
    pub(super) fn learn(&mut self, took: Duration) {
        let fitting = f64::from(self.next) * WAVE_SECONDS / took.as_secs_f64().max(1e-6);
        let most = self.next.saturating_mul(4);
        self.next = (fitting as u32).clamp(self.least, self.most).min(most);
    }
}
