//! The contribution matrix on the device: layout, upload of the prepared rows, computation.
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
use super::pacing::{self, Pacer};
use super::pipeline::Recipe;
use super::{Settings, Tools};
use crate::corpus::{extra_shift, Corpus};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Rows of a tile of the matrix kernel, and columns.
const TILE: u32 = 4;

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) num_items: u32,
    /// Chunks of 8 items (16 bytes) in a matrix row.
    pub(super) row_length: u32,
    /// Rows of a slab, a multiple of `TILE`; the last slab may have fewer.
    pub(super) rows_per_slab: u32,
    /// Chunks of 8 dimensions (16 bytes) in a prepared row.
    dim_length: u32,
    extra_shift: u32,
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
        let row_length = num_items.div_ceil(8);
        let dim_length = dim.div_ceil(8);
        let limits = device.limits();
        let longest_row = 16 * u64::from(row_length.max(dim_length));
        let padded = num_items.next_multiple_of(TILE);
        let fitting = limits.max_binding_bytes / longest_row / u64::from(TILE) * u64::from(TILE);
        let rows_per_slab = fitting.min(u64::from(padded)) as u32;
        let longest_slab = fitting.min(u64::from(padded)) * (longest_row / 16);
        let layout = Layout {
            num_items,
            row_length,
            rows_per_slab,
            dim_length,
            extra_shift: extra_shift(num_items),
            texels: settings.texels.unwrap_or(limits.software) && longest_slab <= limits.max_texels,
        };
        let bindable = limits.max_bindings.saturating_sub(kernels::SEQUENCE_BINDINGS);
        let available = limits.max_binding_bytes * u64::from(bindable.min(MAX_SLABS));
        if rows_per_slab == 0 || layout.slabs() > bindable.min(MAX_SLABS) {
            return Err(Error::TooLarge {
                what: "the contribution matrix's bindings",
                needed: layout.matrix_bytes(),
                available,
                device: device.info().name.clone(),
            });
        }
        layout.check_memory(device, settings)?;
        Ok(layout)
    }

    /// Device bytes while the matrix is computed.
    pub(super) fn peak_bytes(&self) -> u64 {
        self.matrix_bytes() + self.rows_bytes()
    }

    pub(super) fn matrix_bytes(&self) -> u64 {
        u64::from(self.padded_items()) * u64::from(self.row_length) * 16
    }

    pub(super) fn rows_bytes(&self) -> u64 {
        u64::from(self.padded_items()) * (u64::from(self.dim_length) * 16 + 4)
    }

    fn padded_items(&self) -> u32 {
        self.num_items.next_multiple_of(TILE)
    }

    pub(super) fn slabs(&self) -> u32 {
        self.num_items.div_ceil(self.rows_per_slab.max(1))
    }

    fn slab_rows(&self, slab: u32) -> u32 {
        (self.padded_items() - slab * self.rows_per_slab).min(self.rows_per_slab)
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

/// Brings the prepared rows to the device, slab by slab, zero padded.
pub(super) fn upload(
    device: &Arc<Device>,
    commands: &mut Commands,
    corpus: &Corpus,
    layout: &Layout,
    settings: &Settings,
) -> Result<Rows> {
    let row_bytes = layout.dim_length as usize * 16;
    let mut rows = Vec::new();
    for slab in 0..layout.slabs() {
        let bytes = layout.slab_rows(slab) as usize * row_bytes;
        let mut buffer =
            Buffer::shared(device, "prepared rows", bytes as u64, settings.force_staging)?;
        let first = slab * layout.rows_per_slab;
        buffer.write(commands, |to| {
            for (item, to) in (first..).zip(to[..bytes].chunks_exact_mut(row_bytes)) {
                let row = if item < layout.num_items { corpus.row(item) } else { &[] };
                write_padded(to, row.iter().map(|value| value.to_ne_bytes()));
            }
        })?;
        rows.push(buffer);
    }
    let bytes = u64::from(layout.padded_items()) * 4;
    let mut weights = Buffer::shared(device, "weights", bytes, settings.force_staging)?;
    weights.write(commands, |to| {
        write_padded(to, corpus.weights().iter().map(|&weight| u32::from(weight).to_ne_bytes()));
    })?;
    Ok(Rows { rows, weights })
}

fn write_padded<const N: usize>(to: &mut [u8], values: impl Iterator<Item = [u8; N]>) {
    let mut chunks = to.chunks_exact_mut(N);
    for (value, to) in values.zip(&mut chunks) {
        to.copy_from_slice(&value);
    }
    chunks.for_each(|rest| rest.fill(0));
}

/// The computed matrix.
pub(super) struct Matrix {
    pub(super) layout: Layout,
    pub(super) slabs: Vec<Buffer>,
}

impl Matrix {
    pub(super) fn compute(
        tools: Tools,
        layout: &Layout,
        rows: &Rows,
        progress: &Progress,
    ) -> Result<Matrix> {
        let mut slabs = Vec::new();
        for slab in 0..layout.slabs() {
            let bytes = u64::from(layout.slab_rows(slab)) * u64::from(layout.row_length) * 16;
            slabs.push(Buffer::on_device(tools.device, "contribution matrix", bytes)?);
        }
        // Lanes along x share their rows of slab A; a software driver runs 8 lanes at once.
        let lanes = if tools.device.limits().software { (8, 1) } else { (8, 8) };
        let pipeline = tools.pipelines.get(&Recipe {
            kernel: if layout.texels { kernels::MATRIX_TEXELS } else { kernels::MATRIX },
            constants: vec![(0, lanes.0), (1, lanes.1)],
            push_words: 8,
            subgroup_size: None,
        })?;
        let target = submit_target(tools.settings);
        let mut pacer = Pacer::new(target, 1, tools.device.limits().max_groups);
        for a in 0..layout.slabs() {
            for b in a..layout.slabs() {
                let (tiles_a, tiles_b) = (layout.slab_rows(a) / TILE, layout.slab_rows(b) / TILE);
                let first_tile = |slab| slab * layout.rows_per_slab / TILE;
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
                        layout.dim_length,
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

/// How long a submission should take. With two under way, a cancelled run ends within twice that.
pub(super) fn submit_target(settings: &Settings) -> Duration {
    settings.submit_target.unwrap_or(Duration::from_millis(50))
}
