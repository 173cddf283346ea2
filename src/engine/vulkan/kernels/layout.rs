//! Where the contribution matrix lies on the device, or as many of its rows as fit.
//!
//! The matrix is N rows of N 16-bit contributions (or similarities, which are contributions of rows
//! that all have the weight 1), rows padded to 8 items. It is cut into slabs of
//! whole rows so that no binding (of the matrix or of the prepared rows) spans more than the device
//! allows; each slab is a buffer of its own. Where memory or bindings do not hold the matrix, slots
//! for some of its rows take its place.

use super::prepared::RowLayout;
use super::table;
use crate::contract::extra_shift;
use crate::corpus::{Corpus, Shape};
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::physical::Limits;
use crate::engine::vulkan::settings::Settings;
use crate::error::{Error, Result};
use crate::memory::Bytes;
use crate::rule::{Lambda, Weighing};

/// Picked items whose rows are computed together: enough to keep a GPU busy, few enough that their
/// prepared rows are small.
const GROUP: u32 = 1024;

/// The rows of the matrix that are held, in slots; and how many slots are in a slab.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HeldRows {
    pub(crate) slots: u32,
    pub(crate) slots_per_slab: u32,
}

/// Where the matrix and the prepared rows lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MatrixLayout {
    pub(crate) num_items: u32,
    /// Chunks of 8 items (16 bytes) in a matrix row.
    pub(crate) row_length: u32,
    /// The prepared rows; a slab of a whole matrix has as many rows as one of theirs.
    pub(crate) rows: RowLayout,
    /// Whether the items' weights count.
    weighing: Weighing,
    /// By which contributions are made smaller.
    pub(crate) extra_shift: u32,
    /// Where not all rows of the matrix fit: how many are held.
    pub(crate) held: Option<HeldRows>,
    /// Kernels read the matrix and the prepared rows as texel buffers.
    pub(crate) texels: bool,
}

impl MatrixLayout {
    /// Of a whole matrix, whatever memory the device has.
    pub(crate) fn of_any_memory(
        shape: Shape,
        weighing: Weighing,
        device: &Device,
        settings: &Settings,
    ) -> Result<MatrixLayout> {
        let row_length = row_length(shape);
        let limits = device.limits();
        let rows = RowLayout::new(shape, 16 * u64::from(row_length), device, settings);
        let longest_slab = u64::from(rows.slab_rows(0)) * u64::from(row_length);
        let layout = MatrixLayout::new(shape, weighing, rows, longest_slab, device, settings);
        let slabs = table::max_slabs(limits.max_bindings);
        if layout.rows.rows_per_slab == 0 || layout.rows.slabs() > slabs {
            return Err(Error::TooLarge {
                what: "the contribution matrix in the bindings of a kernel",
                needed: layout.matrix_bytes().get(),
                available: limits.max_binding_bytes * u64::from(slabs),
                device: device.info().name.clone(),
            });
        }
        Ok(layout)
    }

    /// With slots for as many rows as the bindings can hold, be it none, whatever memory the device
    /// has.
    pub(crate) fn with_slots(
        shape: Shape,
        weighing: Weighing,
        device: &Device,
        settings: &Settings,
    ) -> MatrixLayout {
        let row_length = row_length(shape);
        let rows = RowLayout::new(shape, 0, device, settings);
        let held = bindable_slots(shape, row_length, device.limits());
        let longest_slab = u64::from(held.slots_per_slab) * u64::from(row_length);
        let layout = MatrixLayout::new(shape, weighing, rows, longest_slab, device, settings);
        MatrixLayout { held: Some(held), ..layout }
    }

    /// `longest_slab`: chunks of the matrix's longest slab.
    fn new(
        shape: Shape,
        weighing: Weighing,
        rows: RowLayout,
        longest_slab: u64,
        device: &Device,
        settings: &Settings,
    ) -> MatrixLayout {
        let limits = device.limits();
        let longest = rows.longest_slab().max(longest_slab);
        MatrixLayout {
            num_items: shape.num_items,
            row_length: row_length(shape),
            rows,
            weighing,
            extra_shift: match weighing {
                Weighing::Weighted => extra_shift(shape.num_items),
                Weighing::Plain => 0,
            },
            held: None,
            texels: settings.texels.unwrap_or(limits.software) && longest <= limits.max_texels,
        }
    }

    /// The weight of an item's row. With 1, and no extra shift, a contribution is the similarity,
    /// bit for bit.
    pub(crate) fn weight(&self, corpus: &Corpus, item: u32) -> u32 {
        match self.weighing {
            Weighing::Weighted => corpus.weights()[item as usize].into(),
            Weighing::Plain => Lambda::ONE as u32,
        }
    }

    /// Device bytes while the matrix is computed.
    fn peak_bytes(&self) -> Bytes {
        self.matrix_bytes() + self.rows_bytes()
    }

    /// Bytes of the matrix, or of the rows of it that are held.
    pub(crate) fn matrix_bytes(&self) -> Bytes {
        let rows = self.held.map_or(self.rows.padded_items(), |held| held.slots.into());
        Bytes::new(self.matrix_row_bytes()) * rows
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
    pub(crate) fn rows_bytes(&self) -> Bytes {
        self.rows.bytes() + Bytes::of::<u32>(self.rows.padded_items())
    }

    /// Whether the matrix and the rows it is made of fit the device.
    pub(crate) fn check_memory(&self, device: &Device, settings: &Settings) -> Result<()> {
        let available = device.usable_bytes(settings);
        if !self.peak_bytes().fit(available) {
            return Err(Error::TooLarge {
                what: "the contribution matrix and the prepared rows",
                needed: self.peak_bytes().get(),
                available: available.get(),
                device: device.info().name.clone(),
            });
        }
        Ok(())
    }

    /// Picked items whose rows are computed together, where only some rows are held.
    pub(crate) fn group(&self) -> u32 {
        self.rows.padded_items().min(GROUP.into()) as u32
    }

    /// Bytes beside the slots: the prepared rows of all items and of a group, and what is said of
    /// the group.
    pub(crate) fn bytes_beside_slots(&self) -> Bytes {
        self.rows.bytes() + Bytes::new(self.rows.row_bytes() + 8) * self.group().into()
    }
}

/// Chunks of 8 items in a row of the matrix.
pub(crate) fn row_length(shape: Shape) -> u32 {
    shape.num_items.div_ceil(8)
}

/// Slots for as many rows as the matrix's bindings can hold, of those that there are.
fn bindable_slots(shape: Shape, row_length: u32, limits: &Limits) -> HeldRows {
    let in_bytes = limits.max_binding_bytes / (16 * u64::from(row_length));
    let in_texels = limits.max_texels / u64::from(row_length);
    let per_slab = in_bytes.min(if limits.software { in_texels } else { u64::MAX });
    let slots = per_slab.saturating_mul(table::max_slabs(limits.max_bindings).into());
    HeldRows {
        slots: slots.min(shape.num_items.into()) as u32,
        slots_per_slab: per_slab.min(u32::MAX.into()) as u32,
    }
}
