//! The contribution matrix on the device: layout and computation.
//!
//! The matrix is N rows of N 16-bit contributions, rows padded to 8 items. It is cut into slabs of whole rows
//! so that no binding (of the matrix or of the prepared rows) spans more than the device allows; each
//! slab is a buffer of its own. The kernel runs once for every pair of slabs on or above the diagonal.

use std::sync::Arc;
use std::time::Duration;

use super::commands::Commands;
use super::device::Device;
use super::kernels::{self, MAX_SLABS};
use super::memory::Buffer;
use super::multiply::{self, Multiply};
use super::pacing::{self, Pacer};
use super::pipeline::Recipe;
use super::prepared::{self, RowLayout, TILE};
use super::row_cache;
use super::{Settings, Tools};
use crate::corpus::{extra_shift, Corpus};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) num_items: u32,
    /// Chunks of 8 items (16 bytes) in a matrix row.
    pub(super) row_length: u32,
    /// The prepared rows; a slab of the matrix has as many rows as one of theirs.
    pub(super) rows: RowLayout,
    pub(super) extra_shift: u32,
    /// The rows of the matrix that are held, where not all of them fit, and how many of them are in a slab.
    pub(super) cache: Option<(u32, u32)>,
    /// Kernels read the matrix and the prepared rows as texel buffers.
    pub(super) texels: bool,
}

impl Layout {
    pub(super) fn new(
        num_items: u32,
        dim: u32,
        device: &Device,
        settings: &Settings,
    ) -> Result<Layout> {
        let layout = Layout::of_any_size(num_items, dim, device, settings)?;
        layout.check_memory(device, settings)?;
        Ok(layout)
    }

    /// For as many rows of the matrix at a time as leave room for some sequences, and how many of these. `sequence_bytes`: of each of the
    /// `most` that are wanted.
    pub(super) fn cached(
        (num_items, dim): (u32, u32),
        device: &Device,
        settings: &Settings,
        sequence_bytes: u64,
        most: u32,
    ) -> Result<(Layout, u32)> {
        let row_length = num_items.div_ceil(8);
        let limits = device.limits();
        let rows = RowLayout::new(num_items, dim, 0, device, settings);
        let (bindable, per_slab) = row_cache::bindable_slots(device, row_length);
        let longest_slab = rows.longest_slab().max(per_slab.saturating_mul(row_length));
        let mut layout = Layout {
            num_items,
            row_length,
            extra_shift: extra_shift(num_items),
            texels: settings.texels.unwrap_or(limits.software)
                && u64::from(longest_slab) <= limits.max_texels,
            rows,
            cache: None,
        };
        let available = available_bytes(device, settings);
        let fixed = row_cache::other_bytes(&layout);
        // An eighth of the rest is left to the driver and its alignments, a quarter is for sequences.
        let free = available.saturating_sub(fixed) / 8 * 7;
        let row_bytes = layout.matrix_row_bytes();
        // Each sequence may need a row of its own.
        let possible = free / (sequence_bytes + row_bytes);
        let fitting = (free / 4 / sequence_bytes).max(1).min(possible).min(bindable);
        let wave = fitting.min(most.into()) as u32;
        let slots = ((free - u64::from(wave) * sequence_bytes) / row_bytes).min(bindable);
        let slots = slots.min(num_items.into()) as u32;
        if wave == 0 || layout.rows.rows_per_slab == 0 {
            return Err(Error::TooLarge {
                what: "the prepared rows and a row of the contribution matrix",
                needed: fixed + (sequence_bytes + row_bytes).div_ceil(7) * 8,
                available,
                device: device.info().name.clone(),
            });
        }
        layout.cache = Some((slots, per_slab));
        Ok((layout, wave.min(slots)))
    }

    /// Whatever memory the device has.
    pub(super) fn of_any_size(
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
            cache: None,
            texels: settings.texels.unwrap_or(limits.software)
                && u64::from(longest_slab) <= limits.max_texels,
            rows,
        };
        let bindable = limits.max_bindings.saturating_sub(kernels::SEQUENCE_BINDINGS);
        let available = limits.max_binding_bytes * u64::from(bindable.min(MAX_SLABS));
        if layout.rows.rows_per_slab == 0 || layout.rows.slabs() > bindable.min(MAX_SLABS) {
            return Err(Error::TooLarge {
                what: "the contribution matrix's bindings",
                needed: layout.matrix_bytes(),
                available,
                device: device.info().name.clone(),
            });
        }
        Ok(layout)
    }

    /// Device bytes while the matrix is computed.
    pub(super) fn peak_bytes(&self) -> u64 {
        self.matrix_bytes() + self.rows_bytes()
    }

    /// Bytes of the matrix, or of the rows of it that are held.
    pub(super) fn matrix_bytes(&self) -> u64 {
        let rows = self.cache.map_or(self.rows.padded_items(), |(held, _)| held);
        u64::from(rows) * self.matrix_row_bytes()
    }

    pub(super) fn matrix_row_bytes(&self) -> u64 {
        u64::from(self.row_length) * 16
    }

    /// Rows of the matrix in a slab; the last slab may have fewer.
    pub(super) fn matrix_rows_per_slab(&self) -> u32 {
        self.cache.map_or(self.rows.rows_per_slab, |(_, per_slab)| per_slab)
    }

    /// Slabs of the matrix.
    pub(super) fn matrix_slabs(&self) -> u32 {
        self.cache.map_or(self.rows.slabs(), |(held, per_slab)| held.div_ceil(per_slab))
    }

    /// Bytes of the prepared rows and the weights.
    pub(super) fn rows_bytes(&self) -> u64 {
        self.rows.bytes() + u64::from(self.rows.padded_items()) * 4
    }

    fn check_memory(&self, device: &Device, settings: &Settings) -> Result<()> {
        let available = available_bytes(device, settings);
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
}

