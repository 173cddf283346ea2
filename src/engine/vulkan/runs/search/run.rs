//! Dot products and neighbours on the device, block by block of queries.
//!
//! A block's rows of dot products are computed (dots.comp) and, for neighbours, searched where they lie
//! (nearest.comp), so that only k numbers and dot products a query come back. Blocks are as long as the
//! memory allows, up to a size at which a GPU is busy.

use crate::corpus::Corpus;
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::vulkan::engine::{Settings, Tools};
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::memory::{self, Buffer};
use crate::engine::vulkan::gpu::pacing::{self, Pacer};
use crate::engine::vulkan::gpu::pipeline::Recipe;
use crate::engine::vulkan::kernels::multiply::{self, Multiply};
use crate::engine::vulkan::kernels::prepared::{self, RowLayout, TILE};
use crate::engine::vulkan::kernels::table as kernels;
use crate::engine::{DotRows, Needs, NeighborRows};
use crate::error::{Error, Result};
use crate::progress::{Phase, Progress};

/// Bytes of a block: on a GPU enough for some thousand queries, on a software driver about what its caches hold.
const GPU_BLOCK: u64 = 256 << 20;
const SOFTWARE_BLOCK: u64 = 32 << 20;

/// Candidates that are ordered by comparing each with each.
const RANKED: u32 = 256;

/// Lanes that search a row on a GPU.
const GPU_LANES: u32 = 256;

/// Counters that the kernel keeps in shared memory where there are 24 KiB of it, and where there are only the 16 KiB that
/// every device has.
const COUNTERS: u32 = 4096;
const FEW_COUNTERS: u32 = 2048;

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
pub(crate) struct Layout {
    items: RowLayout,
    queries: RowLayout,
    own: bool,
    wanted: Wanted,
    /// Queries of a block, a multiple of `TILE`.
    block: u32,
    texels: bool,
}

impl Layout {
    /// Of a search; for dot products `shape.k` does not matter.
    pub(crate) fn new(
        device: &Device,
        settings: &Settings,
        shape: &QueryShape,
        wanted: Wanted,
    ) -> Result<Layout> {
        let limits = device.limits();
        let items = RowLayout::new(shape.num_items, shape.dim, 0, device, settings);
        let queries = RowLayout::new(shape.num_rows, shape.dim, 0, device, settings);
        let longest = items.longest_slab().max(queries.longest_slab());
        let texels =
            settings.texels.unwrap_or(limits.software) && u64::from(longest) <= limits.max_texels;
        let mut layout = Layout { items, queries, own: shape.own, wanted, block: 0, texels };
        let available = device.usable_bytes(settings);
        let rows = layout.rows_bytes();
        let usual = if limits.software { SOFTWARE_BLOCK } else { GPU_BLOCK };
        // An eighth of the rest is left to the driver and its alignments.
        let free = (available.saturating_sub(rows) / 8 * 7).min(usual.max(layout.query_bytes()));
        let bindable = limits.max_binding_bytes / layout.longest_binding();
        let fitting = (free / layout.query_bytes()).min(bindable).min(limits.max_groups.into());
        let tiles = fitting.min(u64::from(layout.queries.padded_items())) as u32 / TILE;
        layout.block = (tiles * TILE).min(layout.queries.rows_per_slab);
        if layout.block == 0 || layout.items.rows_per_slab == 0 {
            return Err(Error::TooLarge {
                what: "the prepared rows and one block of dot products",
                needed: rows + layout.query_bytes() * u64::from(TILE) / 7 * 8,
                available,
                device: device.info().name.clone(),
            });
        }
        Ok(layout)
    }

    /// Dot products in a row, with the padding.
    fn stride(&self) -> u32 {
        self.items.padded_items()
    }

    /// Bytes of a query in the buffers of a block: dot products, two lists, results.
    fn query_bytes(&self) -> u64 {
        let dots = u64::from(self.stride()) * 4;
        match self.wanted {
            Wanted::Dots => dots,
            Wanted::Nearest(k) => dots + u64::from(self.items.num_items) * 8 + u64::from(k) * 8,
        }
    }

