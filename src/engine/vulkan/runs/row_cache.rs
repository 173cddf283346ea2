//! Rows of the contribution matrix computed when they are first needed, where the whole matrix does
//! not fit the device.
//!
//! The prepared rows stay on the device. Before every pick the rows of the items picked last are
//! brought into slots; `lru` says which are there and which go. The missing ones are computed by
//! groups: their prepared rows go up again, side by side, and rows.comp multiplies them with all
//! items.

use super::matrix::Matrix;
use super::tools::Tools;
use crate::corpus::Corpus;
use crate::engine::lru::{Lru, Missing};
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing::{self, Pacer, Units};
use crate::engine::vulkan::gpu::pipeline::{Dispatch, Recipe, Workgroups};
use crate::engine::vulkan::kernels::layout::{HeldRows, MatrixLayout};
use crate::engine::vulkan::kernels::multiply;
use crate::engine::vulkan::kernels::prepared::{self, TILE};
use crate::engine::vulkan::settings::Multiply;
use crate::error::Result;
use crate::memory::{room, Bytes};
use crate::progress::Progress;

/// Bytes of the host that the rows of a corpus take, for `wave` sequences side by side.
pub(crate) fn host_bytes(layout: &MatrixLayout, held: HeldRows, wave: u32) -> Bytes {
    let wave = Bytes::of::<u32>(wave.into()) + Bytes::of::<Missing>(wave.into());
    Lru::bytes(layout.num_items, held.slots) + wave
}

/// The rows of a corpus.
pub(crate) struct RowCache<'a> {
    corpus: &'a Corpus,
    lru: Lru,
    slots: Vec<u32>,
    missing: Vec<Missing>,
    rows: Vec<Buffer>,
    /// The prepared rows of a group, and the slots and weights of its items.
    group_rows: Buffer,
    picked: Buffer,
    pacer: Pacer,
}

impl<'a> RowCache<'a> {
    /// For `wave` sequences side by side.
    pub(crate) fn new(
        tools: &mut Tools,
        corpus: &'a Corpus,
        layout: &MatrixLayout,
        held: HeldRows,
        wave: u32,
    ) -> Result<RowCache<'a>> {
        let device = tools.device;
        let rows = prepared::upload(device, tools.commands, corpus, &layout.rows)?;
        let group = u64::from(layout.group());
        let bytes = group * layout.rows.row_bytes();
        let group_rows = Buffer::shared(device, "prepared rows of picks", bytes)?;
        let picked = Buffer::shared(device, "slots of picks", group * 8)?;
        let lru = Lru::new(layout.num_items, held.slots)?;
        let max_groups = device.limits().max_groups;
        let pacer = Pacer::new(pacing::target(tools.settings), 1, max_groups);
        let slots = room(wave as usize, "the slots of a wave")?;
        let missing = room(wave as usize, "the rows that a wave misses")?;
        Ok(RowCache { corpus, lru, slots, missing, rows, group_rows, picked, pacer })
    }

    /// Brings the rows of `items` into the slabs of `matrix`, and returns the slot of each.
    pub(crate) fn bring(
        &mut self,
        tools: &mut Tools,
        matrix: &Matrix,
        items: &[u32],
        progress: &Progress,
    ) -> Result<&[u32]> {
        self.lru.fetch(items, &mut self.slots, &mut self.missing);
        // Slab by slab: a dispatch writes to one of them.
        let per_slab = matrix.layout.matrix_rows_per_slab();
        let slab_of = |one: &Missing| one.slot / per_slab;
        let mut missing = std::mem::take(&mut self.missing);
        missing.sort_unstable_by_key(|one| one.slot);
        for of_slab in missing.chunk_by(|one, other| slab_of(one) == slab_of(other)) {
            let slab = slab_of(&of_slab[0]);
            for group in of_slab.chunks(matrix.layout.group() as usize) {
                self.compute(tools, matrix, slab, group, progress)?;
            }
        }
        self.missing = missing;
        Ok(&self.slots)
    }

    /// Computes the rows of a group of items, each into its slot, all in one slab.
    fn compute(
        &mut self,
        tools: &mut Tools,
        matrix: &Matrix,
        slab: u32,
        group: &[Missing],
        progress: &Progress,
    ) -> Result<()> {
        let layout = &matrix.layout;
        self.upload(tools, layout, slab * layout.matrix_rows_per_slab(), group)?;
        let lanes = multiply::lanes(tools.device);
        let recipe = recipe(tools.device, layout.rows.multiply, layout.texels);
        let pipeline = tools.pipelines.get(&recipe)?;
        let tiles_a = (group.len() as u32).div_ceil(TILE);
        let out = &matrix.slabs[slab as usize];
        for (b, rows) in (0..).zip(&self.rows) {
            let bound = pipeline.bind(&[&self.group_rows, rows, &self.picked, out])?;
            let tiles_b = layout.rows.slab_rows(b) / TILE;
            let dispatch = |units: Units| Dispatch {
                push: vec![
                    layout.rows.dim_length,
                    layout.row_length * 2,
                    tiles_a,
                    tiles_b,
                    b * layout.rows.rows_per_slab / TILE,
                    units.done * lanes.y,
                    layout.extra_shift,
                ],
                groups: Workgroups { x: tiles_b.div_ceil(lanes.x), y: units.now },
            };
            let groups = tiles_a.div_ceil(lanes.y);
            self.pacer.run(tools.commands, &bound, groups, progress, dispatch, |_| ())?;
        }
        Ok(())
    }

    /// The group's prepared rows, slots and weights; what pads its last tile has no slot.
    fn upload(
        &mut self,
        tools: &mut Tools,
        layout: &MatrixLayout,
        first_slot: u32,
        group: &[Missing],
    ) -> Result<()> {
        let row_bytes = layout.rows.row_bytes() as usize;
        let padded = group.len().next_multiple_of(TILE as usize);
        let (corpus, multiply) = (self.corpus, layout.rows.multiply);
        self.group_rows.write_at(tools.commands, 0..(padded * row_bytes) as u64, |bytes| {
            let mut items = group.iter();
            for to in bytes.chunks_exact_mut(row_bytes) {
                multiply.write(items.next().map_or(&[], |one| corpus.row(one.item)), to);
            }
        })?;
        self.picked.write_at(tools.commands, 0..padded as u64 * 8, |bytes| {
            let mut items = group.iter();
            for to in bytes.chunks_exact_mut(8) {
                let (slot, weight) = items.next().map_or((u32::MAX, 0), |one| {
                    (one.slot - first_slot, layout.weight(corpus, one.item))
                });
                to[..4].copy_from_slice(&slot.to_ne_bytes());
                to[4..].copy_from_slice(&weight.to_ne_bytes());
            }
        })
    }
}

/// The kernel of the rows.
pub(crate) fn recipe(device: &Device, multiply: Multiply, texels: bool) -> Recipe {
    multiply::recipe(device, multiply::kernels(multiply, texels).rows, 7)
}
