//! Few sequences of many items on the CPU engine, each run in a process of its own as a program
//! would make it, beside pyversity and a plain float loop in numpy; the read bandwidth and the
//! multiply-adds of the same run; and how far from the best the choice of a row source is.
//!
//!     cargo bench --profile measure --bench large [-- million] [-- grid [DEVICE]]
//!
//! `million` adds the runs over 1,000,000 items; `grid` checks the choice alone, of the CPU engine
//! or of another device's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use std::path::{Path, PathBuf};
use std::time::Instant;

use measure::apart::{child, request, runs, Run, Wanted, ROUNDS};
use measure::corpus::{write_clustered, Mapped};
use measure::median;
use measure::python::{baseline, kernel};
use measure::reads::read_bandwidth;
use vkd::context::Destination;
use vkd::engine::cpu::{multiply_adds_per_second, Level};
use vkd::engine::RowSource;
use vkd::progress::Phase;
use vkd::{Context, ContextOptions, Request, Rule};

const DIM: u32 = 384;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--run") {
        return child(&arguments[at + 1..]);
    }
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let level = Level::best();
    let peak = (0..10).map(|_| multiply_adds_per_second(level, threads)).fold(0.0, f64::max);
    let bandwidth = read_bandwidth(1 << 30, threads);
    println!(
        "{threads} threads, {}; {:.0} G multiply-adds/s, {bandwidth:.1} GB/s; medians of {ROUNDS}",
        level.name(),
        peak / 1e9,
    );
    println!("numpy runs OpenBLAS's kernel {}", kernel());
    let machine = Machine { peak, bandwidth };
    let folder = std::env::temp_dir().join(format!("vkd-large-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let corpus = |num_items: u32| {
        let path = folder.join(format!("{num_items}.npy"));
        if !path.exists() {
            write_clustered(&path, num_items, DIM);
        }
        path
    };
    if has("grid") {
        let device =
            arguments.iter().find(|argument| !argument.starts_with('-') && *argument != "grid");
        grid(device.map_or("cpu", String::as_str), corpus);
        std::fs::remove_dir_all(folder).unwrap();
        return;
    }
    machine.beside_others(&corpus(100_000), 100_000, 200);
    few_of_thousands(&corpus(31_102));
    machine.in_step(&corpus(100_000), 100_000, 64, 50);
    by_rule(&corpus(100_000));
    if has("million") {
        machine.beside_others(&corpus(1_000_000), 1_000_000, 100);
        machine.long(&corpus(1_000_000), 1_000_000, 1_000);
        machine.in_step(&corpus(1_000_000), 1_000_000, 64, 20);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// What the machine can do at most.
struct Machine {
    peak: f64,
    bandwidth: f64,
}

impl Machine {
    /// One sequence beside pyversity and numpy, whole processes.
    fn beside_others(&self, path: &Path, num_items: u32, picks: u32) {
        println!("\n{num_items} x {DIM}, one start, {picks} picks, whole processes");
        let wanted = Wanted { count: 1, length: picks, rule: "centroid", rows: None };
        let own = runs(path, wanted);
        own.print("vkd");
        for (name, script) in
            [("pyversity MSD", "pyversity_one.py"), ("numpy, float32", "numpy_one.py")]
        {
            match python(script, path, picks) {
                Some(seconds) => {
                    let ratio = seconds / own.whole;
                    println!("  {name}: {seconds:.2} s, {ratio:.1} times as long");
                }
                None => println!("  {name}: could not run, left out"),
            }
        }
    }

    /// Sequences that go in step, their rows computed for each step.
    fn in_step(&self, path: &Path, num_items: u32, count: u32, length: u32) {
        println!("\n{num_items} x {DIM}, {count} starts, {length} picks of each");
        let run =
            runs(path, Wanted { count, length, rule: "centroid", rows: Some(RowSource::Direct) });
        run.print("direct");
        self.print_step(&run, num_items, count, length);
    }

    /// A long sequence, whose rows come as the plan says.
    fn long(&self, path: &Path, num_items: u32, length: u32) {
        println!("\n{num_items} x {DIM}, one start, {length} picks");
        let run = runs(path, Wanted { count: 1, length, rule: "centroid", rows: None });
        run.print("chosen");
        self.print_step(&run, num_items, 1, length);
    }

    fn print_step(&self, run: &Run, num_items: u32, count: u32, length: u32) {
        let step = run.steps / f64::from(length - 1);
        let bytes = f64::from(num_items) * f64::from(DIM) * 2.0;
        let products = f64::from(count) * f64::from(num_items) * f64::from(DIM);
        println!(
            "  a step {:.2} ms; if each reads the corpus {:.1} GB/s, {:.0}% of the bandwidth; \
             {:.1} G multiply-adds/s, {:.0}% of the peak",
            step * 1e3,
            bytes / step / 1e9,
            bytes / step / 1e7 / self.bandwidth,
            products / step / 1e9,
            products / step / self.peak * 100.0,
        );
    }
}

/// Three sequences of 600 from the verses of a Bible, beside the matrix of all rows.
fn few_of_thousands(path: &Path) {
    println!("\n31102 x {DIM}, 3 starts, 600 picks");
    let run = |rows| runs(path, Wanted { count: 3, length: 600, rule: "centroid", rows });
    let (own, matrix) = (run(None), run(Some(RowSource::Matrix)));
    own.print("chosen");
    matrix.print("matrix");
    println!("  {:.1} times as long", matrix.whole / own.whole);
}

/// One sequence of each rule. With farthest and mmr rows wait for their items.
fn by_rule(path: &Path) {
    println!("\n100000 x {DIM}, one start, 1000 picks of each rule");
    for rule in ["centroid", "farthest", "mmr", "chain"] {
        runs(path, Wanted { count: 1, length: 1_000, rule, rows: None }).print(rule);
    }
}

/// The time of each way to get rows, and of the one that is chosen.
fn grid(device: &str, corpus: impl Fn(u32) -> PathBuf) {
    println!("\nrule, items, starts, picks: seconds by each way; chosen; times the best");
    let mut worst = 1.0f64;
    // Of a software driver the matrix of 20,000 items takes half a minute.
    let all = [2_000, 6_000, 20_000];
    let sizes = if device == "cpu" { &all[..] } else { &all[..2] };
    for rule in ["centroid", "farthest"] {
        for &num_items in sizes {
            for (count, length) in GRID {
                let question = Question { device, rule, num_items, count, length };
                worst = worst.max(question.compare(&corpus(num_items)));
            }
        }
    }
    println!("  at the worst {worst:.2} times the best");
}

/// Sequences and their items.
const GRID: [(u32, u32); 12] = [
    (1, 10),
    (1, 100),
    (1, 1_000),
    (4, 10),
    (4, 100),
    (4, 1_000),
    (32, 10),
    (32, 100),
    (32, 500),
    (256, 10),
    (256, 50),
    (2_000, 10),
];

struct Question<'a> {
    device: &'a str,
    rule: &'static str,
    num_items: u32,
    count: u32,
    length: u32,
}

impl Question<'_> {
    /// Prints what each way takes; returns how many times the best the chosen one takes.
    fn compare(&self, path: &Path) -> f64 {
        let Question { device, rule, num_items, count, length } = *self;
        let all = request(num_items, count, length);
        let request = Request { rule: Rule::new(rule, None).unwrap(), ..all };
        let of = |rows| {
            let mut options = ContextOptions { device: Some(device.into()), ..Default::default() };
            (options.cpu.rows, options.vulkan.rows) = (rows, rows);
            seconds_of(path, &request, &options)
        };
        let sources = [RowSource::Matrix, RowSource::Cache, RowSource::Direct, RowSource::Lazy];
        let times = sources.map(|rows| Some(of(Some(rows))).filter(|time| time.source == rows));
        let chosen = of(None).source;
        let seconds = |time: &Option<Timed>| time.map_or(f64::MAX, |time| time.seconds);
        let best = times.iter().map(seconds).fold(f64::MAX, f64::min);
        let ratio = seconds(&times[chosen as usize]) / best;
        print!("  {rule} {num_items:>6} {count:>4} {length:>5}:");
        for time in &times {
            print!(" {}", time.map_or("-".into(), |time| format!("{:.4}", time.seconds)));
        }
        println!("; {chosen:?}; {ratio:.2}");
        ratio
    }
}