    /// Bytes of a query in the longest of these buffers.
    fn longest_binding(&self) -> u64 {
        match self.wanted {
            Wanted::Dots => u64::from(self.stride()) * 4,
            Wanted::Nearest(_) => u64::from(self.stride()) * 8,
        }
    }

    fn rows_bytes(&self) -> u64 {
        self.items.bytes() + if self.own { 0 } else { self.queries.bytes() }
    }

    /// What comes back of a block of `rows` queries.
    fn result_bytes(&self, rows: u32) -> u64 {
        let row = match self.wanted {
            Wanted::Dots => u64::from(self.stride()) * 4,
            Wanted::Nearest(k) => u64::from(k) * 8,
        };
        u64::from(rows) * row
    }

    pub(crate) fn needs(&self, device: &Device, settings: &Settings) -> Needs {
        let blocks = self.blocks().count() as u64;
        let staged = match memory::is_staged(device, settings.force_staging) {
            // A slab goes up through one staging buffer, a block's results come down through another, later.
            true => self.result_bytes(self.block).max(self.rows_bytes()),
            false => 0,
        };
        let kernels = u64::from(self.items.slabs()) + u64::from(self.wanted != Wanted::Dots);
        Needs {
            host_bytes: staged + self.result_bytes(1),
            device_bytes: self.rows_bytes() + u64::from(self.block) * self.query_bytes(),
            batches: blocks,
            dispatches: blocks * kernels,
            held_rows: 0,
        }
    }

    /// The first query and the number of queries of each block. None spans two slabs.
    fn blocks(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.queries.slabs()).flat_map(move |slab| {
            let begin = slab * self.queries.rows_per_slab;
            let end = (begin + self.queries.rows_per_slab).min(self.queries.num_items);
            let length = self.block;
            let block = move |first: u32| (first, (end - first).min(length));
            (begin..end).step_by(length as usize).map(block)
        })
    }
}

/// Finds the neighbours of the queries from `done` on; counts in `done` what was put, also when an error ends the run.
pub(crate) fn neighbors(
    tools: Tools,
    (corpus, query): (&Corpus, &Query),
    out: &dyn NeighborRows,
    progress: &Progress,
    done: &mut u32,
) -> Result<()> {
    let wanted = Wanted::Nearest(query.k);
    let layout = Layout::new(tools.device, tools.settings, &query.shape(corpus), wanted)?;
    let put = |row: u32, values: &[i32]| {
        let (indices, dots) = values.split_at(query.k as usize);
        out.put(row, bytemuck::cast_slice(indices), dots)
    };
    run(tools, layout, (corpus, query.queries), put, progress, done)
}

/// Puts the dot products of all items from `done` on; counts as [`neighbors`].
pub(crate) fn dots(
    tools: Tools,
    corpus: &Corpus,
    out: &dyn DotRows,
    progress: &Progress,
    done: &mut u32,
) -> Result<()> {
    let shape = Query { queries: None, k: 0 }.shape(corpus);
    let layout = Layout::new(tools.device, tools.settings, &shape, Wanted::Dots)?;
    let put = |row: u32, values: &[i32]| out.put(row, 0, &values[..corpus.num_items() as usize]);
    run(tools, layout, (corpus, None), put, progress, done)
}

/// Computes block after block and hands each query's values to `put`.
fn run(
    mut tools: Tools,
    layout: Layout,
    (corpus, queries): (&Corpus, Option<&Corpus>),
    put: impl Fn(u32, &[i32]) -> Result<()>,
    progress: &Progress,
    done: &mut u32,
) -> Result<()> {
    let mut state = progress
        .time(Phase::Upload, || State::new(&mut tools, layout.clone(), (corpus, queries)))?;
    for (first, rows) in layout.blocks() {
        if first + rows <= *done {
            progress.add_steps(u64::from(rows) * u64::from(layout.items.num_items), 0);
            continue;
        }
        progress.time(Phase::Steps, || state.compute(&mut tools, (first, rows), progress))?;
        progress.time(Phase::Download, || {
            state.read(&mut tools, rows, |row, values| {
                if first + row >= *done {
                    put(first + row, values)?;
                    *done += 1;
                }
                Ok(())
            })
        })?;
    }
    Ok(())
}

