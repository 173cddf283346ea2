//! A run on several engines: each on a thread of its own takes parts and computes them; one more
//! thread sums up their counters and passes on a wish to stop.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::parts::{Parts, Speed};
use crate::corpus::Corpus;
use crate::engine::interface::Engine;
use crate::engine::rows::{Offset, PutSequences};
use crate::error::{Error, Result};
use crate::panics;
use crate::plan::Plan;
use crate::progress::{Phase, Progress};
use crate::threads::{lock, start_scoped, unlocked};

/// How often the counters of the parts are summed up, and a wish to stop is passed on.
const WATCH: Duration = Duration::from_millis(5);

/// A run under way.
pub(super) struct SplitRun<'a> {
    corpus: &'a Corpus,
    plan: &'a Plan,
    rows: &'a dyn PutSequences,
    state: Mutex<State>,
    changed: Condvar,
}

/// What the engines share.
struct State {
    parts: Parts,
    /// Engines that are not done.
    working: usize,
    error: Option<Error>,
    /// An engine that the system gave no thread.
    no_thread: Option<Error>,
    /// The counters of every part begun.
    begun: Vec<Arc<Progress>>,
}

impl State {
    /// Ends the run for all.
    fn stop(&mut self, error: Error) {
        self.error.get_or_insert(error);
        self.begun.iter().for_each(|part| part.cancel());
    }
}

/// A part that an engine has taken, and counters for it.
struct Part {
    starts: Range<usize>,
    progress: Arc<Progress>,
}

impl<'a> SplitRun<'a> {
    /// For as many engines as there are guesses of their speed.
    pub(super) fn new(
        corpus: &'a Corpus,
        plan: &'a Plan,
        rows: &'a dyn PutSequences,
        guesses: &[usize],
    ) -> SplitRun<'a> {
        let parts = Parts::new(plan.count() as usize, guesses);
        let (working, begun) = (guesses.len(), Vec::new());
        let state = State { parts, working, error: None, no_thread: None, begun };
        let state = Mutex::new(state);
        SplitRun { corpus, plan, rows, state, changed: Condvar::new() }
    }

    /// Gives every engine a thread and waits until all are done.
    pub(super) fn run(&self, engines: &mut [&mut Box<dyn Engine>], progress: &Progress) {
        std::thread::scope(|scope| {
            for (number, engine) in engines.iter_mut().enumerate() {
                let work = move || {
                    self.compute_parts(number, &mut ***engine);
                    self.leave();
                };
                if let Err(error) = start_scoped(scope, "vkd device", "a device", work) {
                    self.drop_out(number, error);
                }
            }
            self.watch(progress);
        });
    }

    /// How the run ended.
    pub(super) fn outcome(self, progress: &Progress) -> Result<()> {
        let state = unlocked(self.state);
        progress.check()?;
        match state.error {
            Some(error) => Err(error),
            // The others do the work of an engine that has no thread, unless none has one.
            None if state.parts.left() > 0 => Err(state.no_thread.unwrap_or_else(|| {
                Error::Internal { detail: "engines left starts undone".into() }
            })),
            None => Ok(()),
        }
    }

    /// The next part of an engine.
    fn begin(&self, number: usize) -> Option<Part> {
        let mut state = lock(&self.state);
        if state.error.is_some() {
            return None;
        }
        let starts = state.parts.take(number)?;
        let progress = Arc::new(Progress::default());
        state.begun.push(Arc::clone(&progress));
        Some(Part { starts, progress })
    }

    /// What one engine does in the run.
    fn compute_parts(&self, number: usize, engine: &mut dyn Engine) {
        while let Some(part) = self.begin(number) {
            match panics::caught(|| self.compute(&part, engine)).flatten() {
                Ok(speed) => lock(&self.state).parts.seen(number, speed),
                Err(error) => return lock(&self.state).stop(error),
            }
        }
    }

    fn compute(&self, part: &Part, engine: &mut dyn Engine) -> Result<Speed> {
        let Part { starts, progress } = part;
        let rows = Offset { rows: self.rows, first: starts.start };
        let begin = Instant::now();
        // There are as many starts as a u32 can count.
        let plan = self.plan.part(starts.start as u32..starts.end as u32);
        engine.sequences(self.corpus, &plan, &rows, progress)?;
        let before = progress.seconds(Phase::Upload) + progress.seconds(Phase::Matrix);
        let picking = (begin.elapsed().as_secs_f64() - before).max(1e-6);
        Ok(Speed { sequences: starts.len() as f64 / picking, begin: before })
    }

    /// Goes on without an engine that has no thread.
    fn drop_out(&self, number: usize, error: Error) {
        let mut state = lock(&self.state);
        state.parts.give_up(number);
        state.no_thread.get_or_insert(error);
        drop(state);
        self.leave();
    }

    /// Tells the watcher that an engine is done.
    fn leave(&self) {
        lock(&self.state).working -= 1;
        self.changed.notify_all();
    }

    /// Sums up the parts' counters and passes on a wish to stop, until all engines are done.
    fn watch(&self, progress: &Progress) {
        let before = progress.counts();
        let mut state = lock(&self.state);
        loop {
            if progress.check().is_err() {
                state.stop(Error::Cancelled);
            }
            progress.follow(before, &state.begun);
            if state.working == 0 {
                return;
            }
            let wait = self.changed.wait_timeout(state, WATCH);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
