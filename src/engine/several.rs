//! Several engines at once: the starts of a run are split over them, by the speed at which each turns out to work.
//!
//! Each engine has a thread that takes parts of the starts from a common queue and runs them as plans of
//! their own. The first part is small and shows the speed; then an engine takes three quarters of what is its
//! due of the rest, so that the parts shrink and all end together. An engine computes its contribution matrix
//! for each part, so it takes no second one where the others would be done before its first pick. The rows go
//! to one place, and their bits are those of any engine alone.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::device::{DeviceInfo, DeviceKind};
use super::interface::{Engine, Needs};
use super::neighbors::{Query, QueryShape};
use super::rows::{DotRows, NeighborRows, Offset, Pairs, Rows};
use crate::corpus::{Corpus, Shape};
use crate::error::{from_panic, Error, Result};
use crate::memory;
use crate::plan::Plan;
use crate::progress::{Phase, Progress};

/// The first parts of all engines together are one in so many of all starts.
const FIRST: usize = 32;

/// How fast a device is before it has shown it, for the size of its first part: too small a part costs a
/// second matrix, too large a one keeps all waiting.
fn guess(kind: DeviceKind) -> usize {
    match kind {
        DeviceKind::DiscreteGpu | DeviceKind::VirtualGpu => 64,
        DeviceKind::IntegratedGpu | DeviceKind::OtherVulkan => 8,
        DeviceKind::Cpu | DeviceKind::Several => 4,
        DeviceKind::SoftwareVulkan | DeviceKind::Reference => 1,
    }
}

/// How often the counters of the parts are summed up, and a wish to stop is passed on.
const WATCH: Duration = Duration::from_millis(5);

/// Engines that share the starts of a run. Neighbours and dot products, which take seconds, are the first one's.
pub struct Several {
    engines: Vec<Box<dyn Engine>>,
    info: DeviceInfo,
    host_limit: Option<u64>,
}

impl Several {
    /// Of at least one engine. `host_limit`: the most bytes of the host's memory that a run may take, if less than there is.
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

    /// The engines that can do a run, by number, with what each takes: in their order, as long as the host has the memory.
    fn able(&self, shape: Shape, plan: &Plan) -> Result<Vec<(usize, Needs)>> {
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
                    able.push((number, needs));
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

    /// Of all engines together. One that cannot do the run is left out of it; where none can, the first one's
    /// error says why.
    fn needs(&self, shape: Shape, plan: &Plan) -> Result<Needs> {
        let able = self.able(shape, plan)?;
        let sum = |of: fn(&Needs) -> u64| able.iter().map(|(_, needs)| of(needs)).sum();
        Ok(Needs {
            host_bytes: sum(|needs| needs.host_bytes),
            device_bytes: sum(|needs| needs.device_bytes),
            batches: sum(|needs| needs.batches),
            dispatches: sum(|needs| needs.dispatches),
            held_rows: able.iter().map(|(_, needs)| needs.held_rows).min().unwrap_or(0),
        })
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn Rows,
        progress: &Progress,
    ) -> Result<()> {
        let able = self.able(corpus.shape(), plan)?;
        let able: Vec<usize> = able.into_iter().map(|(number, _)| number).collect();
        let engines = self.engines.iter_mut().enumerate();
        let engines = engines.filter(|(number, _)| able.contains(number));
        let mut engines: Vec<_> = engines.map(|(_, engine)| engine).collect();
        let guesses = engines.iter().map(|engine| guess(engine.info().kind)).collect();
        let run = Run::new(corpus, plan, rows, guesses);
        progress.time(Phase::Steps, || {
            std::thread::scope(|scope| {
                for (number, engine) in engines.iter_mut().enumerate() {
                    let run = &run;
                    let thread = std::thread::Builder::new().name("vkd device".into());
                    let work = move || run.work(number, &mut ***engine);
                    if let Err(error) = thread.spawn_scoped(scope, work) {
                        let detail = format!("no thread for a device: {error}");
                        run.fail(Error::Internal { detail });
                        run.leave();
                    }
                }
                run.watch(progress);
            });
        });
        run.outcome(progress)
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        self.engines[0].search_needs(shape)
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn NeighborRows,
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
        rows: &dyn DotRows,
        progress: &Progress,
    ) -> Result<()> {
        self.first().dots(corpus, pairs, rows, progress)
    }
}

/// What an engine was seen to do.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Speed {
    /// Sequences a second.
    sequences: f64,
    /// Seconds before the first pick of a part.
    begin: f64,
}

/// What is left, and who works.
#[derive(Debug)]
struct Queue {
    next: usize,
    count: usize,
    speeds: Vec<Option<Speed>>,
    /// What `guess` says of each engine, until it has shown its speed.
    guesses: Vec<usize>,
    /// Engines that take no more: the others will be done earlier.
    gone: Vec<bool>,
    working: usize,
    error: Option<Error>,
    /// The counters of every part begun.
    parts: Vec<Arc<Progress>>,
}

