//! The built-in engine: the processor's threads and vector instructions, no driver.
//!
//! `simd` is the one place that knows instruction sets, `pages` has the memory
//! of the matrix, `product` the dot products. On them `matrix` computes the contributions, `sequences` the picks,
//! `neighbors` the nearest and `dots` plain rows of products; `merge` lets sequences with equal
//! sets share their rest. Plain safe Rust throughout.

mod dots;
mod matrix;
mod merge;
mod neighbors;
mod pages;
mod peak;
mod product;
mod sequences;
mod simd;

pub use peak::multiply_adds_per_second;
pub use simd::Level;

use super::neighbors::{Query, QueryShape};
use super::{DeviceInfo, DeviceKind, DotRows, Engine, Needs, NeighborRows, Pairs, Rows};
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::memory;
use crate::plan::Plan;
use crate::progress::{Phase, Progress};
use crate::threads;
use matrix::Matrix;

/// Settings of the CPU engine; the default is the fastest. All settings give the same bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// How many threads; `None` or 0: what `VKD_THREADS` says, else one per processor.
    pub threads: Option<u32>,
    /// Vector instructions; a level that the machine lacks falls back to plain loops.
    pub level: Option<Level>,
    /// Let sequences whose picked sets have become equal share the rest; on by default.
    pub share_equal_sets: Option<bool>,
}

/// The CPU engine.
#[derive(Debug)]
pub struct CpuEngine {
    info: DeviceInfo,
    settings: Settings,
    level: Level,
    num_threads: usize,
}

impl CpuEngine {
    /// An engine on this machine's processor.
    pub fn new(settings: &Settings) -> Result<CpuEngine> {
        let level = settings.level.unwrap_or_else(Level::best);
        let num_threads = threads::count(settings.threads)?;
        let info = device_info(num_threads, level);
        Ok(CpuEngine { info, settings: settings.clone(), level, num_threads })
    }
}

/// The CPU engine as a device, with its default settings.
pub fn default_device_info() -> Result<DeviceInfo> {
    Ok(device_info(threads::count(None)?, Level::best()))
}

fn device_info(num_threads: usize, level: Level) -> DeviceInfo {
    let plural = if num_threads == 1 { "" } else { "s" };
    DeviceInfo {
        name: format!("CPU ({num_threads} thread{plural}, {})", level.name()),
        driver: concat!("vkd ", env!("CARGO_PKG_VERSION"), ", built in").into(),
        kind: DeviceKind::Cpu,
        uuid: [0; 16],
        memory_bytes: memory::available_bytes().unwrap_or(0),
        max_binding_bytes: u64::MAX,
        subgroup_size: 1,
        loop_budget: 0,
    }
}

impl Engine for CpuEngine {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn needs(&self, shape: Shape, plan: &Plan) -> Result<Needs> {
        let Shape { num_items, dim } = shape;
        let stride = matrix::stride(num_items);
        let matrix = u64::from(num_items) * stride as u64 * 2;
        let slots = sequences::slot_bytes(stride, plan.length(), self.num_threads);
        let shared = merge::most_bytes(plan.count() as u64, plan.length());
        let host_bytes = matrix + product::packed_bytes(num_items, dim).max(slots + shared);
        let slots = self.num_threads * sequences::num_slots(stride);
        let batches = plan.count().div_ceil(slots) as u64;
        Ok(Needs { host_bytes, batches, held_rows: num_items.into(), ..Needs::default() })
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn Rows,
        progress: &Progress,
    ) -> Result<()> {
        let (level, num_threads) = (self.level, self.num_threads);
        let multiply = || Matrix::compute(corpus, level, num_threads, progress);
        let matrix = progress.time(Phase::Matrix, multiply)?;
        let how = (level, num_threads, &self.settings);
        progress.time(Phase::Steps, || {
            sequences::compute(&matrix, corpus.num_items(), plan, rows, progress, how)
        })
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        let host_bytes = neighbors::host_bytes(shape, self.num_threads);
        let batches = shape.num_rows.div_ceil(product::BAND as u32).into();
        Ok(Needs { host_bytes, batches, ..Needs::default() })
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn NeighborRows,
        progress: &Progress,
    ) -> Result<()> {
        neighbors::compute(corpus, query, (self.level, self.num_threads), rows, progress)
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        let Shape { num_items, dim } = shape;
        let host_bytes = dots::host_bytes(num_items, dim, self.num_threads);
        let batches = num_items.div_ceil(product::BAND as u32).into();
        Ok(Needs { host_bytes, batches, ..Needs::default() })
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        rows: &dyn DotRows,
        progress: &Progress,
    ) -> Result<()> {
        dots::compute(corpus, pairs, (self.level, self.num_threads), rows, progress)
    }
}
