//! Waiting for a job: its progress as a bar, where there is a terminal, and signals.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use vkd::job::Job;
use vkd::progress::{Phase, Progress};

use super::Show;
use crate::failure::Failure;
use crate::interrupt;

/// How often signals and the progress are looked at.
const PACE: Duration = Duration::from_millis(40);

/// Parts of the bar: whatever is counted, in thousandths.
const WHOLE: u64 = 1000;

impl Show {
    /// Waits for the end of a job, and cancels it when a signal comes.
    pub(crate) fn wait<T: Send + Sync + 'static>(&self, job: Job<T>) -> Result<T, Failure> {
        let bar = self.is_watched.then(bar);
        while job.wait(Some(PACE)).is_none() {
            if interrupt::is_wanted() {
                job.cancel();
            }
            if let Some(bar) = &bar {
                draw(bar, job.progress());
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        Ok(job.into_result()?)
    }
}

/// Without colours, so that there are none to switch off.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:8} [{wide_bar}] {percent:>3} %{prefix}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(WHOLE).with_style(style.progress_chars("=> "))
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let done = thousandths(progress);
    bar.set_message(phase(progress).name());
    bar.set_position(done);
    // What nothing is done of yet takes nobody knows how long.
    if done > 0 {
        bar.set_prefix(format!(", {} left", HumanDuration(bar.eta())));
    }
}

/// The last phase that has begun.
fn phase(progress: &Progress) -> Phase {
    let begun = |phase: &&Phase| progress.seconds(**phase) > 0.0;
    *Phase::ALL.iter().rev().find(begun).unwrap_or(&Phase::Prepare)
}

/// How much is done, of what is slowest.
fn thousandths(progress: &Progress) -> u64 {
    let counts = [
        (progress.files_done(), progress.files_total()),
        (progress.steps_done(), progress.steps_total()),
        (progress.rows_done(), progress.rows_total()),
    ];
    let part = |(done, total): (u64, u64)| {
        (total > 0).then(|| (u128::from(done) * u128::from(WHOLE) / u128::from(total)) as u64)
    };
    counts.into_iter().find_map(part).unwrap_or(0)
}
