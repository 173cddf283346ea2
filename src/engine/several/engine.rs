//! The engine that is several: who can do a run, and what it takes.

use super::run::SplitRun;
use crate::corpus::{Corpus, Shape};
use crate::engine::device::{DeviceInfo, DeviceKind};
use crate::engine::interface::{Engine, Needs};
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::rows::{Pairs, PutDots, PutNeighbors, PutSequences};
use crate::error::{Error, Result};
use crate::memory;
use crate::plan::Plan;
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
    host_limit: Option<u64>,
}

/// An engine that can do a run, by its number, and what it takes.
struct Able {
    number: usize,
    needs: Needs,
}

impl Several {
    /// Of at least one engine. `host_limit`: the most bytes of the host's memory that a run may
    /// take, if less than there is.
    pub fn new(engines: Vec<Box<dyn Engine>>, host_limit: Option<u64>) -> Result<Several> {
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
            memory_bytes: infos.iter().map(|info| info.memory_bytes).sum(),
            max_binding_bytes: infos.iter().map(|info| info.max_binding_bytes).min().unwrap_or(0),
            ..first.info().clone()
        };
        Ok(Several { engines, info, host_limit })
    }

    /// The engines that can do a run: in their order, as long as the host has the memory.
    fn able(&self, shape: Shape, plan: &Plan) -> Result<Vec<Able>> {
        let free = memory::available_bytes().unwrap_or(u64::MAX);
        let free = free.min(self.host_limit.unwrap_or(u64::MAX));
        // The prepared rows and the result are there already, or will be.
        let others = shape.values() * 2 + plan.output_len() as u64 * 4;
        let mut left = free.saturating_sub(others);
        let mut able = Vec::new();
        let mut refusal = None;
        for (number, engine) in self.engines.iter().enumerate() {
            match engine.needs(shape, plan) {
                Ok(needs) if needs.host_bytes <= left => {
                    left -= needs.host_bytes;
                    able.push(Able { number, needs });
                }
                Ok(needs) => {
                    refusal.get_or_insert(Error::TooLarge {
                        what: "the run",
                        needed: others + needs.host_bytes,
                        available: free,
                        device: engine.info().name.clone(),
                    });
                }
                Err(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        match refusal {
            Some(error) if able.is_empty() => Err(error),
            _ => Ok(able),
        }
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

    /// Of all engines together. One that cannot do the run is left out of it; where none can, the
    /// first one's error says why.
    fn needs(&self, shape: Shape, plan: &Plan) -> Result<Needs> {
        let able = self.able(shape, plan)?;
        let sum = |of: fn(&Needs) -> u64| able.iter().map(|able| of(&able.needs)).sum();
        Ok(Needs {
            host_bytes: sum(|needs| needs.host_bytes),
            device_bytes: sum(|needs| needs.device_bytes),
            groups: sum(|needs| needs.groups),
            dispatches: sum(|needs| needs.dispatches),
            held_rows: able.iter().map(|able| able.needs.held_rows).min().unwrap_or(0),
        })
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()> {
        let able = self.able(corpus.shape(), plan)?;
        let engines = self.engines.iter_mut().enumerate();
        let engines = engines.filter(|(number, _)| able.iter().any(|able| able.number == *number));
        let mut engines: Vec<_> = engines.map(|(_, engine)| engine).collect();
        let guesses: Vec<_> = engines.iter().map(|engine| guess(engine.info().kind)).collect();
        let run = SplitRun::new(corpus, plan, rows, &guesses);
        progress.time(Phase::Steps, || run.run(&mut engines, progress));
        run.outcome(progress)
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        self.engines[0].search_needs(shape)
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

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        self.engines[0].dots_needs(shape)
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
