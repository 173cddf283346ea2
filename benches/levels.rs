//! The CPU engine at every level of vector instructions that this machine has, in one run: rounds
//! of all levels one after the other, medians, and the ratio to the level before.
//!
//!     cargo bench --profile measure --bench levels [-- CORPUS.npy ...]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, unreachable_pub)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use measure::{median, run, Times};
use vkd::engine::cpu::{multiply_adds_per_second, Level, Settings};
use vkd::engine::RowSource;
use vkd::progress::Phase;
use vkd::ContextOptions;

const ROUNDS: usize = 15;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("CPU engine, {threads} threads; medians of {ROUNDS} rounds over all levels");
    let psalms = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/psalms.npy").to_owned();
    let given = std::env::args().skip(1).filter(|argument| argument.ends_with(".npy"));
    for path in std::iter::once(psalms).chain(given) {
        corpus(&path, threads);
    }
}

/// What was measured of one level.
struct Measured {
    level: Level,
    peaks: Vec<f64>,
    runs: Vec<Times>,
}

impl Measured {
    fn new(level: Level) -> Measured {
        Measured { level, peaks: Vec::new(), runs: Vec::new() }
    }

    fn seconds(&self, phase: Phase) -> f64 {
        median(self.runs.iter().map(|times| times.phases[phase as usize]).collect())
    }

    fn total(&self) -> f64 {
        median(self.runs.iter().map(|times| times.total).collect())
    }

    fn peak(&self) -> f64 {
        median(self.peaks.clone())
    }
}

fn corpus(path: &str, threads: usize) {
    let npy = common::npy_at(path.as_ref());
    println!("\n{} x {}, all starts, full length", npy.num_items, npy.dim);
    // Plain loops take long.
    let levels = Level::available().into_iter().filter(|&level| level != Level::Portable);
    let mut all: Vec<Measured> = levels.map(Measured::new).collect();
    for _ in 0..ROUNDS {
        for Measured { level, peaks, runs } in &mut all {
            let cpu = Settings {
                level: Some(*level),
                rows: Some(RowSource::Matrix),
                ..Settings::default()
            };
            let options = ContextOptions { device: Some("cpu".into()), cpu, ..Default::default() };
            peaks.push(multiply_adds_per_second(*level, threads));
            runs.push(run(&options, (&npy.values, npy.num_items, npy.dim), false, None));
        }
    }
    println!(
        "  {:<14}{:>18}{:>16}{:>16}{:>16}",
        "", "G multiply-adds/s", "matrix, s", "steps, s", "total, s"
    );
    let mut before: Option<&Measured> = None;
    for level in &all {
        let ratio = |of: &dyn Fn(&Measured) -> f64| {
            before.map_or(String::new(), |before| format!(" ({:.2})", of(level) / of(before)))
        };
        let cell = |number: f64, digits: usize, of: &dyn Fn(&Measured) -> f64| {
            format!("{number:.digits$}{}", ratio(of))
        };
        println!(
            "  {:<14}{:>18}{:>16}{:>16}{:>16}",
            level.level.name(),
            cell(level.peak() / 1e9, 0, &Measured::peak),
            cell(level.seconds(Phase::Matrix), 4, &|level| level.seconds(Phase::Matrix)),
            cell(level.seconds(Phase::Steps), 3, &|level| level.seconds(Phase::Steps)),
            cell(level.total(), 3, &Measured::total),
        );
        before = Some(level);
    }
}
