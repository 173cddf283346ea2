//! How much work one submission gets.
//!
//! Work is counted in units (picks, rows of tiles). The first submission is small; each next one is sized by
//! the measured time to hit the target, at most twice the last, and never beyond a hard cap (the
//! device's loop budget). Display GPUs lose the device when a submission runs for 2 s. While one runs the next waits in
//! the queue.

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::vulkan::engine::Settings;
use crate::engine::vulkan::gpu::commands::Commands;
use crate::engine::vulkan::gpu::pipeline::Bound;
use crate::error::Result;
use crate::progress::Progress;

/// Push constants and workgroups of a submission.
pub(crate) type Submission = (Vec<u32>, (u32, u32));

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
    pub(crate) fn units(&self, left: u32) -> u32 {
        self.next.min(left)
    }

    /// Learns that `units` took `took`.
    pub(crate) fn learn(&mut self, units: u32, took: Duration) {
        let ratio = self.target.as_secs_f64() / took.as_secs_f64().max(1e-6);
        let fitting = (f64::from(units) * ratio) as u32;
        // A short last submission says little about the size that fits.
        let most = self.next.max(units).saturating_mul(2);
        self.next = fitting.clamp(1, most).min(self.cap);
    }
}

/// Runs `units` units of a kernel: `submission` says how to do `now` of them after `done`, `finished` hears of each end.
pub(crate) fn run(
    (commands, kernel): (&mut Commands, &Bound),
    pacer: &mut Pacer,
    units: u32,
    progress: &Progress,
    submission: impl FnMut(u32, u32) -> Submission,
    finished: impl FnMut(u32),
) -> Result<()> {
    let result = run_all((commands, kernel), pacer, units, progress, submission, finished);
    if result.is_err() {
        // The caller frees the buffers.
        commands.drain();
    }
    result
}

fn run_all(
    (commands, kernel): (&mut Commands, &Bound),
    pacer: &mut Pacer,
    units: u32,
    progress: &Progress,
    mut submission: impl FnMut(u32, u32) -> Submission,
    mut finished: impl FnMut(u32),
) -> Result<()> {
    let mut done = 0;
    let mut under_way = VecDeque::new();
    loop {
        progress.check()?;
        if done < units && !commands.is_full() {
            let now = pacer.units(units - done);
            let (push, groups) = submission(done, now);
            commands.start_dispatch(kernel, &push, groups)?;
            under_way.push_back(now);
            done += now;
        } else if let Some(now) = under_way.pop_front() {
            let took = commands.finish()?;
            pacer.learn(now, took);
            progress.add_submission(took);
            finished(now);
        } else {
            return Ok(());
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
