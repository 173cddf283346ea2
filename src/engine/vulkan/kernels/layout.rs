//! Where the contribution matrix lies on the device, or as many of its rows as fit.
//!
//! The matrix is N rows of N 16-bit contributions, rows padded to 8 items. It is cut into slabs of whole rows
//! so that no binding (of the matrix or of the prepared rows) spans more than the device allows; each
//! slab is a buffer of its own. Where memory or bindings do not hold the matrix, slots for some of its rows take its place.

use super::table as kernels;
use crate::contract::extra_shift;
use crate::engine::vulkan::engine::Settings;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::kernels::prepared::RowLayout;
use crate::error::{Error, Result};

/// Picked items whose rows are computed together: enough to keep a GPU busy, few enough that their prepared rows are small.
const GROUP: u32 = 1024;

/// The rows of the matrix that are held, in slots; and how many slots are in a slab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldRows {
    pub(crate) slots: u32,
    pub(crate) slots_per_slab: u32,
}

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) num_items: u32,
    /// Chunks of 8 items (16 bytes) in a matrix row.
    pub(crate) row_length: u32,
    /// The prepared rows; a slab of a whole matrix has as many rows as one of theirs.
    pub(crate) rows: RowLayout,
    pub(crate) extra_shift: u32,
    /// Where not all rows of the matrix fit: how many are held.
    pub(crate) held: Option<HeldRows>,
    /// Kernels read the matrix and the prepared rows as texel buffers.
    pub(crate) texels: bool,
}

impl Layout {
    pub(crate) fn new(
        num_items: u32,
        dim: u32,
        device: &Device,
        settings: &Settings,
    ) -> Result<Layout> {
        let layout = Layout::of_any_size(num_items, dim, device, settings)?;
        layout.check_memory(device, settings)?;
        Ok(layout)
    }

    /// With as many rows of the matrix as leave room for some sequences, and how many of these.
    /// `sequence_bytes`: of each of the `most` that are wanted.
    pub(crate) fn with_held_rows(
        (num_items, dim): (u32, u32),
        device: &Device,
        settings: &Settings,
        sequence_bytes: u64,
        most: u32,
    ) -> Result<(Layout, u32)> {
        let row_length = num_items.div_ceil(8);
        let limits = device.limits();
        let rows = RowLayout::new(num_items, dim, 0, device, settings);
        let (bindable, per_slab) = bindable_slots(device, row_length);
        let longest_slab = rows.longest_slab().max(per_slab.saturating_mul(row_length));
        let mut layout = Layout {
            num_items,
            row_length,
            extra_shift: extra_shift(num_items),
            texels: settings.texels.unwrap_or(limits.software)
                && u64::from(longest_slab) <= limits.max_texels,
            rows,
            held: None,
        };
        let row_bytes = layout.matrix_row_bytes();
        if bindable == 0 || most == 0 || layout.rows.rows_per_slab == 0 {
            return Err(Error::TooLarge {
                what: "a row of the contribution matrix, or a sequence, in one binding",
                needed: row_bytes.max(sequence_bytes),
                available: limits.max_binding_bytes,
                device: device.info().name.clone(),
            });
        }
        let available = device.usable_bytes(settings);
        let fixed = layout.bytes_beside_slots();
        // An eighth of the rest is left to the driver and its alignments, a quarter is for sequences.
        let free = available.saturating_sub(fixed) / 8 * 7;
        // Each sequence may need a row of its own.
        let possible = free / (sequence_bytes + row_bytes);
        let fitting = (free / 4 / sequence_bytes).max(1).min(possible).min(bindable);
        let wave = fitting.min(most.into()) as u32;
        let slots = ((free - u64::from(wave) * sequence_bytes) / row_bytes).min(bindable);
        let slots = slots.min(num_items.into()) as u32;
        if wave == 0 {
            return Err(Error::TooLarge {
                what: "the prepared rows and a row of the contribution matrix",
                needed: fixed + (sequence_bytes + row_bytes).div_ceil(7) * 8,
                available,
                device: device.info().name.clone(),
            });
        }
        layout.held = Some(HeldRows { slots, slots_per_slab: per_slab });
        Ok((layout, wave.min(slots)))
    }