impl Queue {
    /// The next part for an engine; `None`: it is done.
    fn take(&mut self, engine: usize) -> Option<std::ops::Range<usize>> {
        let left = self.count - self.next;
        if self.error.is_some() || left == 0 {
            return None;
        }
        let size = match self.speeds[engine] {
            None => {
                let all: usize = self.guesses.iter().sum();
                (self.count * self.guesses[engine]).div_ceil(FIRST * all)
            }
            Some(own) => {
                let working = (0..self.speeds.len()).filter(|&i| i != engine && !self.gone[i]);
                // Who has not shown a speed yet is taken to be as fast.
                let speed = |other: usize| self.speeds[other].unwrap_or(own).sequences;
                let others: f64 = working.map(speed).sum();
                if own.begin * others > left as f64 {
                    self.gone[engine] = true;
                    return None;
                }
                let due = left as f64 * own.sequences / (own.sequences + others);
                (if others > 0.0 { due * 0.75 } else { due }).ceil() as usize
            }
        };
        let first = self.next;
        self.next += size.clamp(1, left);
        Some(first..self.next)
    }
}

/// A run under way.
struct Run<'a> {
    corpus: &'a Corpus,
    plan: &'a Plan,
    rows: &'a dyn Rows,
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl<'a> Run<'a> {
    fn new(corpus: &'a Corpus, plan: &'a Plan, rows: &'a dyn Rows, guesses: Vec<usize>) -> Run<'a> {
        let engines = guesses.len();
        let queue = Queue {
            next: 0,
            count: plan.count(),
            speeds: vec![None; engines],
            guesses,
            gone: vec![false; engines],
            working: engines,
            error: None,
            parts: Vec::new(),
        };
        Run { corpus, plan, rows, queue: Mutex::new(queue), changed: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next part of an engine, and counters for it.
    fn begin(&self, number: usize) -> Option<(std::ops::Range<usize>, Arc<Progress>)> {
        let mut queue = self.queue();
        let part = queue.take(number)?;
        let progress = Arc::new(Progress::default());
        queue.parts.push(Arc::clone(&progress));
        Some((part, progress))
    }

    /// What one engine does in the run.
    fn work(&self, number: usize, engine: &mut dyn Engine) {
        self.compute_parts(number, engine);
        self.leave();
    }

    fn compute_parts(&self, number: usize, engine: &mut dyn Engine) {
        while let Some((part, progress)) = self.begin(number) {
            let rows = Offset { rows: self.rows, first: part.start };
            let (begin, sequences) = (Instant::now(), part.len() as f64);
            let compute = || engine.sequences(self.corpus, &self.plan.part(part), &rows, &progress);
            let result = catch_unwind(AssertUnwindSafe(compute))
                .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
            match result {
                Ok(()) => {
                    let before: f64 = [Phase::Upload, Phase::Matrix]
                        .map(|phase| progress.seconds(phase))
                        .iter()
                        .sum();
                    let picking = (begin.elapsed().as_secs_f64() - before).max(1e-6);
                    self.queue().speeds[number] =
                        Some(Speed { sequences: sequences / picking, begin: before });
                }
                Err(error) => return self.fail(error),
            }
        }
    }

    /// Ends the run for all.
    fn fail(&self, error: Error) {
        let mut queue = self.queue();
        queue.error.get_or_insert(error);
        queue.parts.iter().for_each(|part| part.cancel());
    }

    /// Tells the watcher that an engine is done.
    fn leave(&self) {
        self.queue().working -= 1;
        self.changed.notify_all();
    }

    /// Sums up the parts' counters and passes on a wish to stop, until all engines are done.
    fn watch(&self, progress: &Progress) {
        let before = (progress.rows_done(), progress.steps_done(), progress.bytes_read());
        let mut queue = self.queue();
        loop {
            if progress.check().is_err() {
                queue.error.get_or_insert(Error::Cancelled);
                queue.parts.iter().for_each(|part| part.cancel());
            }
            progress.follow(before, &queue.parts);
            if queue.working == 0 {
                return;
            }
            let wait = self.changed.wait_timeout(queue, WATCH);
            queue = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn outcome(self, progress: &Progress) -> Result<()> {
        let queue = self.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        progress.check()?;
        match queue.error {
            Some(error) => Err(error),
            None if queue.next < queue.count => {
                Err(Error::Internal { detail: "engines left starts undone".into() })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(count: usize, speeds: &[Option<Speed>]) -> Queue {
        let (speeds, working) = (speeds.to_vec(), speeds.len());
        let gone = vec![false; working];
        let (guesses, parts) = (vec![1; working], Vec::new());
        Queue { next: 0, count, speeds, guesses, gone, working, error: None, parts }
    }

    fn speed(sequences: f64, begin: f64) -> Option<Speed> {
        Some(Speed { sequences, begin })
    }

    #[test]
    fn the_first_part_is_small_and_later_ones_follow_the_speed() {
        let mut queue = queue(6400, &[None, None]);
        assert_eq!(queue.take(0), Some(0..100));
        assert_eq!(queue.take(1), Some(100..200));
        queue.speeds = vec![speed(900.0, 0.0), speed(100.0, 0.0)];
        assert_eq!(queue.take(0), Some(200..4385));
        assert_eq!(queue.take(1), Some(4385..4537));
        let mut next = queue.next;
        while let Some(part) = queue.take(0) {
            assert_eq!(part.start, next);
            next = part.end;
        }
        assert_eq!(next, 6400);
    }

    #[test]
    fn who_would_come_too_late_takes_no_more() {
        let mut queue = queue(1000, &[speed(1000.0, 0.1), speed(10.0, 2.0)]);
        assert_eq!(queue.take(1), None);
        // The last one takes it all, however late it is.
        queue.speeds[0] = speed(1000.0, 50.0);
        assert_eq!(queue.take(0), Some(0..1000));
        assert_eq!(queue.take(0), None);
    }
}
