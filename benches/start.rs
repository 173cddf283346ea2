//! How long the first kernels of a process take to build, with and without the pipeline cache on
//! the disk: on a driver that compiles for a GPU that is not there (RADV), with its own cache
//! switched off. Medians of `ROUNDS` processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use vkd::engine::vulkan::{build_all, PipelineCache};

const ROUNDS: usize = 9;
const DRIVER: &str = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json";

fn main() {
    if let Some(place) = std::env::var_os("VKD_BENCH_CACHE") {
        let place = match place.to_str() {
            Some("off") => PipelineCache::Off,
            _ => PipelineCache::At(place.into()),
        };
        let begin = Instant::now();
        let kernels = build_all("", &place).unwrap();
        return println!("{} {kernels}", begin.elapsed().as_secs_f64());
    }
    if !Path::new(DRIVER).exists() {
        return println!("start: {DRIVER} is not there, nothing to measure");
    }
    let folder = std::env::temp_dir().join(format!("vkd-start-{}", std::process::id()));
    println!("\nfirst kernels of a process, RADV for NAVI21 without a GPU, its own cache off");
    child(&folder.display().to_string());
    for (what, place) in [("without", "off".into()), ("with", folder.display().to_string())] {
        let mut times: Vec<(f64, usize)> = (0..ROUNDS).map(|_| child(&place)).collect();
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, kernels) = times[ROUNDS / 2];
        println!("{what} the cache: {:.1} ms for a device and {kernels} kernels", seconds * 1e3);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Seconds and kernels of a process of its own.
fn child(place: &str) -> (f64, usize) {
    let output = Command::new(std::env::current_exe().unwrap())
        .env("VKD_BENCH_CACHE", place)
        .env("RADV_FORCE_FAMILY", "NAVI21")
        .env("VK_ICD_FILENAMES", DRIVER)
        .env("VK_DRIVER_FILES", DRIVER)
        .env("MESA_SHADER_CACHE_DISABLE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut words = text.split_whitespace();
    let seconds = words.next().expect("the child's time").parse().unwrap();
    (seconds, words.next().unwrap().parse().unwrap())
}