/// The buffers and the pacing of a run.
struct State {
    layout: Layout,
    items: Vec<Buffer>,
    queries: Option<Vec<Buffer>>,
    dots: Buffer,
    search: Option<(Buffer, Buffer)>,
    multiply_pacer: Pacer,
    search_pacer: Pacer,
}

impl State {
    fn new(
        tools: &mut Tools,
        layout: Layout,
        (corpus, queries): (&Corpus, Option<&Corpus>),
    ) -> Result<State> {
        let (device, staging) = (tools.device, tools.settings.force_staging);
        let mut upload = |rows: &Corpus, of: &RowLayout| {
            prepared::upload(device, tools.commands, rows, of, staging)
        };
        let items = upload(corpus, &layout.items)?;
        let queries = queries.map(|queries| upload(queries, &layout.queries)).transpose()?;
        let block = u64::from(layout.block);
        let bytes = block * u64::from(layout.stride()) * 4;
        let dots = match layout.wanted {
            Wanted::Dots => Buffer::shared(device, "dot products", bytes, staging)?,
            Wanted::Nearest(_) => Buffer::on_device(device, "dot products", bytes)?,
        };
        let search = match layout.wanted {
            Wanted::Dots => None,
            Wanted::Nearest(k) => {
                let lists = block * u64::from(layout.items.num_items) * 8;
                let lists = Buffer::on_device(device, "candidates", lists)?;
                let nearest = block * u64::from(k) * 8;
                Some((lists, Buffer::shared(device, "neighbours", nearest, staging)?))
            }
        };
        let target = pacing::target(tools.settings);
        let max_groups = device.limits().max_groups;
        let multiply_pacer = Pacer::new(target, 1, max_groups);
        let search_pacer = Pacer::new(target, 16, max_groups);
        Ok(State { layout, items, queries, dots, search, multiply_pacer, search_pacer })
    }

    /// The results of the `rows` queries from `first` on, into the buffers.
    fn compute(
        &mut self,
        tools: &mut Tools,
        (first, rows): (u32, u32),
        progress: &Progress,
    ) -> Result<()> {
        for slab in 0..self.layout.items.slabs() {
            self.multiply(tools, (first, rows), slab, progress)?;
        }
        self.search(tools, (first, rows), progress)?;
        progress.add_steps(u64::from(rows) * u64::from(self.layout.items.num_items), 0);
        Ok(())
    }

    /// The dot products of a block with one slab of items.
    fn multiply(
        &mut self,
        tools: &mut Tools,
        (first, rows): (u32, u32),
        slab: u32,
        progress: &Progress,
    ) -> Result<()> {
        let Layout { items, queries, texels, .. } = &self.layout;
        let lanes = multiply::lanes(tools.device);
        let pipeline = tools.pipelines.get(&dots_recipe(tools.device, items.multiply, *texels))?;
        let query_slab = first / queries.rows_per_slab;
        let query_slabs = self.queries.as_ref().unwrap_or(&self.items);
        let bound = pipeline.bind(&[
            &query_slabs[query_slab as usize],
            &self.items[slab as usize],
            &self.dots,
        ])?;
        let (tiles_a, tiles_b) = (rows.div_ceil(TILE), items.slab_rows(slab) / TILE);
        let submission = |done, now| {
            let push = vec![
                items.dim_length,
                self.layout.stride() / 4,
                tiles_a,
                tiles_b,
                (first - query_slab * queries.rows_per_slab) / TILE,
                slab * items.rows_per_slab / TILE,
                done * lanes.1,
            ];
            (push, (tiles_b.div_ceil(lanes.0), now))
        };
        let what = (&mut *tools.commands, &bound);
        let units = tiles_a.div_ceil(lanes.1);
        pacing::run(what, &mut self.multiply_pacer, units, progress, submission, |_| ())
    }