/// The device bytes that a run may use.
pub(super) fn available_bytes(device: &Device, settings: &Settings) -> u64 {
    device.available_bytes().min(settings.memory_limit.unwrap_or(u64::MAX))
}

/// The prepared rows on the device, and their weights.
pub(super) struct Rows {
    rows: Vec<Buffer>,
    weights: Buffer,
}

/// Brings the prepared rows and the weights to the device.
pub(super) fn upload(
    device: &Arc<Device>,
    commands: &mut Commands,
    corpus: &Corpus,
    layout: &Layout,
    settings: &Settings,
) -> Result<Rows> {
    let rows = prepared::upload(device, commands, corpus, &layout.rows, settings.force_staging)?;
    let bytes = u64::from(layout.rows.padded_items()) * 4;
    let mut weights = Buffer::shared(device, "weights", bytes, settings.force_staging)?;
    weights.write(commands, |to| {
        let weights = corpus.weights().iter();
        prepared::write_padded(to, weights.map(|&weight| u32::from(weight).to_ne_bytes()));
    })?;
    Ok(Rows { rows, weights })
}

/// The computed matrix.
pub(super) struct Matrix {
    pub(super) layout: Layout,
    pub(super) slabs: Vec<Buffer>,
}

impl Matrix {
    /// Room for the matrix, or for the rows of it that are held.
    pub(super) fn allocate(device: &Arc<Device>, layout: &Layout) -> Result<Matrix> {
        let mut left = layout.matrix_bytes();
        let slab_bytes = u64::from(layout.matrix_rows_per_slab()) * layout.matrix_row_bytes();
        let mut slabs = Vec::new();
        while left > 0 {
            let bytes = left.min(slab_bytes);
            slabs.push(Buffer::on_device(device, "contribution matrix", bytes)?);
            left -= bytes;
        }
        Ok(Matrix { layout: layout.clone(), slabs })
    }

    pub(super) fn compute(
        tools: &mut Tools,
        layout: &Layout,
        rows: &Rows,
        progress: &Progress,
    ) -> Result<Matrix> {
        let Matrix { slabs, .. } = Matrix::allocate(tools.device, layout)?;
        let lanes = tile_lanes(tools.device);
        let pipeline =
            tools.pipelines.get(&recipe(tools.device, layout.rows.multiply, layout.texels))?;
        let target = submit_target(tools.settings);
        let mut pacer = Pacer::new(target, 1, tools.device.limits().max_groups);
        for a in 0..layout.rows.slabs() {
            for b in a..layout.rows.slabs() {
                let of = &layout.rows;
                let (tiles_a, tiles_b) = (of.slab_rows(a) / TILE, of.slab_rows(b) / TILE);
                let first_tile = |slab| slab * of.rows_per_slab / TILE;
                let (a, b) = (a as usize, b as usize);
                let bound = pipeline.bind(&[
                    &rows.rows[a],
                    &rows.rows[b],
                    &rows.weights,
                    &slabs[a],
                    &slabs[b],
                ])?;
                let groups = tiles_a.div_ceil(lanes.1);
                let submission = |done, now| {
                    let push = vec![
                        of.dim_length,
                        layout.row_length * 2,
                        tiles_a,
                        tiles_b,
                        first_tile(a as u32),
                        first_tile(b as u32),
                        done * lanes.1,
                        layout.extra_shift,
                    ];
                    (push, (tiles_b.div_ceil(lanes.0), now))
                };
                let what = (&mut *tools.commands, &bound);
                pacing::run(what, &mut pacer, groups, progress, submission, |_| ())?;
            }
        }
        Ok(Matrix { layout: layout.clone(), slabs })
    }
}

/// The kernel of the matrix.
pub(super) fn recipe(device: &Device, multiply: Multiply, texels: bool) -> Recipe {
    let lanes = tile_lanes(device);
    Recipe {
        kernel: multiply::kernels(multiply, texels).matrix,
        constants: vec![(0, lanes.0), (1, lanes.1)],
        push_words: 8,
        subgroup_size: None,
        full_subgroups: false,
    }
}

/// Lanes of a workgroup that computes tiles: those along x share their rows of slab A. A software driver runs 8 at once.
pub(super) fn tile_lanes(device: &Device) -> (u32, u32) {
    if device.limits().software {
        (8, 1)
    } else {
        (8, 8)
    }
}

/// How long a submission should take. With two under way, a cancelled run ends within twice that.
pub(super) fn submit_target(settings: &Settings) -> Duration {
    settings.submit_target.unwrap_or(Duration::from_millis(50))
}
