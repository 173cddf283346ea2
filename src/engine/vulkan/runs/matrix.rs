//! The contribution matrix on the device: its slabs, and the computation of a whole one.
//!
//! The kernel runs once for every pair of slabs on or above the diagonal. Where not all rows fit,
//! the slabs are only made here, and `row_cache` fills them.

use std::sync::Arc;

use super::tools::Tools;
use crate::corpus::Corpus;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing::{self, Pacer, Units};
use crate::engine::vulkan::gpu::pipeline::{Dispatch, Pipeline, Recipe, Workgroups};
use crate::engine::vulkan::kernels::layout::MatrixLayout;
use crate::engine::vulkan::kernels::multiply;
use crate::engine::vulkan::kernels::prepared::{self, TILE};
use crate::engine::vulkan::settings::Multiply;
use crate::error::Result;
use crate::progress::Progress;

/// The prepared rows on the device, and their weights.
pub(crate) struct WeightedRows {
    rows: Vec<Buffer>,
    weights: Buffer,
}

/// Brings the prepared rows and the weights to the device.
pub(crate) fn upload(
    tools: &mut Tools,
    corpus: &Corpus,
    layout: &MatrixLayout,
) -> Result<WeightedRows> {
    let rows = prepared::upload(tools.device, tools.commands, corpus, &layout.rows)?;
    let bytes = layout.rows.padded_items() * 4;
    let mut weights = Buffer::shared(tools.device, "weights", bytes)?;
    weights.write(tools.commands, |to| {
        let weight = |item| layout.weight(corpus, item).to_ne_bytes();
        prepared::write_padded(to, (0..corpus.num_items()).map(weight));
    })?;
    Ok(WeightedRows { rows, weights })
}

/// The matrix, or the rows of it that are held.
pub(crate) struct Matrix {
    pub(crate) layout: MatrixLayout,
    pub(crate) slabs: Vec<Buffer>,
}

/// Numbers of two slabs, the second not before the first.
#[derive(Clone, Copy)]
struct SlabPair {
    a: u32,
    b: u32,
}

impl Matrix {
    /// Room for the matrix, or for the rows of it that are held.
    pub(crate) fn allocate(device: &Arc<Device>, layout: &MatrixLayout) -> Result<Matrix> {
        // It was planned for, so it can be counted.
        let mut left = layout.matrix_bytes().get();
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
        layout: &MatrixLayout,
        rows: &WeightedRows,
        progress: &Progress,
    ) -> Result<Matrix> {
        let matrix = Matrix::allocate(tools.device, layout)?;
        let recipe = recipe(tools.device, layout.rows.multiply, layout.texels);
        let pipeline = tools.pipelines.get(&recipe)?;
        let target = pacing::target(tools.settings);
        let mut pacer = Pacer::new(target, 1, tools.device.limits().max_groups);
        for a in 0..layout.rows.slabs() {
            for b in a..layout.rows.slabs() {
                let pair = SlabPair { a, b };
                matrix.compute_pair(tools, &pipeline, rows, pair, &mut pacer, progress)?;
            }
        }
        Ok(matrix)
    }

    /// The contributions of the rows of two slabs to each other.
    fn compute_pair(
        &self,
        tools: &mut Tools,
        pipeline: &Arc<Pipeline>,
        rows: &WeightedRows,
        pair: SlabPair,
        pacer: &mut Pacer,
        progress: &Progress,
    ) -> Result<()> {
        let (layout, of) = (&self.layout, &self.layout.rows);
        let lanes = multiply::lanes(tools.device);
        let (a, b) = (pair.a as usize, pair.b as usize);
        let bound = pipeline.bind(&[
            &rows.rows[a],
            &rows.rows[b],
            &rows.weights,
            &self.slabs[a],
            &self.slabs[b],
        ])?;
        let (tiles_a, tiles_b) = (of.slab_rows(pair.a) / TILE, of.slab_rows(pair.b) / TILE);
        let first_tile = |slab| slab * of.rows_per_slab / TILE;
        let dispatch = |units: Units| Dispatch {
            push: vec![
                of.dim_length,
                layout.row_length * 2,
                tiles_a,
                tiles_b,
                first_tile(pair.a),
                first_tile(pair.b),
                units.done * lanes.y,
                layout.extra_shift,
            ],
            groups: Workgroups { x: tiles_b.div_ceil(lanes.x), y: units.now },
        };
        let groups = tiles_a.div_ceil(lanes.y);
        pacer.run(tools.commands, &bound, groups, progress, dispatch, |_| ())
    }
}

/// The kernel of the matrix.
pub(crate) fn recipe(device: &Device, multiply: Multiply, texels: bool) -> Recipe {
    multiply::recipe(device, multiply::kernels(multiply, texels).matrix, 8)
}
