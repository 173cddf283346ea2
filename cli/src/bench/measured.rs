//! A measured task: what was computed of which corpus, and what it took by phase.

use std::time::Instant;

use serde_json::{json, Map, Value};
use vkd::progress::{Phase, Progress};
use vkd::Shape;

use super::corpus::Corpus;

/// What one run took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Times {
    pub(crate) phases: [f64; Phase::ALL.len()],
    pub(crate) total: f64,
    pub(crate) steps: u64,
    pub(crate) bytes_read: u64,
}

impl Times {
    pub(super) fn of(progress: &Progress, begin: Instant) -> Times {
        Times {
            phases: Phase::ALL.map(|phase| progress.seconds(phase)),
            total: begin.elapsed().as_secs_f64(),
            steps: progress.steps_done(),
            bytes_read: progress.bytes_read(),
        }
    }

    pub(crate) fn of_phase(&self, phase: Phase) -> f64 {
        self.phases[phase as usize]
    }
}

/// What is computed of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// In full length.
    Sequences {
        starts: u32,
    },
    Neighbors {
        k: u32,
    },
}

/// A measured task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) corpus: Corpus,
    pub(crate) task: Task,
    pub(crate) runs: usize,
    /// Of the run in the middle.
    pub(crate) times: Times,
}

impl Measured {
    /// Seconds of the dot products: of the matrix, or of the search.
    pub(super) fn seconds_of_products(&self) -> f64 {
        match self.task {
            Task::Sequences { .. } => self.times.of_phase(Phase::Matrix),
            Task::Neighbors { .. } => self.times.of_phase(Phase::Steps),
        }
    }

    /// Multiply-adds of all dot products per second; in a matrix each pair is computed once.
    pub(crate) fn products_per_second(&self) -> Option<f64> {
        let Shape { num_items, dim } = self.corpus.shape();
        let pairs = f64::from(num_items) * f64::from(num_items);
        let products = match self.task {
            Task::Sequences { .. } => pairs / 2.0,
            Task::Neighbors { .. } => pairs,
        };
        let seconds = self.seconds_of_products();
        (seconds > 0.0).then(|| products * f64::from(dim) / seconds)
    }

    /// Bytes of rows that the picks read per second.
    pub(crate) fn read_rate(&self) -> f64 {
        self.times.bytes_read as f64 / self.times.of_phase(Phase::Steps)
    }

    pub(crate) fn json(&self, bandwidth: Option<f64>) -> Value {
        let Shape { num_items, dim } = self.corpus.shape();
        let phases: Map<String, Value> = Phase::ALL
            .into_iter()
            .map(|phase| (phase.name().to_owned(), self.times.of_phase(phase).into()))
            .collect();
        let mut all = json!({
            "corpus": self.corpus.name(),
            "num_items": num_items,
            "dim": dim,
            "runs": self.runs,
            "phases": phases,
            "total": self.times.total,
            "multiply_adds_per_second": self.products_per_second(),
        });
        match self.task {
            Task::Neighbors { k } => all["k"] = k.into(),
            Task::Sequences { starts } => {
                let seconds = self.times.of_phase(Phase::Steps);
                all["starts"] = starts.into();
                all["picks"] = self.times.steps.into();
                all["picks_per_second"] = (self.times.steps as f64 / seconds).into();
                all["bytes_read"] = self.times.bytes_read.into();
                all["bytes_per_second"] = self.read_rate().into();
                all["fraction"] = bandwidth.map(|rate| self.read_rate() / rate).into();
            }
        }
        all
    }
}
