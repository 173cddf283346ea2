//! The picks, wave by wave.
//!
//! Each sequence of a wave has its scores and its picks in device buffers, so a dispatch may end
//! after any pick and the next goes on there. Where values are asked for the kernels write down
//! what each pick cost, and the values are computed here. Where the device holds only some rows of
//! the matrix, a dispatch makes one pick.

use std::ops::Range;
use std::time::Instant;

use super::choice;
use super::waves::{picks_bytes, SequenceLayout, WaveSizes};
use crate::contract::{extra_shift, value};
use crate::corpus::Corpus;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing::{self, Pacer, Units};
use crate::engine::vulkan::gpu::pipeline::{Bound, Dispatch, Workgroups};
use crate::engine::vulkan::runs::matrix::{self, Matrix};
use crate::engine::vulkan::runs::row_cache::RowCache;
use crate::engine::vulkan::runs::tools::Tools;
use crate::engine::PutSequences;
use crate::error::Result;
use crate::memory::collected;
use crate::plan::Plan;
use crate::progress::{Phase, Progress};
use crate::sequence::{Sequence, SequenceRow};

/// Puts the sequences of `plan` into `rows`; `done` counts them, also when an error ends the run.
pub(crate) fn sequences(
    mut tools: Tools,
    corpus: &Corpus,
    plan: &Plan,
    rows: &dyn PutSequences,
    progress: &Progress,
    done: &mut u32,
) -> Result<()> {
    let shape = corpus.shape();
    let layout = SequenceLayout::new(shape, &plan.shape(), tools.device, tools.settings)?;
    // Before anything else is allocated: one that is of no use here is freed.
    let kept = tools.kept.take(corpus, &layout.matrix);
    let (matrix, cache) = match (kept, layout.matrix.held) {
        (Some(slabs), _) => (Matrix { layout: layout.matrix.clone(), slabs }, None),
        (None, None) => (whole_matrix(&mut tools, corpus, &layout, progress)?, None),
        (None, Some(held)) => {
            let cache = || RowCache::new(&mut tools, corpus, &layout.matrix, held, layout.wave);
            let cache = progress.time(Phase::Upload, cache)?;
            (Matrix::allocate(tools.device, &layout.matrix)?, Some(cache))
        }
    };
    let new = || SequenceRun::new(&mut tools, matrix, cache, plan, layout.wave);
    let mut run = progress.time(Phase::Upload, new)?;
    run.waves(&mut tools, plan, layout.wave, rows, progress, done)?;
    let SequenceRun { matrix, cache, .. } = run;
    if cache.is_none() {
        tools.kept.put(corpus, matrix.layout, matrix.slabs);
    }
    Ok(())
}

fn whole_matrix(
    tools: &mut Tools,
    corpus: &Corpus,
    layout: &SequenceLayout,
    progress: &Progress,
) -> Result<Matrix> {
    let upload = || matrix::upload(tools, corpus, &layout.matrix);
    let rows = progress.time(Phase::Upload, upload)?;
    let compute = || Matrix::compute(tools, &layout.matrix, &rows, progress);
    progress.time(Phase::Matrix, compute)
}

/// The buffers and the kernel of a run.
struct SequenceRun<'a> {
    kernel: Bound,
    picks: Buffer,
    /// Where in `picks` the slots of the sequences' rows lie, in words; 0 where the whole matrix is
    /// there.
    slots_at: u32,
    /// Where in `picks` the costs of the picks lie, in words; 0 where no values are asked for.
    costs_at: u32,
    // Bound to the kernel, never touched by the host.
    _scores: Buffer,
    matrix: Matrix,
    /// Brings the rows where the matrix holds only some.
    cache: Option<RowCache<'a>>,
    pacer: Pacer,
}

