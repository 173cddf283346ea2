//! All starts of the Psalms on the Vulkan device, by phase, beside two baselines in the same run:
//! the direct method (centroid and N x D per pick) on the same device, and the same integer method
//! in numpy. The baselines run a sample of starts and are scaled; the table says so. Medians of
//! five runs.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use measure::{median, python, Times};

use vkd::engine::vulkan::{direct_method, SequenceKernel, Settings, VulkanEngine};
use vkd::progress::Phase;
use vkd::Context;

const RUNS: usize = 5;
const DIRECT_STARTS: u32 = 8;
const NUMPY_STARTS: u32 = 64;

fn run(npy: &common::Npy, kernel: SequenceKernel, starts: Option<Vec<u32>>) -> Times {
    let settings = Settings { kernel: Some(kernel), ..Settings::default() };
    let corpus = (&*npy.values, npy.num_items, npy.dim);
    measure::run(&common::vulkan(settings), corpus, false, starts)
}

fn main() {
    let npy = common::npy("../../examples/data/psalms.npy");
    let (n, d) = (npy.num_items, npy.dim);
    let device = Context::new(&common::vulkan(Settings::default())).unwrap().info().clone();
    println!(
        "device: {} ({})\ncorpus: {n} x {d}, all {n} starts, full length\n",
        device.name, device.driver
    );

    let runs: Vec<Times> = (0..RUNS).map(|_| run(&npy, SequenceKernel::Registers, None)).collect();
    let middle = |get: &dyn Fn(&Times) -> f64| median(runs.iter().map(get).collect());
    println!("phase        seconds   (median of {RUNS}; upload includes compiling the kernels)");
    for phase in Phase::ALL {
        println!("{:<12} {:>7.3}", phase.name(), middle(&|times| times.phases[phase as usize]));
    }
    let picking = middle(&|times| times.phases[Phase::Steps as usize]);
    let (picks, bytes) = (runs[0].picks, runs[0].bytes);
    println!("{:<12} {:>7.3}\n", "total", middle(&|times| times.total));
    let macs = f64::from(n) * f64::from(n) / 2.0 * f64::from(d);
    println!("matrix: {:.2} G multiply-adds/s", macs / middle(&|times| times.phases[2]) / 1e9);
    println!(
        "picks: {:.2} M/s, {:.3} us each; {:.1} GB of rows read, {:.2} GB/s\n",
        picks / picking / 1e6,
        picking / picks * 1e6,
        bytes / 1e9,
        bytes / picking / 1e9
    );

    let classes = (0..).zip(runs[0].submissions).filter(|(_, count)| *count > 0);
    let classes = classes.map(|(class, count)| format!("up to {} ms: {count}", 1 << class));
    println!("submissions of one run: {}\n", classes.collect::<Vec<_>>().join(", "));

    let buffer = run(&npy, SequenceKernel::Buffer, Some((0..192).collect()));
    let buffer_pick = buffer.phases[Phase::Steps as usize] / buffer.picks;
    println!(
        "scores in a buffer instead of registers (192 starts): {:.3} us a pick",
        buffer_pick * 1e6
    );

    let starts: Vec<u32> = (0..DIRECT_STARTS).map(|i| i * (n / DIRECT_STARTS)).collect();
    let mut engine = VulkanEngine::new("vulkan", &Settings::default()).unwrap();
    let unit = unit_rows(&npy);
    let (_, took) = direct_method(&mut engine, &unit, n, &starts, n).unwrap();
    let direct = took.as_secs_f64() / (f64::from(DIRECT_STARTS) * f64::from(n - 1));
    println!(
        "direct method on the same device ({DIRECT_STARTS} starts, scaled): {:.1} us a pick, \
         {:.0} s for all; {:.0} times as long",
        direct * 1e6,
        direct * picks,
        direct * picks / picking
    );
    let numpy = python::baseline("numpy_integer.py")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/psalms.npy"))
        .arg(NUMPY_STARTS.to_string())
        .output();
    match numpy {
        Ok(output) if output.status.success() => {
            let pick: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
            println!(
                "numpy, same integer method, one process ({NUMPY_STARTS} starts, scaled): \
                 {pick:.3} us a pick, {:.1} s for all; {:.2} times as long",
                pick * picks / 1e6,
                pick * picks / 1e6 / picking
            );
        }
        _ => println!("numpy: not installed, left out"),
    }
}

fn unit_rows(npy: &common::Npy) -> Vec<f32> {
    let row = |row: &[f32]| {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter().map(|x| x / norm).collect::<Vec<f32>>()
    };
    npy.values.chunks_exact(npy.dim as usize).flat_map(row).collect()
}