    /// The nearest of every query of a block.
    fn search(
        &mut self,
        tools: &mut Tools,
        (first, rows): (u32, u32),
        progress: &Progress,
    ) -> Result<()> {
        let (Some((lists, nearest)), Wanted::Nearest(k)) = (&self.search, self.layout.wanted)
        else {
            return Ok(());
        };
        let num_items = self.layout.items.num_items;
        let pipeline = tools.pipelines.get(&nearest_recipe(tools.device, num_items)?)?;
        let bound = pipeline.bind(&[&self.dots, lists, nearest])?;
        let submission = |done, now| {
            let own = u32::from(self.layout.own);
            (vec![num_items, self.layout.stride(), k, first, done, own], (now, 1))
        };
        let what = (&mut *tools.commands, &bound);
        pacing::run(what, &mut self.search_pacer, rows, progress, submission, |_| ())
    }

    /// Hands the values of the block's first `rows` queries to `put`.
    fn read(
        &mut self,
        tools: &mut Tools,
        rows: u32,
        mut put: impl FnMut(u32, &[i32]) -> Result<()>,
    ) -> Result<()> {
        let (bytes, row_bytes) = (self.layout.result_bytes(rows), self.layout.result_bytes(1));
        let results = match &mut self.search {
            Some((_, nearest)) => nearest,
            None => &mut self.dots,
        };
        results.read(tools.commands, bytes, |bytes| {
            let mut values = vec![0; row_bytes as usize / 4];
            for (row, bytes) in (0..).zip(bytes.chunks_exact(row_bytes as usize)) {
                bytemuck::cast_slice_mut(&mut values).copy_from_slice(bytes);
                put(row, &values)?;
            }
            Ok(())
        })?
    }
}

/// The kernel of the dot products.
pub(crate) fn dots_recipe(device: &Device, multiply: Multiply, texels: bool) -> Recipe {
    multiply::recipe(device, multiply::kernels(multiply, texels).dots, 7)
}

/// The kernel that searches.
pub(crate) fn nearest_recipe(device: &Device, num_items: u32) -> Result<Recipe> {
    let choice = choose(device, num_items)?;
    Ok(Recipe {
        kernel: kernels::NEAREST,
        constants: vec![(0, choice.lanes), (1, choice.bits), (2, RANKED)],
        push_words: 6,
        subgroup_size: None,
        full_subgroups: false,
    })
}

/// The shape of the kernel that searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    lanes: u32,
    /// Of a digit of the sort: as many as leave every lane its counters.
    bits: u32,
}

fn choose(device: &Device, num_items: u32) -> Result<Choice> {
    let limits = device.limits();
    let counters = if limits.max_shared_bytes >= 24 << 10 { COUNTERS } else { FEW_COUNTERS };
    let most = 1 << limits.max_lanes.min(counters / 4).ilog2();
    let choice = |lanes: u32| Choice { lanes, bits: (counters / lanes).ilog2() };
    if !limits.software {
        return Ok(choice(GPU_LANES.min(most)));
    }
    // The fewest lanes whose loops stay within the budget.
    let budget = match device.info().loop_budget {
        0 => u64::MAX,
        budget => budget.into(),
    };
    let mut lanes = device.info().subgroup_size.next_power_of_two().min(most);
    while rounds(choice(lanes), num_items) > budget {
        if lanes == most {
            return Err(Error::TooLarge {
                what: "the loop rounds of the search in one row",
                needed: rounds(choice(lanes), num_items),
                available: budget,
                device: device.info().name.clone(),
            });
        }
        lanes *= 2;
    }
    Ok(choice(lanes))
}

/// Loop rounds of one invocation of nearest.comp at the most; each loop counts one more for its end.
fn rounds(choice: Choice, num_items: u32) -> u64 {
    let share = |count: u32| u64::from(count.div_ceil(choice.lanes)) + 1;
    let scan = u64::from(choice.lanes.ilog2()) + 1;
    let bins = 3 * share(2048) + scan;
    let ranked = share(num_items) + share(RANKED) * (u64::from(RANKED) + 1);
    let passes = u64::from(32u32.div_ceil(choice.bits)) + 1;
    let pass = 3 * ((1 << choice.bits) + 1) + 2 * share(num_items) + scan;
    let sorted = 3 * share(num_items) + scan + passes * pass;
    share(num_items) + bins + ranked.max(sorted)
}
