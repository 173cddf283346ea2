//! The CPU engine as the rest of the library sees it: what it computes, and what that takes.

use std::sync::Arc;

use super::matrix::{self, Matrix};
use super::merge::{self, Meetings};
use super::product::{self, num_bands};
use super::settings::Settings;
use super::workers::Workers;
use super::{dots, neighbors, sequences, slot};
use crate::corpus::{Corpus, Shape};
use crate::engine::device::{DeviceInfo, DeviceKind};
use crate::engine::interface::{Engine, Needs, Planner};
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::rows::{Pairs, PutDots, PutNeighbors, PutSequences};
use crate::error::Result;
use crate::memory::{self, Bytes};
use crate::plan::{Plan, PlanShape};
use crate::progress::{Phase, Progress};

/// The CPU engine.
#[derive(Debug)]
pub struct CpuEngine {
    info: DeviceInfo,
    workers: Workers,
    share_equal_sets: bool,
}

impl CpuEngine {
    /// An engine on this machine's processor.
    pub fn new(settings: &Settings) -> Result<CpuEngine> {
        let workers = Workers::new(settings)?;
        let share_equal_sets = settings.share_equal_sets.unwrap_or(true);
        Ok(CpuEngine { info: device_info(workers), workers, share_equal_sets })
    }
}

/// The CPU engine as a device, with its default settings.
pub fn default_device_info() -> Result<DeviceInfo> {
    Ok(device_info(Workers::new(&Settings::default())?))
}

fn device_info(Workers { level, num_threads }: Workers) -> DeviceInfo {
    let plural = if num_threads == 1 { "" } else { "s" };
    DeviceInfo {
        name: format!("CPU ({num_threads} thread{plural}, {})", level.name()),
        driver: concat!("vkd ", env!("CARGO_PKG_VERSION"), ", built in").into(),
        kind: DeviceKind::Cpu,
        uuid: [0; 16],
        memory_bytes: memory::available_bytes().unwrap_or_default().get(),
        max_binding_bytes: u64::MAX,
        subgroup_size: 1,
        loop_budget: 0,
    }
}

impl Engine for CpuEngine {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn planner(&self) -> Arc<dyn Planner> {
        Arc::new(self.workers)
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()> {
        let workers = self.workers;
        let multiply = || Matrix::compute(corpus, plan.rule().weighing(), workers, progress);
        let matrix = progress.time(Phase::Matrix, multiply)?;
        let share = self.share_equal_sets && plan.count() > 1;
        let meetings = share.then(|| Meetings::new(&plan.shape())).transpose()?;
        progress.time(Phase::Steps, || {
            sequences::compute(&matrix, plan, meetings, workers, rows, progress)
        })
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()> {
        neighbors::compute(corpus, query, self.workers, rows, progress)
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        rows: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()> {
        dots::compute(corpus, pairs, self.workers, rows, progress)
    }
}

/// What the threads of the engine take.
impl Planner for Workers {
    fn needs(&self, shape: Shape, plan: &PlanShape) -> Result<Needs> {
        let (n, threads) = (u64::from(shape.num_items), self.num_threads);
        let stride = matrix::stride(shape.num_items);
        let matrix = Bytes::of::<i16>(stride as u64) * n;
        let slots = slot::bytes(plan, stride, threads);
        let shared = merge::most_bytes(plan, threads);
        let host_bytes = matrix + product::packed_bytes(shape).max(slots + shared);
        let side_by_side = (threads * slot::count(plan.rule, stride)) as u64;
        let groups = u64::from(plan.count).div_ceil(side_by_side);
        Ok(Needs { host_bytes, groups, held_rows: n, ..Needs::default() })
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        let host_bytes = neighbors::host_bytes(shape, self.num_threads);
        let groups = num_bands(shape.num_rows) as u64;
        Ok(Needs { host_bytes, groups, ..Needs::default() })
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        let host_bytes = dots::host_bytes(shape, self.num_threads);
        let groups = num_bands(shape.num_items) as u64;
        Ok(Needs { host_bytes, groups, ..Needs::default() })
    }
}
