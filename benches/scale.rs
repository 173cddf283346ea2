//! How the time and the memory of few sequences grow with the items, 10,000 to 1,000,000: a table
//! in Markdown on the standard output, and plots in docs/large-time.svg and docs/large-memory.svg.
//!
//!     cargo bench --profile measure --bench scale
//!
//! Beside every time the model. Preparing reads the halves and writes as many bytes. The picks take
//! what is longer: the bytes that they read over the measured bandwidth, or the multiply-adds of
//! the plan over the measured peak. The model of the memory is what the plan says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use measure::apart::{child, runs, Run, Wanted};
use measure::corpus::write_clustered;
use measure::plot::{plot, Axis, Point, Series};
use measure::reads::read_bandwidth;
use vkd::engine::cpu::{multiply_adds_per_second, Level};

const DIM: u32 = 384;
const ITEMS: [u32; 7] = [10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];

/// Sequences, their length, their rule.
const QUESTIONS: [(u32, u32, &str); 3] =
    [(1, 100, "centroid"), (1, 100, "farthest"), (64, 20, "centroid")];

/// A question for one number of items.
struct Measured {
    items: u32,
    run: Run,
    seconds_of_model: f64,
}

/// What the machine can do at most.
struct Machine {
    peak: f64,
    bandwidth: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--run") {
        return child(&arguments[at + 1..]);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let peak = (0..10).map(|_| multiply_adds_per_second(Level::best(), threads));
    let machine = Machine {
        peak: peak.fold(0.0, f64::max),
        bandwidth: read_bandwidth(1 << 30, threads) * 1e9,
    };
    println!(
        "{threads} threads; {:.0} G multiply-adds/s, {:.1} GB/s\n",
        machine.peak / 1e9,
        machine.bandwidth / 1e9
    );
    println!("| starts x picks, rule | N | prepare | picks | both | model | memory | planned |");
    println!("|---|---|---|---|---|---|---|---|");
    let all = QUESTIONS.map(|question| ITEMS.map(|items| machine.measure(items, question)));
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/");
    std::fs::write(format!("{docs}large-time.svg"), times(&all)).unwrap();
    std::fs::write(format!("{docs}large-memory.svg"), memory(&all)).unwrap();
}

impl Machine {
    fn measure(&self, items: u32, (count, length, rule): (u32, u32, &'static str)) -> Measured {
        let path = std::env::temp_dir().join(format!("vkd-scale-{items}.npy"));
        write_clustered(&path, items, DIM);
        let run = runs(&path, Wanted { count, length, rule, rows: None });
        std::fs::remove_file(&path).unwrap();
        let halves = f64::from(items) * f64::from(DIM) * 2.0;
        let read = run.read / self.bandwidth;
        let seconds_of_model =
            2.0 * halves / self.bandwidth + read.max(run.multiply_adds / self.peak);
        println!(
            "| {count} x {length}, {rule} | {items} | {:.3} s | {:.3} s | {:.3} s | {:.3} s | \
             {:.0} MB | {:.0} MB |",
            run.prepare,
            run.steps,
            run.prepare + run.steps,
            seconds_of_model,
            run.memory / 1e6,
            run.planned / 1e6
        );
        Measured { items, run, seconds_of_model }
    }
}

fn items() -> Axis {
    let ticks = [10_000, 100_000, 1_000_000].map(|n| (f64::from(n), n.to_string()));
    Axis { name: "items, 384 dimensions", ticks: ticks.to_vec() }
}

/// A line for each question.
fn lines(all: &[[Measured; 7]; 3], point: impl Fn(&Measured) -> Point) -> Vec<Series> {
    let line = |((count, length, rule), of): (&(u32, u32, &str), &[Measured; 7])| Series {
        name: format!("{count} x {length}, {rule}"),
        points: of.iter().map(&point).collect(),
    };
    QUESTIONS.iter().zip(all).map(line).collect()
}

fn times(all: &[[Measured; 7]; 3]) -> String {
    let ticks = [0.01, 0.1, 1.0, 10.0].map(|at| (at, format!("{at} s"))).to_vec();
    let point = |one: &Measured| Point {
        x: one.items.into(),
        measured: one.run.prepare + one.run.steps,
        model: one.seconds_of_model,
    };
    plot(&items(), &Axis { name: "seconds to prepare and to pick", ticks }, &lines(all, point))
}

fn memory(all: &[[Measured; 7]; 3]) -> String {
    let ticks = [10.0, 100.0, 1_000.0, 10_000.0].map(|at| (at, format!("{at} MB"))).to_vec();
    let point = |one: &Measured| Point {
        x: one.items.into(),
        measured: one.run.memory / 1e6,
        model: one.run.planned / 1e6,
    };
    plot(&items(), &Axis { name: "peak memory beside the mapped file", ticks }, &lines(all, point))
}
