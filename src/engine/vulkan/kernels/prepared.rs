//! The prepared rows on the device: slabs of whole rows, each in a buffer that one binding can
//! span.
//!
//! A row is D 16-bit values, padded with zeros to chunks of 8, and what `multiply` puts beside
//! them; a slab is padded to whole tiles of 4 rows.

use std::sync::Arc;

use crate::corpus::{Corpus, Shape};
use crate::engine::vulkan::gpu::commands::Commands;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::settings::{Multiply, Settings};
use crate::error::Result;
use crate::memory::Bytes;

/// Rows of a tile of the kernels that multiply, and columns.
pub(crate) const TILE: u32 = 4;

/// The most rows of a slab: the last whole tile that a u32 can count.
const MOST_ROWS: u32 = u32::MAX / TILE * TILE;

/// Where prepared rows lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowLayout {
    pub(crate) num_items: u32,
    /// Rows of a slab, a multiple of `TILE`; the last slab may have fewer. 0 where not even a tile
    /// can be bound.
    pub(crate) rows_per_slab: u32,
    /// Chunks of 8 dimensions (16 bytes) in a row.
    pub(crate) dim_length: u32,
    /// What the rows are written for.
    pub(crate) multiply: Multiply,
}

impl RowLayout {
    /// Slabs as long as the device can bind, also with `other_bytes` for each row in another
    /// buffer.
    pub(crate) fn new(
        shape: Shape,
        other_bytes: u64,
        device: &Device,
        settings: &Settings,
    ) -> RowLayout {
        let Shape { num_items, dim } = shape;
        let dim_length = dim.div_ceil(8);
        let multiply = Multiply::choose(device, settings);
        let row_bytes = 16 * u64::from(dim_length + multiply.extra_chunks());
        let longest_row = other_bytes.max(row_bytes);
        let tile = u64::from(TILE);
        let fitting = device.limits().max_binding_bytes / longest_row / tile * tile;
        let padded = u64::from(num_items).next_multiple_of(tile);
        let rows_per_slab = fitting.min(padded).min(MOST_ROWS.into()) as u32;
        RowLayout { num_items, rows_per_slab, dim_length, multiply }
    }

    /// More than a u32 holds, where there are nearly as many items.
    pub(crate) fn padded_items(&self) -> u64 {
        u64::from(self.num_items).next_multiple_of(TILE.into())
    }

    pub(crate) fn slabs(&self) -> u32 {
        self.num_items.div_ceil(self.rows_per_slab.max(1))
    }

    pub(crate) fn slab_rows(&self, slab: u32) -> u32 {
        let before = u64::from(slab) * u64::from(self.rows_per_slab);
        (self.padded_items() - before).min(self.rows_per_slab.into()) as u32
    }

    /// Chunks of 16 bytes in a row, all together.
    fn row_chunks(&self) -> u32 {
        self.dim_length + self.multiply.extra_chunks()
    }

    pub(crate) fn row_bytes(&self) -> u64 {
        u64::from(self.row_chunks()) * 16
    }

    /// Chunks of the longest slab.
    pub(crate) fn longest_slab(&self) -> u64 {
        u64::from(self.slab_rows(0)) * u64::from(self.row_chunks())
    }

    /// Bytes of all slabs.
    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::new(self.row_bytes()) * self.padded_items()
    }
}

/// Brings the prepared rows to the device, slab by slab, zero padded.
pub(crate) fn upload(
    device: &Arc<Device>,
    commands: &mut Commands,
    corpus: &Corpus,
    layout: &RowLayout,
) -> Result<Vec<Buffer>> {
    let row_bytes = layout.row_chunks() as usize * 16;
    let mut slabs = Vec::new();
    for slab in 0..layout.slabs() {
        let bytes = layout.slab_rows(slab) as usize * row_bytes;
        let mut buffer = Buffer::shared(device, "prepared rows", bytes as u64)?;
        let first = slab * layout.rows_per_slab;
        buffer.write(commands, |to| {
            for (item, to) in (first..).zip(to[..bytes].chunks_exact_mut(row_bytes)) {
                let row = if item < layout.num_items { corpus.row(item) } else { &[] };
                layout.multiply.write(row, to);
            }
        })?;
        slabs.push(buffer);
    }
    Ok(slabs)
}

/// Writes `values`, and zeros behind them.
pub(crate) fn write_padded<const N: usize>(to: &mut [u8], values: impl Iterator<Item = [u8; N]>) {
    let mut chunks = to.chunks_exact_mut(N);
    for (value, to) in values.zip(&mut chunks) {
        to.copy_from_slice(&value);
    }
    chunks.for_each(|rest| rest.fill(0));
}
