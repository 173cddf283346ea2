//! The contribution matrix on the device: its slabs, and the computation of a whole one.
//!
//! The kernel runs once for every pair of slabs on or above the diagonal. Where not all rows fit, the slabs are
//! only made here, and `row_cache` fills them.

use std::sync::Arc;

use crate::corpus::Corpus;
use crate::engine::vulkan::engine::{Settings, Tools};
use crate::engine::vulkan::gpu::commands::Commands;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing::{self, Pacer};
use crate::engine::vulkan::gpu::pipeline::Recipe;
use crate::engine::vulkan::kernels::layout::Layout;
use crate::engine::vulkan::kernels::multiply::{self, Multiply};
use crate::engine::vulkan::kernels::prepared::{self, TILE};
use crate::error::Result;
use crate::progress::Progress;

/// The prepared rows on the device, and their weights.
pub(crate) struct Rows {
    rows: Vec<Buffer>,
    weights: Buffer,
}

/// Brings the prepared rows and the weights to the device.
pub(crate) fn upload(
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
pub(crate) struct Matrix {
    pub(crate) layout: Layout,
    pub(crate) slabs: Vec<Buffer>,
}

impl Matrix {
    /// Room for the matrix, or for the rows of it that are held.
    pub(crate) fn allocate(device: &Arc<Device>, layout: &Layout) -> Result<Matrix> {
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

    pub(crate) fn compute(
        tools: &mut Tools,
        layout: &Layout,
        rows: &Rows,
        progress: &Progress,
    ) -> Result<Matrix> {
        let Matrix { slabs, .. } = Matrix::allocate(tools.device, layout)?;
        let lanes = multiply::lanes(tools.device);
        let pipeline =
            tools.pipelines.get(&recipe(tools.device, layout.rows.multiply, layout.texels))?;
        let target = pacing::target(tools.settings);
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
pub(crate) fn recipe(device: &Device, multiply: Multiply, texels: bool) -> Recipe {
    multiply::recipe(device, multiply::kernels(multiply, texels).matrix, 8)
}
