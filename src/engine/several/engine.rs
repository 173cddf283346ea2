//! The engine that is several: who can do a run, and what it takes.

use std::sync::Arc;

use super::run::SplitRun;
use crate::corpus::{Corpus, Shape};
use crate::engine::device::{DeviceInfo, DeviceKind};
use crate::engine::interface::{Engine, Needs, Planner};
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::rows::{Pairs, PutDots, PutNeighbors, PutSequences};
use crate::error::{Error, Result};
use crate::memory::Bytes;
use crate::plan::{Plan, PlanShape};
use crate::progress::{Phase, Progress};

/// How fast a device is before it has shown it, for the size of its first part: too small a part
/// costs a second matrix, too large a one keeps all waiting.
fn guess(kind: DeviceKind) -> usize {
    match kind {
        DeviceKind::DiscreteGpu | DeviceKind::VirtualGpu => 64,
        DeviceKind::IntegratedGpu | DeviceKind::OtherVulkan => 8,
        DeviceKind::Cpu | DeviceKind::Several => 4,
        DeviceKind::SoftwareVulkan | DeviceKind::Reference => 1,
    }
}

/// Engines that share the starts of a run. Neighbours and dot products, which take seconds, are the
/// first one's.
pub struct Several {
    engines: Vec<Box<dyn Engine>>,
    info: DeviceInfo,
    planner: Arc<Planners>,
}

/// An engine that takes part in a run, by its number, and what it takes.
struct Able {
    number: usize,
    needs: Needs,
}

/// Plans for all engines.
struct Planners(Vec<Arc<dyn Planner>>);

impl Planners {
    /// The engines that can do a run: in their order, as long as the host has the memory. Where it
    /// has not even that of one, the one that takes the least; whoever asks will refuse it.
    fn able(&self, shape: Shape, plan: &PlanShape) -> Result<Vec<Able>> {
        let (mut left, mut able) = (plan.room, Vec::new());
        let (mut least, mut refusal): (Option<Able>, _) = (None, None);
        for (number, planner) in self.0.iter().enumerate() {
            match planner.needs(shape, plan) {
                Ok(needs) if needs.host_bytes.fit(left) => {
                    left = left.less(needs.host_bytes);
                    able.push(Able { number, needs });
                }
                Ok(needs) => {
                    if least.as_ref().is_none_or(|it| needs.host_bytes < it.needs.host_bytes) {
                        least = Some(Able { number, needs });
                    }
                }
                Err(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        match (able.is_empty(), least, refusal) {
            (true, Some(least), _) => Ok(vec![least]),
            (true, None, Some(error)) => Err(error),
            _ => Ok(able),
        }
    }

    /// The planner of the engine that does what is not split.
    fn first(&self) -> &dyn Planner {
        // There is one, see `Several::new`.
        &*self.0[0]
    }
}

impl Planner for Planners {
    /// Of all engines together. One that cannot do the run is left out of it; where none can, the
    /// first one's error says why.
    fn needs(&self, shape: Shape, plan: &PlanShape) -> Result<Needs> {
        let able = self.able(shape, plan)?;
        let bytes = |of: fn(&Needs) -> Bytes| able.iter().map(|able| of(&able.needs)).sum();
        let count = |of: fn(&Needs) -> u64| {
            able.iter().map(|able| of(&able.needs)).fold(0, u64::saturating_add)
        };
        Ok(Needs {
            host_bytes: bytes(|needs| needs.host_bytes),
            device_bytes: bytes(|needs| needs.device_bytes),
            groups: count(|needs| needs.groups),
            dispatches: count(|needs| needs.dispatches),
            held_rows: able.iter().map(|able| able.needs.held_rows).min().unwrap_or(0),
            row_source: able.iter().filter_map(|able| able.needs.row_source).max(),
            multiply_adds: count(|needs| needs.multiply_adds),
        })
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        self.first().search_needs(shape)
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        self.first().dots_needs(shape)
    }
}

impl Several {
    /// Of at least one engine.
    pub fn new(engines: Vec<Box<dyn Engine>>) -> Result<Several> {
        let Some(first) = engines.first() else {
            return Err(Error::NoDevice { reason: "the list of devices is empty".into() });
        };
        let infos: Vec<&DeviceInfo> = engines.iter().map(|engine| engine.info()).collect();
        let names: Vec<&str> = infos.iter().map(|info| &*info.name).collect();
        let info = DeviceInfo {
            name: names.join(" + "),
            driver: format!("{} devices at once", engines.len()),
            kind: DeviceKind::Several,
            uuid: [0; 16],
            memory_bytes: infos.iter().map(|it| it.memory_bytes).fold(0, u64::saturating_add),
            max_binding_bytes: infos.iter().map(|info| info.max_binding_bytes).min().unwrap_or(0),
            ..first.info().clone()
        };
        let planner = Arc::new(Planners(engines.iter().map(|engine| engine.planner()).collect()));
        Ok(Several { engines, info, planner })
    }

    fn first(&mut self) -> &mut dyn Engine {
        // There is one, see `new`.
        &mut *self.engines[0]
    }
}

impl Engine for Several {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn planner(&self) -> Arc<dyn Planner> {
        Arc::clone(&self.planner) as Arc<dyn Planner>
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()> {
        let able = self.planner.able(corpus.shape(), &plan.shape())?;
        let engines = self.engines.iter_mut().enumerate();
        let engines = engines.filter(|(number, _)| able.iter().any(|able| able.number == *number));
        let mut engines: Vec<_> = engines.map(|(_, engine)| engine).collect();
        let guesses: Vec<_> = engines.iter().map(|engine| guess(engine.info().kind)).collect();
        let run = SplitRun::new(corpus, plan, rows, &guesses);
        progress.time(Phase::Steps, || run.run(&mut engines, progress));
        run.outcome(progress)
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()> {
        self.first().neighbors(corpus, query, rows, progress)
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        pairs: Pairs,
        rows: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()> {
        self.first().dots(corpus, pairs, rows, progress)
    }
}
