//! How the time of the CPU engine grows with the items and the dimensions: synthetic corpora, all
//! starts, a table in Markdown on the standard output and a plot in docs/growth.svg. Beside every
//! time the model: multiply-adds over the measured peak, and bytes over the measured read bandwidth
//! of a buffer as large as the matrix.
//!
//!     cargo bench --profile measure --bench growth
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, unreachable_pub)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use measure::plot::{self, plot, Axis, Series};
use measure::reads::read_bandwidth;
use measure::run;
use vkd::engine::cpu::{multiply_adds_per_second, Level};
use vkd::ContextOptions;

const ITEMS: [u32; 4] = [1000, 2000, 4000, 8000];
const DIMS: [u32; 4] = [128, 384, 768, 1536];

struct Point {
    n: u32,
    d: u32,
    matrix: f64,
    sequences: f64,
    matrix_model: f64,
    sequences_model: f64,
}

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let peak = (0..5).map(|_| multiply_adds_per_second(Level::best(), threads)).fold(0.0, f64::max);
    let options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
    println!("| N | D | matrix | model | sequences | model | measured / model |");
    println!("|---|---|---|---|---|---|---|");
    let mut points = Vec::new();
    for n in ITEMS {
        let stride = f64::from(n.next_multiple_of(64));
        let bandwidth = read_bandwidth((f64::from(n) * stride * 2.0) as usize, threads);
        for d in DIMS {
            let corpus = common::random(n, d, u64::from(n + d));
            let times = run(&options, (&corpus.values, n, d), true, None);
            let point = Point {
                n,
                d,
                matrix: times.phases[2],
                sequences: times.phases[3],
                matrix_model: f64::from(n) * f64::from(n) / 2.0 * f64::from(d) / peak,
                sequences_model: times.bytes / 1e9 / bandwidth,
            };
            println!(
                "| {n} | {d} | {:.3} s | {:.3} s | {:.3} s | {:.3} s | {:.2} |",
                point.matrix,
                point.matrix_model,
                point.sequences,
                point.sequences_model,
                (point.matrix + point.sequences) / (point.matrix_model + point.sequences_model)
            );
            points.push(point);
        }
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/growth.svg");
    std::fs::write(file, plot_all(&points)).unwrap();
}

fn plot_all(points: &[Point]) -> String {
    let along = Axis {
        name: "items (all of them as starts)",
        ticks: ITEMS.map(|n| (f64::from(n), n.to_string())).to_vec(),
    };
    let seconds = [0.01, 0.1, 1.0, 10.0, 100.0];
    let up = Axis { name: "", ticks: seconds.map(|at| (at, format!("{at} s"))).to_vec() };
    let series = |d: u32| {
        let own = points.iter().filter(|point| point.d == d);
        let points = own.map(|point| plot::Point {
            x: point.n.into(),
            measured: point.matrix + point.sequences,
            model: point.matrix_model + point.sequences_model,
        });
        Series { name: format!("{d} dimensions"), points: points.collect() }
    };
    plot(&along, &up, &DIMS.map(series))
}
