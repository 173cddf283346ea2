//! Rows of the contribution matrix computed when they are first needed, where the whole matrix does not fit the device.
//!
//! The prepared rows stay on the device. Before every pick the rows of the items picked last are brought into
//! slots; `lru` says which are there and which go. The missing ones are computed by groups: their prepared
//! rows go up again, side by side, and rows.comp multiplies them with all items.

use super::lru::Lru;
use crate::corpus::Corpus;
use crate::engine::vulkan::engine::Tools;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing::{self, Pacer};
use crate::engine::vulkan::gpu::pipeline::Recipe;
use crate::engine::vulkan::kernels::layout::Layout;
use crate::engine::vulkan::kernels::multiply::{self, Multiply};
use crate::engine::vulkan::kernels::prepared::{self, TILE};
use crate::error::Result;
use crate::progress::Progress;

/// The rows of a corpus.
pub(crate) struct RowCache<'a> {
    corpus: &'a Corpus,
    lru: Lru,
    slots: Vec<u32>,
    missing: Vec<(u32, u32)>,
    rows: Vec<Buffer>,
    /// The prepared rows of a group, and the slots and weights of its items.
    group_rows: Buffer,
    picked: Buffer,
    pacer: Pacer,
}

impl<'a> RowCache<'a> {
    pub(crate) fn new(
        tools: &mut Tools,
        corpus: &'a Corpus,
        layout: &Layout,
        slots: u32,
    ) -> Result<RowCache<'a>> {
        let (device, staging) = (tools.device, tools.settings.force_staging);
        let rows = prepared::upload(device, tools.commands, corpus, &layout.rows, staging)?;
        let group = u64::from(layout.group());
        let bytes = group * layout.rows.row_bytes();
        let group_rows = Buffer::shared(device, "prepared rows of picks", bytes, staging)?;
        let picked = Buffer::shared(device, "slots of picks", group * 8, staging)?;
        let lru = Lru::new(layout.num_items, slots);
        let max_groups = device.limits().max_groups;
        let pacer = Pacer::new(pacing::target(tools.settings), 1, max_groups);
        let (slots, missing) = Default::default();
        Ok(RowCache { corpus, lru, slots, missing, rows, group_rows, picked, pacer })
    }

    /// Brings the rows of `items` into `slabs`, and returns the slot of each.
    pub(crate) fn bring(
        &mut self,
        tools: &mut Tools,
        (layout, slabs): (&Layout, &[Buffer]),
        items: &[u32],
        progress: &Progress,
    ) -> Result<&[u32]> {
        self.lru.fetch(items, &mut self.slots, &mut self.missing);
        // Slab by slab: a dispatch writes to one of them.
        let per_slab = layout.matrix_rows_per_slab();
        let slab_of = |&(_, slot): &(u32, u32)| slot / per_slab;
        let mut missing = std::mem::take(&mut self.missing);
        missing.sort_unstable_by_key(|&(_, slot)| slot);
        for of_slab in missing.chunk_by(|one, other| slab_of(one) == slab_of(other)) {
            let slab = slab_of(&of_slab[0]);
            for group in of_slab.chunks(layout.group() as usize) {
                let to = (slab * per_slab, &slabs[slab as usize]);
                self.compute(tools, layout, to, group, progress)?;
            }
        }
        self.missing = missing;
        Ok(&self.slots)
    }

    /// Computes the rows of a group of items, each into its slot of one slab, whose first slot is given.
    fn compute(
        &mut self,
        tools: &mut Tools,
        layout: &Layout,
        (first_slot, slab): (u32, &Buffer),
        group: &[(u32, u32)],
        progress: &Progress,
    ) -> Result<()> {
        self.upload(tools, layout, first_slot, group)?;
        let lanes = multiply::lanes(tools.device);
        let recipe = recipe(tools.device, layout.rows.multiply, layout.texels);
        let pipeline = tools.pipelines.get(&recipe)?;
        let tiles_a = (group.len() as u32).div_ceil(TILE);
        for (b, rows) in (0..).zip(&self.rows) {
            let bound = pipeline.bind(&[&self.group_rows, rows, &self.picked, slab])?;
            let tiles_b = layout.rows.slab_rows(b) / TILE;
            let submission = |done: u32, now| {
                let push = vec![
                    layout.rows.dim_length,
                    layout.row_length * 2,
                    tiles_a,
                    tiles_b,
                    b * layout.rows.rows_per_slab / TILE,
                    done * lanes.1,
                    layout.extra_shift,
                ];
                (push, (tiles_b.div_ceil(lanes.0), now))
            };
            let what = (&mut *tools.commands, &bound);
            let units = tiles_a.div_ceil(lanes.1);
            pacing::run(what, &mut self.pacer, units, progress, submission, |_| ())?;
        }
        Ok(())
    }

    /// The group's prepared rows, slots and weights; what pads its last tile has no slot.
    fn upload(
        &mut self,
        tools: &mut Tools,
        layout: &Layout,
        first_slot: u32,
        group: &[(u32, u32)],
    ) -> Result<()> {
        let row_bytes = layout.rows.row_bytes() as usize;
        let padded = group.len().next_multiple_of(TILE as usize);
        let (corpus, multiply) = (self.corpus, layout.rows.multiply);
        self.group_rows.write_at(tools.commands, 0, (padded * row_bytes) as u64, |bytes| {
            let mut items = group.iter();
            for to in bytes.chunks_exact_mut(row_bytes) {
                multiply.write(items.next().map_or(&[], |&(item, _)| corpus.row(item)), to);
            }
        })?;
        self.picked.write_at(tools.commands, 0, padded as u64 * 8, |bytes| {
            let mut items = group.iter();
            for to in bytes.chunks_exact_mut(8) {
                let (slot, weight) = items.next().map_or((u32::MAX, 0), |&(item, slot)| {
                    (slot - first_slot, u32::from(corpus.weights()[item as usize]))
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
