//! The blocks of a search.
//!
//! A block's rows of dot products are computed (dots.comp) and, for neighbours, searched where they
//! lie (nearest.comp), so that only k numbers and dot products a query come back.

use super::layout::{Block, SearchLayout, Wanted};
use super::nearest;
use crate::corpus::Corpus;
use crate::engine::neighbors::Query;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing::{self, Pacer, Units};
use crate::engine::vulkan::gpu::pipeline::{Dispatch, Recipe, Workgroups};
use crate::engine::vulkan::kernels::multiply;
use crate::engine::vulkan::kernels::prepared::{self, RowLayout, TILE};
use crate::engine::vulkan::runs::tools::Tools;
use crate::engine::vulkan::settings::Multiply;
use crate::engine::{PutDots, PutNeighbors};
use crate::error::Result;
use crate::memory::zeroed;
use crate::progress::{Phase, Progress};

/// Finds the neighbours of the queries from `done` on; counts in `done` what was put, also when an
/// error ends the run.
pub(crate) fn neighbors(
    mut tools: Tools,
    corpus: &Corpus,
    query: &Query,
    out: &dyn PutNeighbors,
    progress: &Progress,
    done: &mut u32,
) -> Result<()> {
    let wanted = Wanted::Nearest(query.k);
    let layout = SearchLayout::new(tools.device, tools.settings, &query.shape(corpus), wanted)?;
    let put = |row: u32, values: &[i32]| {
        let (indices, dots) = values.split_at(query.k as usize);
        out.put(row, bytemuck::cast_slice(indices), dots)
    };
    let new = || SearchRun::new(&mut tools, layout, corpus, query);
    progress.time(Phase::Upload, new)?.blocks(tools, put, progress, done)
}

/// Puts the dot products of all items from `done` on; counts as [`neighbors`].
pub(crate) fn dots(
    mut tools: Tools,
    corpus: &Corpus,
    out: &dyn PutDots,
    progress: &Progress,
    done: &mut u32,
) -> Result<()> {
    let query = Query { queries: None, k: 0 };
    let shape = query.shape(corpus);
    let layout = SearchLayout::new(tools.device, tools.settings, &shape, Wanted::Dots)?;
    let put = |row: u32, values: &[i32]| out.put(row, 0, &values[..corpus.num_items() as usize]);
    let new = || SearchRun::new(&mut tools, layout, corpus, &query);
    progress.time(Phase::Upload, new)?.blocks(tools, put, progress, done)
}

/// The buffers and the pacing of a run.
struct SearchRun {
    layout: SearchLayout,
    items: Vec<Buffer>,
    /// None where the queries are the items.
    queries: Option<Vec<Buffer>>,
    dots: Buffer,
    /// None where the dot products themselves are wanted.
    nearest: Option<NearestBuffers>,
    multiply_pacer: Pacer,
    search_pacer: Pacer,
}

/// What the search in the dot products of a block takes.
struct NearestBuffers {
    k: u32,
    /// Two lists of candidates for each query.
    lists: Buffer,
    results: Buffer,
}

impl SearchRun {
    fn new(
        tools: &mut Tools,
        layout: SearchLayout,
        corpus: &Corpus,
        query: &Query,
    ) -> Result<SearchRun> {
        let device = tools.device;
        let mut upload =
            |rows: &Corpus, of: &RowLayout| prepared::upload(device, tools.commands, rows, of);
        let items = upload(corpus, &layout.items)?;
        let queries = query.queries.map(|queries| upload(queries, &layout.queries)).transpose()?;
        let block = u64::from(layout.block);
        let bytes = block * layout.stride() * 4;
        let dots = match layout.wanted {
            Wanted::Dots => Buffer::shared(device, "dot products", bytes)?,
            Wanted::Nearest(_) => Buffer::on_device(device, "dot products", bytes)?,
        };
        let nearest = match layout.wanted {
            Wanted::Dots => None,
            Wanted::Nearest(k) => {
                let lists = block * u64::from(layout.items.num_items) * 8;
                let lists = Buffer::on_device(device, "candidates", lists)?;
                let results = Buffer::shared(device, "neighbours", block * u64::from(k) * 8)?;
                Some(NearestBuffers { k, lists, results })
            }
        };
        let target = pacing::target(tools.settings);
        let max_groups = device.limits().max_groups;
        let multiply_pacer = Pacer::new(target, 1, max_groups);
        let search_pacer = Pacer::new(target, 16, max_groups);
        Ok(SearchRun { layout, items, queries, dots, nearest, multiply_pacer, search_pacer })
    }

