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

use std::fmt::Write;

use measure::{read_bandwidth, run};
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
    std::fs::write(file, plot(&points)).unwrap();
}

/// Both axes logarithmic: 1,000 to 8,000 items, 0.01 s to 100 s. One colour for each number of
/// dimensions; dots are measured, dashed lines the model.
fn plot(points: &[Point]) -> String {
    let x = |n: u32| 80.0 + (f64::from(n) / 1000.0).log2() / 3.0 * 480.0;
    let y = |seconds: f64| 360.0 - (seconds / 0.01).log10() / 4.0 * 320.0;
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 430\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"720\" height=\"430\" fill=\"#fff\"/>\n",
    );
    for seconds in [0.01, 0.1, 1.0, 10.0, 100.0] {
        let at = y(seconds);
        let below = at + 4.0;
        let _ = writeln!(
            svg,
            "<path d=\"M80 {at:.1}H560\" stroke=\"#ddd\"/>\
             <text x=\"72\" y=\"{below:.1}\" text-anchor=\"end\">{seconds} s</text>"
        );
    }
    for n in ITEMS {
        let at = x(n);
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} 40V360\" stroke=\"#eee\"/>\
             <text x=\"{at:.1}\" y=\"380\" text-anchor=\"middle\">{n}</text>"
        );
    }
    let colors = ["#1b6ca8", "#d1495b", "#3a7d44", "#7b4fa3"];
    for (at, (d, color)) in DIMS.iter().zip(colors).enumerate() {
        let own = || points.iter().filter(|point| point.d == *d);
        let model =
            own().map(|p| format!("{:.1},{:.1}", x(p.n), y(p.matrix_model + p.sequences_model)));
        let model: Vec<String> = model.collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-dasharray=\"5 4\"/>",
            model.join(" ")
        );
        for point in own() {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{color}\"/>",
                x(point.n),
                y(point.matrix + point.sequences)
            );
        }
        let line = 60 + 22 * at;
        let middle = line - 4;
        let _ = writeln!(
            svg,
            "<circle cx=\"580\" cy=\"{middle}\" r=\"4\" fill=\"{color}\"/>\
             <text x=\"592\" y=\"{line}\">{d} dimensions</text>"
        );
    }
    svg.push_str(
        "<text x=\"320\" y=\"408\" text-anchor=\"middle\">items (all of them as starts)</text>\n\
         <text x=\"580\" y=\"160\">dots: measured</text>\n\
         <text x=\"580\" y=\"178\">dashed: model</text>\n</svg>\n",
    );
    svg
}