impl<'a> SequenceRun<'a> {
    /// Room for `wave` sequences side by side.
    fn new(
        tools: &mut Tools,
        matrix: Matrix,
        cache: Option<RowCache<'a>>,
        plan: &Plan,
        wave: u32,
    ) -> Result<SequenceRun<'a>> {
        let (device, layout) = (tools.device, &matrix.layout);
        let choice =
            choice::choose(device, tools.settings, layout, choice::Work::new(&plan.shape()));
        let cap = choice::picks_per_dispatch(device, &choice)?;
        // Behind each other: picks, slots, costs.
        let slots = wave * plan.length();
        let slots_at = if cache.is_some() { slots } else { 0 };
        let costs_at = if plan.shape().values { slots + wave } else { 0 };
        let wave = u64::from(wave);
        let scores = Buffer::on_device(device, "scores", wave * u64::from(layout.row_length) * 32)?;
        let picks = Buffer::shared(device, "picks", wave * picks_bytes(&plan.shape()))?;
        let recipe = choice::recipe(device, tools.settings, &choice, layout)?;
        let mut buffers = vec![&scores, &picks];
        buffers.extend(&matrix.slabs);
        let kernel = tools.pipelines.get(&recipe)?.bind(&buffers)?;
        let pacer = Pacer::new(pacing::target(tools.settings), 16, cap);
        let _scores = scores;
        let run = SequenceRun { kernel, picks, slots_at, costs_at, _scores, matrix, cache, pacer };
        // No picks: some drivers compile at the first dispatch, and that time is not the picks'.
        tools.commands.dispatch(&run.kernel, &run.dispatch(plan, 1..1, 1))?;
        Ok(run)
    }

    /// Computes all planned sequences, at most `most` side by side, and puts each wave into `rows`.
    /// `done` counts the sequences put, also when an error ends the run.
    fn waves(
        &mut self,
        tools: &mut Tools,
        plan: &Plan,
        most: u32,
        rows: &dyn PutSequences,
        progress: &Progress,
        done: &mut u32,
    ) -> Result<()> {
        let mut sizes = WaveSizes::new(tools.device, most);
        let mut row = plan.row()?;
        while *done < plan.count() {
            let begin = Instant::now();
            let size = (plan.count() - *done).min(sizes.next());
            let wave = plan.part(*done..*done + size);
            self.upload(tools, &wave, &mut row)?;
            let compute = || self.compute(tools, &wave, progress);
            progress.time(Phase::Steps, compute)?;
            sizes.learn(begin.elapsed());
            progress.time(Phase::Download, || {
                let first = *done as usize;
                let put = |index: usize, row: Sequence| rows.put(first + index, row);
                self.download(tools, &wave, &mut row, put)
            })?;
            *done += size;
            progress.add_rows(size.into());
        }
        Ok(())
    }

    /// Writes the heads of a wave into its rows of picks, by way of `row`.
    fn upload(&mut self, tools: &mut Tools, wave: &Plan, row: &mut SequenceRow) -> Result<()> {
        let head = wave.head() as usize;
        let row_bytes = wave.length() as usize * 4;
        let all = 0..u64::from(wave.count()) * row_bytes as u64;
        let mut read = Ok(());
        self.picks.write_at(tools.commands, all, |bytes| {
            let mut rows = (0..wave.count()).zip(bytes.chunks_exact_mut(row_bytes));
            read = rows.try_for_each(|(index, to)| {
                wave.read_head(index, row.begin_mut(head))?;
                let items = to.chunks_exact_mut(4).zip(&row.items[..head]);
                items.for_each(|(to, item)| to.copy_from_slice(&item.to_ne_bytes()));
                Ok(())
            });
        })?;
        read
    }

    /// The picks of a wave.
    fn compute(&mut self, tools: &mut Tools, wave: &Plan, progress: &Progress) -> Result<()> {
        // Taken out while it works, since it brings rows into the matrix beside it.
        match self.cache.take() {
            None => self.run_ahead(tools, wave, progress),
            Some(mut cache) => {
                let starts = collected(wave.starts(), "the picks of a wave");
                let step = |picks| self.step(tools, wave, picks, &mut cache, progress);
                let result = starts.and_then(step);
                self.cache = Some(cache);
                result
            }
        }
    }

    /// The picks of a wave, many in a dispatch.
    fn run_ahead(&mut self, tools: &mut Tools, wave: &Plan, progress: &Progress) -> Result<()> {
        let sequences = wave.count();
        let (num_items, known) = (self.matrix.layout.num_items, wave.head() - 1);
        let dispatch = |units: Units| {
            let first = 1 + units.done;
            self.dispatch(wave, first..first + units.now, sequences)
        };
        let finished = |Units { done, now }: Units| {
            // Rows of the head are read, but they are no picks.
            let picks = (done + now).saturating_sub(known.max(done));
            progress.add_steps(
                u64::from(picks) * u64::from(sequences),
                u64::from(now) * u64::from(sequences) * u64::from(num_items) * 2,
            );
        };
        let (mut pacer, picks) = (self.pacer.clone(), wave.length() - 1);
        pacer.run(tools.commands, &self.kernel, picks, progress, dispatch, finished)?;
        self.pacer = pacer;
        Ok(())
    }

    /// The same pick by pick: before each, the rows of the last ones are brought.
    fn step(
        &mut self,
        tools: &mut Tools,
        wave: &Plan,
        mut picks: Vec<u32>,
        cache: &mut RowCache,
        progress: &Progress,
    ) -> Result<()> {
        let (sequences, at) = (picks.len() as u32, u64::from(self.slots_at) * 4);
        let slots_at = at..at + u64::from(sequences) * 4;
        for pick in 1..wave.length() {
            progress.check()?;
            let slots = cache.bring(tools, &self.matrix, &picks, progress)?;
            let write = |bytes: &mut [u8]| bytes.copy_from_slice(bytemuck::cast_slice(slots));
            self.picks.write_at(tools.commands, slots_at.clone(), write)?;
            let dispatch = self.dispatch(wave, pick..pick + 1, sequences);
            let took = tools.commands.dispatch(&self.kernel, &dispatch)?;
            progress.add_submission(took);
            let read = |bytes: &[u8]| bytemuck::cast_slice_mut(&mut picks).copy_from_slice(bytes);
            self.picks.read_at(tools.commands, slots_at.clone(), read)?;
            let new = if pick < wave.head() { 0 } else { u64::from(sequences) };
            let row_bytes = u64::from(self.matrix.layout.num_items) * 2;
            progress.add_steps(new, u64::from(sequences) * row_bytes);
        }
        Ok(())
    }

    /// The dispatch that makes these picks of the wave's first sequences.
    fn dispatch(&self, plan: &Plan, picks: Range<u32>, sequences: u32) -> Dispatch {
        let layout = &self.matrix.layout;
        let push = vec![
            layout.num_items,
            layout.row_length,
            layout.matrix_rows_per_slab(),
            plan.length(),
            picks.start,
            picks.end,
            plan.head(),
            self.slots_at,
            plan.rule().lambda().map_or(0, |lambda| lambda.q15() as u32),
            self.costs_at,
        ];
        Dispatch { push, groups: Workgroups::row(sequences) }
    }

    /// Hands the sequences of a wave to `put`, each by way of `row`.
    fn download(
        &mut self,
        tools: &mut Tools,
        wave: &Plan,
        row: &mut SequenceRow,
        mut put: impl FnMut(usize, Sequence) -> Result<()>,
    ) -> Result<()> {
        let row_bytes = row.items.len() * 4;
        let rows = wave.count() as usize * row_bytes;
        let (costs_at, num_items) = (self.costs_at as usize * 4, self.matrix.layout.num_items);
        let end = if wave.shape().values { costs_at + rows } else { rows };
        self.picks.read_at(tools.commands, 0..end as u64, |bytes| {
            for (index, picks) in bytes[..rows].chunks_exact(row_bytes).enumerate() {
                bytemuck::cast_slice_mut(&mut row.items).copy_from_slice(picks);
                if wave.shape().values {
                    let costs = &bytes[costs_at + index * row_bytes..][..row_bytes];
                    set_values(wave, index as u32, costs, num_items, row)?;
                }
                put(index, row.get())?;
            }
            Ok(())
        })?
    }
}

/// Sets the values of sequence `index` of a wave: those of its head, then those of its picks, by
/// what these cost.
fn set_values(
    wave: &Plan,
    index: u32,
    costs: &[u8],
    num_items: u32,
    row: &mut SequenceRow,
) -> Result<()> {
    let (head, extra_shift) = (wave.head(), extra_shift(num_items));
    wave.read_head(index, row.begin_mut(head as usize))?;
    let picks = (head..).zip(&mut row.values[head as usize..]);
    for ((place, to), cost) in picks.zip(costs.chunks_exact(4).skip(head as usize)) {
        let cost = i32::from_ne_bytes([cost[0], cost[1], cost[2], cost[3]]);
        *to = value(wave.rule(), cost, place, extra_shift);
    }
    Ok(())
}