    /// Whatever memory the device has.
    pub(crate) fn of_any_size(
        num_items: u32,
        dim: u32,
        device: &Device,
        settings: &Settings,
    ) -> Result<Layout> {
        let row_length = num_items.div_ceil(8);
        let limits = device.limits();
        let rows = RowLayout::new(num_items, dim, 16 * u64::from(row_length), device, settings);
        let longest_slab = rows.longest_slab().max(rows.slab_rows(0) * row_length);
        let layout = Layout {
            num_items,
            row_length,
            extra_shift: extra_shift(num_items),
            held: None,
            texels: settings.texels.unwrap_or(limits.software)
                && u64::from(longest_slab) <= limits.max_texels,
            rows,
        };
        let slabs = kernels::max_slabs(limits.max_bindings);
        if layout.rows.rows_per_slab == 0 || layout.rows.slabs() > slabs {
            return Err(Error::TooLarge {
                what: "the contribution matrix's bindings",
                needed: layout.matrix_bytes(),
                available: limits.max_binding_bytes * u64::from(slabs),
                device: device.info().name.clone(),
            });
        }
        Ok(layout)
    }

    /// Device bytes while the matrix is computed.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.matrix_bytes() + self.rows_bytes()
    }

    /// Bytes of the matrix, or of the rows of it that are held.
    pub(crate) fn matrix_bytes(&self) -> u64 {
        let rows = self.held.map_or(self.rows.padded_items(), |held| held.slots);
        u64::from(rows) * self.matrix_row_bytes()
    }

    pub(crate) fn matrix_row_bytes(&self) -> u64 {
        u64::from(self.row_length) * 16
    }

    /// Rows of the matrix in a slab; the last slab may have fewer.
    pub(crate) fn matrix_rows_per_slab(&self) -> u32 {
        self.held.map_or(self.rows.rows_per_slab, |held| held.slots_per_slab)
    }

    /// Slabs of the matrix.
    pub(crate) fn matrix_slabs(&self) -> u32 {
        self.held.map_or(self.rows.slabs(), |held| held.slots.div_ceil(held.slots_per_slab))
    }

    /// Bytes of the prepared rows and the weights.
    pub(crate) fn rows_bytes(&self) -> u64 {
        self.rows.bytes() + u64::from(self.rows.padded_items()) * 4
    }

    fn check_memory(&self, device: &Device, settings: &Settings) -> Result<()> {
        let available = device.usable_bytes(settings);
        if self.peak_bytes() > available {
            return Err(Error::TooLarge {
                what: "the contribution matrix and the prepared rows",
                needed: self.peak_bytes(),
                available,
                device: device.info().name.clone(),
            });
        }
        Ok(())
    }

    /// Picked items whose rows are computed together, where only some rows are held.
    pub(crate) fn group(&self) -> u32 {
        self.rows.padded_items().min(GROUP)
    }

    /// Bytes beside the slots: the prepared rows of all items and of a group, and what is said of the group.
    pub(crate) fn bytes_beside_slots(&self) -> u64 {
        self.rows.bytes() + u64::from(self.group()) * (self.rows.row_bytes() + 8)
    }
}

/// The most rows that the matrix's bindings can hold, and how many of them are in one.
fn bindable_slots(device: &Device, row_length: u32) -> (u64, u32) {
    let limits = device.limits();
    let per_slab = limits.max_binding_bytes / (16 * u64::from(row_length));
    let texels = limits.max_texels / u64::from(row_length);
    let per_slab = per_slab.min(if limits.software { texels } else { u64::MAX });
    let slabs = kernels::max_slabs(limits.max_bindings);
    (per_slab * u64::from(slabs), per_slab.min(u32::MAX.into()) as u32)
}
