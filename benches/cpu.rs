//! All starts on the CPU engine, by phase, with the fraction of the machine's read bandwidth and of
//! its multiply-adds, beside three baselines in the same run. The baselines run a sample and are
//! scaled; the table says so.
//!
//!     cargo bench --profile measure --bench cpu [-- CORPUS.npy ...]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, unreachable_pub)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use std::process::Command;

use measure::reads::read_bandwidth;
use measure::{median, python, run, Times};
use vkd::engine::cpu::{multiply_adds_per_second, Level, Settings};
use vkd::progress::Phase;
use vkd::ContextOptions;

const RUNS: usize = 3;

fn main() {
    let level = Level::best();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("CPU engine, {threads} threads, {}; medians of {RUNS} runs", level.name());
    let peak = (0..25).map(|_| multiply_adds_per_second(level, threads)).fold(0.0, f64::max);
    println!("multiply-adds from registers: {:.0} G/s", peak / 1e9);
    println!("numpy runs OpenBLAS's kernel {}", python::kernel());
    let psalms = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/psalms.npy").to_owned();
    let given = std::env::args().skip(1).filter(|argument| argument.ends_with(".npy"));
    for path in std::iter::once(psalms).chain(given) {
        for center in [false, true] {
            corpus(&path, center, threads, peak);
        }
    }
}

fn corpus(path: &str, center: bool, threads: usize, peak: f64) {
    let npy = common::npy_at(path.as_ref());
    let (n, d) = (npy.num_items, npy.dim);
    let what = if center { "centred" } else { "plain" };
    println!("\n{n} x {d}, {what}, all starts, full length");

    let options = |cpu| ContextOptions { device: Some("cpu".into()), cpu, ..Default::default() };
    let timed = |share| {
        let settings = Settings { share_equal_sets: Some(share), ..Settings::default() };
        (0..RUNS)
            .map(|_| run(&options(settings.clone()), (&npy.values, n, d), center, None))
            .collect()
    };
    let runs: Vec<Times> = timed(true);
    let alone: Vec<Times> = timed(false);
    let middle =
        |runs: &[Times], get: &dyn Fn(&Times) -> f64| median(runs.iter().map(get).collect());
    for phase in Phase::ALL {
        let seconds = middle(&runs, &|times| times.phases[phase as usize]);
        if seconds > 0.0 {
            println!("  {:<10} {seconds:>8.3} s", phase.name());
        }
    }
    let total = middle(&runs, &|times| times.total);
    println!("  {:<10} {total:>8.3} s", "total");

    let matrix = middle(&runs, &|times| times.phases[Phase::Matrix as usize]);
    let products = f64::from(n) * f64::from(n) / 2.0 * f64::from(d);
    println!(
        "  matrix: {:.1} G multiply-adds/s, {:.0}% of the peak",
        products / matrix / 1e9,
        products / matrix / peak * 100.0
    );
    let size = n as usize * n.next_multiple_of(64) as usize * 2;
    let bandwidth = read_bandwidth(size, threads);
    for (what, runs) in [("equal sets shared", &runs), ("every set alone", &alone)] {
        let seconds = middle(runs, &|times| times.phases[Phase::Steps as usize]);
        let (picks, bytes) = (runs[0].picks, middle(runs, &|times| times.bytes));
        let rate = bytes / seconds / 1e9;
        println!(
            "  {what}: {seconds:.3} s, {:.1} M picks/s, {:.3} us each, {:.1} GB read, \
             {rate:.1} GB/s, {:.0}% of {bandwidth:.1} GB/s",
            picks / seconds / 1e6,
            seconds / picks * 1e6,
            bytes / 1e9,
            rate / bandwidth * 100.0
        );
    }
    let large = n > 4000;
    let baselines = [
        ("numpy, float32 matrix", "numpy_float.py", if large { 8 } else { 64 }, "starts"),
        ("numpy, direct method with BLAS", "numpy_direct.py", 20, "picks of 256 starts"),
        ("LuaJIT, direct method", "luajit_direct.lua", 50, "picks of one start"),
    ];
    for (name, script, sample, unit) in baselines {
        match baseline(script, path, sample, center) {
            Some(seconds) => println!(
                "  {name} ({sample} {unit}, scaled): {seconds:.1} s, {:.1} times as long",
                seconds / total
            ),
            None => println!("  {name}: could not run, left out"),
        }
    }
}

fn baseline(script: &str, corpus: &str, sample: u32, center: bool) -> Option<f64> {
    let mut command = match script.ends_with(".py") {
        true => python::baseline(script),
        false => luajit(script),
    };
    let center = if center { "1" } else { "0" };
    python::number(command.args([corpus, &sample.to_string(), center]))
}

fn luajit(script: &str) -> Command {
    let mut command = Command::new("luajit");
    command.arg(format!("{}/benches/baselines/{script}", env!("CARGO_MANIFEST_DIR")));
    command
}