#[derive(Clone, Copy)]
struct Timed {
    seconds: f64,
    source: RowSource,
}

/// Seconds of rows and picks, the least of three runs.
fn seconds_of(path: &Path, request: &Request, options: &ContextOptions) -> Timed {
    let mapped = Mapped::new(path);
    let context = Context::new(options).unwrap();
    let input = mapped.input();
    let plan = context.plan(input.shape(), request, Destination::Memory).unwrap();
    let once = |_| {
        let job = context.start(&input, request, Destination::Memory).unwrap();
        job.wait(None).unwrap().as_ref().as_ref().unwrap();
        job.progress().seconds(Phase::Matrix) + job.progress().seconds(Phase::Steps)
    };
    let seconds = (0..ROUNDS).map(once).fold(f64::MAX, f64::min);
    Timed { seconds, source: plan.engine.row_source.unwrap() }
}

/// Seconds of a whole process in Python.
fn python(script: &str, path: &Path, picks: u32) -> Option<f64> {
    let once = |_| {
        let begin = Instant::now();
        let output = baseline(script).arg(path).arg(picks.to_string()).output().ok()?;
        output.status.success().then(|| begin.elapsed().as_secs_f64())
    };
    let times: Option<Vec<f64>> = (0..ROUNDS).map(once).collect();
    times.map(median)
}
