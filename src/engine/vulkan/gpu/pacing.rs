//! How much work one submission gets.
//!
//! Work is counted in units (picks, rows of tiles). The first submission is small; each next one is
//! sized by the measured time to hit the target, at most twice the last, and never beyond a hard
//! cap (the device's loop budget). Display GPUs lose the device when a submission runs for 2 s.
//! While one runs the next waits in the queue.

use std::collections::VecDeque;
use std::time::Duration;

use super::commands::Commands;
use super::pipeline::{Bound, Dispatch};
use crate::engine::vulkan::settings::Settings;
use crate::error::Result;
use crate::progress::Progress;

/// The units of a submission: `now` of them, after `done`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units {
    pub(crate) done: u32,
    pub(crate) now: u32,
}

/// How long a submission should take. With two under way, a cancelled run ends within twice that.
pub(crate) fn target(settings: &Settings) -> Duration {
    settings.submit_target.unwrap_or(Duration::from_millis(50))
}

/// Sizes the submissions of one kernel.
#[derive(Debug, Clone)]
pub(crate) struct Pacer {
    target: Duration,
    cap: u32,
    next: u32,
}

impl Pacer {
    /// `first` units to begin with, never more than `cap`.
    pub(crate) fn new(target: Duration, first: u32, cap: u32) -> Pacer {
        let cap = cap.max(1);
        Pacer { target, cap, next: first.clamp(1, cap) }
    }

    /// Units for the next submission, of the `left` ones that remain.
    fn units(&self, left: u32) -> u32 {
        self.next.min(left)
    }

    /// Learns that `units` took `took`.
    fn learn(&mut self, units: u32, took: Duration) {
        let ratio = self.target.as_secs_f64() / took.as_secs_f64().max(1e-6);
        let fitting = (f64::from(units) * ratio) as u32;
        // A short last submission says little about the size that fits.
        let most = self.next.max(units).saturating_mul(2);
        self.next = fitting.clamp(1, most).min(self.cap);
    }

    /// Runs `units` units of a kernel: `dispatch` says how to do some of them, `finished` hears of
    /// each end.
    pub(crate) fn run(
        &mut self,
        commands: &mut Commands,
        kernel: &Bound,
        units: u32,
        progress: &Progress,
        dispatch: impl FnMut(Units) -> Dispatch,
        finished: impl FnMut(Units),
    ) -> Result<()> {
        let result = self.run_all(commands, kernel, units, progress, dispatch, finished);
        if result.is_err() {
            // The caller frees the buffers.
            commands.drain();
        }
        result
    }

    fn run_all(
        &mut self,
        commands: &mut Commands,
        kernel: &Bound,
        units: u32,
        progress: &Progress,
        mut dispatch: impl FnMut(Units) -> Dispatch,
        mut finished: impl FnMut(Units),
    ) -> Result<()> {
        let mut done = 0;
        let mut under_way = VecDeque::new();
        loop {
            progress.check()?;
            if done < units && !commands.is_full() {
                let next = Units { done, now: self.units(units - done) };
                commands.start_dispatch(kernel, &dispatch(next))?;
                under_way.push_back(next);
                done += next.now;
            } else if let Some(oldest) = under_way.pop_front() {
                let took = commands.finish()?;
                self.learn(oldest.now, took);
                progress.add_submission(took);
                finished(oldest);
            } else {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_starts_small_doubles_and_settles_on_the_target() {
        let mut pacer = Pacer::new(50 * MS, 1, 1000);
        let mut sizes = Vec::new();
        for _ in 0..9 {
            let units = pacer.units(u32::MAX);
            sizes.push(units);
            pacer.learn(units, MS * units / 2);
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 100, 100]);
    }

    #[test]
    fn it_never_passes_the_cap_and_never_reaches_zero() {
        let mut pacer = Pacer::new(50 * MS, 64, 100);
        pacer.learn(64, Duration::ZERO);
        assert_eq!(pacer.units(u32::MAX), 100);
        pacer.learn(100, MS * 60_000);
        assert_eq!(pacer.units(u32::MAX), 1);
        assert_eq!(Pacer::new(MS, 5, 0).units(9), 1);
    }
}
