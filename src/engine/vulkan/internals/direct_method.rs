//! The direct method on the same device, as a baseline for the benchmark: no contribution matrix;
//! every pick adds an embedding to a centroid and takes N dot products of D with it, in f32.
//!
//! It is what one writes first, done as well as the other kernels here: one subgroup per sequence,
//! 16-byte loads, taken items skipped.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::engine::vulkan::engine::VulkanEngine;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pipeline::{Constant, Dispatch, Recipe, Workgroups};
use crate::engine::vulkan::kernels::table;
use crate::error::{Error, Result};

/// Computes `length` items of a sequence from each of `starts` over `num_items` f32 rows (unit
/// length, for cosine) by the direct method. Returns the sequences and the time they took.
pub fn direct_method(
    engine: &mut VulkanEngine,
    embeddings: &[f32],
    num_items: u32,
    starts: &[u32],
    length: u32,
) -> Result<(Vec<u32>, Duration)> {
    let dim = embeddings.len() / num_items as usize;
    let chunks = (dim as u32).div_ceil(4);
    let settings = engine.settings().clone();
    let tools = engine.tools(&settings)?;
    let (device, sequences) = (tools.device, starts.len() as u64);
    let lanes = device.info().subgroup_size;
    let rows = u64::from(num_items) * u64::from(chunks) * 16;
    let mut items = Buffer::shared(device, "baseline embeddings", rows)?;
    items.write(tools.commands, |to| {
        let padded = to.chunks_exact_mut(chunks as usize * 16);
        for (to, row) in padded.zip(embeddings.chunks_exact(dim)) {
            to.fill(0);
            for (to, value) in to.chunks_exact_mut(4).zip(row) {
                to.copy_from_slice(&value.to_ne_bytes());
            }
        }
    })?;
    let centroids =
        Buffer::on_device(device, "baseline centroids", sequences * u64::from(chunks) * 16)?;
    let taken = Buffer::on_device(device, "baseline taken", sequences * u64::from(num_items) * 4)?;
    let row_bytes = length as usize * 4;
    let mut picks = Buffer::shared(device, "baseline picks", sequences * row_bytes as u64)?;
    picks.write(tools.commands, |to| {
        for (row, start) in to.chunks_exact_mut(row_bytes).zip(starts) {
            row[..4].copy_from_slice(&start.to_ne_bytes());
        }
    })?;
    let kernel = match device.limits().software {
        true => table::DIRECT_METHOD_TEXELS,
        false => table::DIRECT_METHOD,
    };
    let recipe = Recipe::plain(kernel, vec![Constant { id: 0, value: lanes }], 5);
    let buffers = [&items, &centroids, &picks, &taken];
    let kernel = tools.pipelines.get(&recipe)?.bind(&buffers)?;

    let rounds = num_items.div_ceil(lanes) * (chunks + 2) + 2 * chunks + 64;
    let per_dispatch = match device.info().loop_budget {
        0 => 64,
        budget => budget / rounds,
    };
    if per_dispatch == 0 {
        return Err(Error::TooManyRounds {
            what: "one direct pick",
            needed: rounds.into(),
            allowed: device.info().loop_budget.into(),
            device: device.info().name.clone(),
        });
    }
    let dispatch = |picks: Range<u32>, sequences: usize| Dispatch {
        push: vec![num_items, chunks, length, picks.start, picks.end],
        groups: Workgroups::row(sequences as u32),
    };
    // Some drivers compile at the first dispatch.
    tools.commands.dispatch(&kernel, &dispatch(1..1, 1))?;
    let begin = Instant::now();
    let mut pick = 1;
    while pick < length {
        let end = (pick + per_dispatch).min(length);
        tools.commands.dispatch(&kernel, &dispatch(pick..end, starts.len()))?;
        pick = end;
    }
    let took = begin.elapsed();
    let out = picks.read_at(tools.commands, 0..sequences * row_bytes as u64, |bytes| {
        let word = |word: &[u8]| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
        bytes.chunks_exact(4).map(word).collect()
    })?;
    Ok((out, took))
}
