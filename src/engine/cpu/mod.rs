//! The built-in engine: the processor's threads and vector instructions, no driver.
//!
//! `simd` is the one place that knows instruction sets, `threads` runs a phase on several threads, `pages` has the memory
//! of the matrix. On them `matrix` computes the contributions and `sequences` the picks; `merge` lets sequences with equal
//! sets share their rest. Plain safe Rust throughout.

mod matrix;
mod memory;
mod merge;
mod pages;
mod peak;
mod sequences;
mod simd;
mod threads;

pub use peak::multiply_adds_per_second;
pub use simd::Level;

use super::{DeviceInfo, DeviceKind, Engine};
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::progress::{Phase, Progress};
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
    /// The most memory in bytes that a run may need; what is free, by default.
    pub memory_limit: Option<u64>,
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

    fn check_memory(&self, corpus: &Corpus, plan: &Plan) -> Result<()> {
        let needed = peak_bytes(corpus.num_items(), corpus.dim(), plan, self.num_threads);
        let free = memory::available_bytes().unwrap_or(u64::MAX);
        let available = self.settings.memory_limit.unwrap_or(free).min(free);
        if needed > available {
            return Err(Error::TooLarge {
                what: "the contribution matrix, scores and sequences",
                needed,
                available,
                device: self.info.name.clone(),
            });
        }
        Ok(())
    }
}

/// The most bytes a run holds, beside the prepared corpus.
pub fn peak_bytes(num_items: u32, dim: u32, plan: &Plan, num_threads: usize) -> u64 {
    let stride = matrix::stride(num_items) as u64;
    let matrix = u64::from(num_items) * stride * 2;
    let scores = num_threads as u64 * sequences::num_slots(stride as usize) as u64 * stride * 4;
    let output = plan.output_len() as u64 * 4;
    let tables = merge::table_bytes(plan.starts().len() as u64, plan.length());
    matrix + matrix::packed_bytes(num_items, dim).max(scores + output + tables)
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

    fn sequences(&mut self, corpus: &Corpus, plan: &Plan, progress: &Progress) -> Result<Vec<u32>> {
        self.check_memory(corpus, plan)?;
        let (level, num_threads) = (self.level, self.num_threads);
        let multiply = || Matrix::compute(corpus, level, num_threads, progress);
        let matrix = progress.time(Phase::Matrix, multiply)?;
        let (num_items, settings) = (corpus.num_items(), &self.settings);
        progress.time(Phase::Sequences, || {
            sequences::compute(&matrix, num_items, plan, level, num_threads, settings, progress)
        })
    }
}