    /// Computes block after block and hands the values of each query from `done` on to `put`.
    fn blocks(
        &mut self,
        mut tools: Tools,
        put: impl Fn(u32, &[i32]) -> Result<()>,
        progress: &Progress,
        done: &mut u32,
    ) -> Result<()> {
        let layout = self.layout.clone();
        let mut values = zeroed(layout.result_bytes(1) as usize / 4, "the results of a query")?;
        for block in layout.blocks() {
            let Block { first, rows } = block;
            if first + rows > *done {
                progress.time(Phase::Steps, || self.compute(&mut tools, block, progress))?;
                progress.time(Phase::Download, || {
                    self.read(&mut tools, rows, &mut values, |row, values| {
                        if first + row >= *done {
                            put(first + row, values)?;
                            progress.add_rows(1);
                            *done += 1;
                        }
                        Ok(())
                    })
                })?;
            } else {
                progress.add_steps(self.steps(block), 0);
            }
        }
        Ok(())
    }

    /// Pairs of a query and an item.
    fn steps(&self, block: Block) -> u64 {
        u64::from(block.rows) * u64::from(self.layout.items.num_items)
    }

    /// The results of a block, into the buffers.
    fn compute(&mut self, tools: &mut Tools, block: Block, progress: &Progress) -> Result<()> {
        for slab in 0..self.layout.items.slabs() {
            self.multiply(tools, block, slab, progress)?;
        }
        self.search(tools, block, progress)?;
        progress.add_steps(self.steps(block), 0);
        Ok(())
    }

    /// The dot products of a block with one slab of items.
    fn multiply(
        &mut self,
        tools: &mut Tools,
        block: Block,
        slab: u32,
        progress: &Progress,
    ) -> Result<()> {
        let SearchLayout { items, queries, texels, .. } = &self.layout;
        let lanes = multiply::lanes(tools.device);
        let pipeline = tools.pipelines.get(&dots_recipe(tools.device, items.multiply, *texels))?;
        let query_slab = block.first / queries.rows_per_slab;
        let query_slabs = self.queries.as_ref().unwrap_or(&self.items);
        let bound = pipeline.bind(&[
            &query_slabs[query_slab as usize],
            &self.items[slab as usize],
            &self.dots,
        ])?;
        let (tiles_a, tiles_b) = (block.rows.div_ceil(TILE), items.slab_rows(slab) / TILE);
        let stride = (self.layout.stride() / 4) as u32;
        let dispatch = |units: Units| Dispatch {
            push: vec![
                items.dim_length,
                stride,
                tiles_a,
                tiles_b,
                (block.first - query_slab * queries.rows_per_slab) / TILE,
                slab * items.rows_per_slab / TILE,
                units.done * lanes.y,
            ],
            groups: Workgroups { x: tiles_b.div_ceil(lanes.x), y: units.now },
        };
        let groups = tiles_a.div_ceil(lanes.y);
        self.multiply_pacer.run(tools.commands, &bound, groups, progress, dispatch, |_| ())
    }

    /// The nearest of every query of a block, where they are wanted.
    fn search(&mut self, tools: &mut Tools, block: Block, progress: &Progress) -> Result<()> {
        let Some(NearestBuffers { k, lists, results }) = &self.nearest else { return Ok(()) };
        let num_items = self.layout.items.num_items;
        let pipeline = tools.pipelines.get(&nearest::recipe(tools.device, num_items)?)?;
        let bound = pipeline.bind(&[&self.dots, lists, results])?;
        let (stride, own) = (self.layout.stride() as u32, u32::from(self.layout.own));
        let dispatch = |units: Units| Dispatch {
            push: vec![num_items, stride, *k, block.first, units.done, own],
            groups: Workgroups::row(units.now),
        };
        let rows = block.rows;
        self.search_pacer.run(tools.commands, &bound, rows, progress, dispatch, |_| ())
    }

    /// Hands the values of the block's first `rows` queries to `put`, by way of `values`.
    fn read(
        &mut self,
        tools: &mut Tools,
        rows: u32,
        values: &mut [i32],
        mut put: impl FnMut(u32, &[i32]) -> Result<()>,
    ) -> Result<()> {
        let (bytes, row_bytes) = (self.layout.result_bytes(rows), self.layout.result_bytes(1));
        let results = match &mut self.nearest {
            Some(nearest) => &mut nearest.results,
            None => &mut self.dots,
        };
        results.read_at(tools.commands, 0..bytes, |bytes| {
            for (row, bytes) in (0..).zip(bytes.chunks_exact(row_bytes as usize)) {
                bytemuck::cast_slice_mut(values).copy_from_slice(bytes);
                put(row, values)?;
            }
            Ok(())
        })?
    }
}

/// The kernel of the dot products.
pub(crate) fn dots_recipe(device: &Device, multiply: Multiply, texels: bool) -> Recipe {
    multiply::recipe(device, multiply::kernels(multiply, texels).dots, 7)
}
