//! The CPU engine as the rest of the library sees it: what it computes, and what that takes.

use std::sync::Arc;

use super::matrix::Matrix;
use super::merge::{self, Meetings};
use super::product::num_bands;
use super::settings::Settings;
use super::task::Task;
use super::workers::Workers;
use super::{demand, dots, lazy, neighbors, sequences, sources};
use crate::corpus::{Corpus, Shape};
use crate::engine::device::{DeviceInfo, DeviceKind};
use crate::engine::interface::{Engine, Needs, Planner, RowSource};
use crate::engine::kept::Kept;
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::rows::{Pairs, PutDots, PutNeighbors, PutSequences};
use crate::error::Result;
use crate::memory::{self, Bytes};
use crate::plan::{Plan, PlanShape};
use crate::progress::{Phase, Progress};
use crate::rule::Weighing;

/// The CPU engine.
#[derive(Debug)]
pub struct CpuEngine {
    info: DeviceInfo,
    planned: Planned,
    share_equal_sets: Option<bool>,
    kept: Kept<Weighing, Matrix>,
}

impl CpuEngine {
    /// An engine on this machine's processor.
    pub fn new(settings: &Settings) -> Result<CpuEngine> {
        let workers = Workers::new(settings)?;
        let share_equal_sets = settings.share_equal_sets;
        let planned = Planned { workers, rows: settings.rows };
        let (info, kept) = (device_info(workers), Kept::default());
        Ok(CpuEngine { info, planned, share_equal_sets, kept })
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
        Arc::new(self.planned)
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()> {
        let Planned { workers, rows: wanted } = self.planned;
        let way = sources::choose(corpus.shape(), &plan.shape(), workers, wanted);
        if way.source != RowSource::Matrix {
            self.kept.free();
            let task = Task { corpus, plan, rows, progress };
            return progress.time(Phase::Steps, || match way.source {
                RowSource::Lazy => lazy::compute(task, workers),
                _ => demand::compute(task, way.layout, workers),
            });
        }
        let weighing = plan.rule().weighing();
        let multiply = || Matrix::compute(corpus, weighing, workers, progress);
        let matrix = match self.kept.take(corpus, &weighing) {
            Some(matrix) => matrix,
            None => progress.time(Phase::Matrix, multiply)?,
        };
        let share = merge::shares(&plan.shape(), corpus.num_items(), self.share_equal_sets);
        let meetings = share.then(|| Meetings::new(&plan.shape())).transpose()?;
        let result = progress.time(Phase::Steps, || {
            sequences::compute(&matrix, plan, meetings, workers, rows, progress)
        });
        self.kept.put(corpus, weighing, matrix);
        result
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()> {
        self.kept.free();
        neighbors::compute(corpus, query, self.planned.workers, rows, progress)
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        rows: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()> {
        self.kept.free();
        dots::compute(corpus, pairs, self.planned.workers, rows, progress)
    }

    fn keep(&mut self, corpus: &Arc<Corpus>) {
        self.kept.keep(corpus);
    }

    fn free_kept(&mut self) {
        self.kept.free();
    }

    fn kept_bytes(&self) -> Bytes {
        self.kept.matrix().map_or(Bytes::ZERO, Matrix::bytes)
    }
}

/// Who plans for the engine.
#[derive(Debug, Clone, Copy)]
struct Planned {
    workers: Workers,
    /// How rows come, where the settings say so.
    rows: Option<RowSource>,
}

impl Planner for Planned {
    fn needs(&self, shape: Shape, plan: &PlanShape) -> Result<Needs> {
        let Planned { workers, rows } = *self;
        Ok(sources::choose(shape, plan, workers, rows).needs(shape, plan, workers))
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        let host_bytes = neighbors::host_bytes(shape, self.workers.num_threads);
        let groups = num_bands(shape.num_rows) as u64;
        Ok(Needs { host_bytes, groups, ..Needs::default() })
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        let host_bytes = dots::host_bytes(shape, self.workers.num_threads);
        let groups = num_bands(shape.num_items) as u64;
        Ok(Needs { host_bytes, groups, ..Needs::default() })
    }
}
