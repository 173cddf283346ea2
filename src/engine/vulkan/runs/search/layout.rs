//! How a search is laid out: blocks of queries as long as the memory allows, up to a size at which
//! a GPU is busy.

use crate::corpus::Shape;
use crate::engine::neighbors::QueryShape;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::kernels::prepared::{RowLayout, TILE};
use crate::engine::vulkan::settings::Settings;
use crate::engine::Needs;
use crate::error::{Error, Result};
use crate::memory::Bytes;

/// Bytes of a block: on a GPU enough for some thousand queries, on a software driver about what its
/// caches hold.
const GPU_BLOCK: u64 = 256 << 20;
const SOFTWARE_BLOCK: u64 = 32 << 20;

/// Some queries, computed side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// The first query.
    pub(super) first: u32,
    /// How many there are.
    pub(super) rows: u32,
}

/// What is computed of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The dot products themselves.
    Dots,
    /// The nearest k of each query.
    Nearest(u32),
}

/// How a search is laid out.
#[derive(Debug, Clone)]
pub(crate) struct SearchLayout {
    pub(super) items: RowLayout,
    pub(super) queries: RowLayout,
    /// The queries are the items.
    pub(super) own: bool,
    pub(super) wanted: Wanted,
    /// Queries of a block, a multiple of `TILE`.
    pub(super) block: u32,
    pub(super) texels: bool,
}

impl SearchLayout {
    /// Of a search; for dot products `shape.k` does not matter.
    pub(crate) fn new(
        device: &Device,
        settings: &Settings,
        shape: &QueryShape,
        wanted: Wanted,
    ) -> Result<SearchLayout> {
        let limits = device.limits();
        let rows = |count| RowLayout::new(Shape::new(count, shape.dim), 0, device, settings);
        let (items, queries) = (rows(shape.num_items), rows(shape.num_rows));
        let longest = items.longest_slab().max(queries.longest_slab());
        let texels = settings.texels.unwrap_or(limits.software) && longest <= limits.max_texels;
        let mut layout = SearchLayout { items, queries, own: shape.own, wanted, block: 0, texels };
        let available = device.usable_bytes(settings);
        let rows = layout.rows_bytes();
        let usual = if limits.software { SOFTWARE_BLOCK } else { GPU_BLOCK };
        // An eighth of the rest is left to the driver and its alignments.
        let free = available.less(rows).get() / 8 * 7;
        let free = free.min(usual.max(layout.query_bytes()));
        let bindable = limits.max_binding_bytes / layout.longest_binding();
        let fitting = (free / layout.query_bytes()).min(bindable).min(limits.max_groups.into());
        let tiles = fitting.min(layout.queries.rows_per_slab.into()) as u32 / TILE;
        layout.block = tiles * TILE;
        if layout.block == 0 || layout.items.rows_per_slab == 0 {
            return Err(Error::TooLarge {
                what: "the prepared rows and one block of dot products",
                needed: (rows + Bytes::new(layout.query_bytes() / 7 * 8) * TILE.into()).get(),
                available: available.get(),
                device: device.info().name.clone(),
            });
        }
        Ok(layout)
    }

    /// Dot products in a row, with the padding.
    pub(super) fn stride(&self) -> u64 {
        self.items.padded_items()
    }

    /// Bytes of a query in the buffers of a block: dot products, two lists, results.
    fn query_bytes(&self) -> u64 {
        let dots = self.stride() * 4;
        match self.wanted {
            Wanted::Dots => dots,
            Wanted::Nearest(k) => dots + u64::from(self.items.num_items) * 8 + u64::from(k) * 8,
        }
    }

    /// Bytes of a query in the longest of these buffers.
    fn longest_binding(&self) -> u64 {
        match self.wanted {
            Wanted::Dots => self.stride() * 4,
            Wanted::Nearest(_) => self.stride() * 8,
        }
    }

    fn rows_bytes(&self) -> Bytes {
        self.items.bytes() + if self.own { Bytes::ZERO } else { self.queries.bytes() }
    }

    /// What comes back of a block of `rows` queries.
    pub(super) fn result_bytes(&self, rows: u32) -> u64 {
        let row = match self.wanted {
            Wanted::Dots => self.stride() * 4,
            Wanted::Nearest(k) => u64::from(k) * 8,
        };
        u64::from(rows) * row
    }

    pub(crate) fn needs(&self, device: &Device) -> Needs {
        let blocks = self.num_blocks();
        let staged = match device.is_staged() {
            // A slab goes up through one staging buffer, a block's results come down through
            // another, later.
            true => Bytes::new(self.result_bytes(self.block)).max(self.rows_bytes()),
            false => Bytes::ZERO,
        };
        let kernels = u64::from(self.items.slabs()) + u64::from(self.wanted != Wanted::Dots);
        Needs {
            host_bytes: staged + Bytes::new(self.result_bytes(1)),
            device_bytes: self.rows_bytes() + Bytes::new(self.query_bytes()) * self.block.into(),
            groups: blocks,
            dispatches: blocks.saturating_mul(kernels),
            ..Needs::default()
        }
    }

    /// How many blocks there are.
    fn num_blocks(&self) -> u64 {
        let RowLayout { num_items, rows_per_slab, .. } = self.queries;
        let whole = u64::from(num_items / rows_per_slab);
        let in_slab = u64::from(rows_per_slab.div_ceil(self.block));
        whole * in_slab + u64::from((num_items % rows_per_slab).div_ceil(self.block))
    }

    /// All blocks. None spans two slabs.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        (0..self.queries.slabs()).flat_map(move |slab| {
            let begin = slab * self.queries.rows_per_slab;
            let end = begin.saturating_add(self.queries.rows_per_slab);
            let end = end.min(self.queries.num_items);
            let length = self.block;
            let block = move |first: u32| Block { first, rows: (end - first).min(length) };
            (begin..end).step_by(length as usize).map(block)
        })
    }
}
