//! The peak memory that the CPU engine states before a run is what the run takes. One test in a process of its own, because
//! the system counts the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]
#![cfg(target_os = "linux")]

mod common;

use vkd::engine::cpu::{CpuEngine, Settings};
use vkd::engine::Engine;
use vkd::plan::Plan;
use vkd::progress::Progress;
use vkd::{Corpus, Elements, Request};

/// A line of /proc/self/status in bytes.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_run_keeps_to_its_stated_peak() {
    for (num_items, dim, center) in [(3000, 64, false), (5000, 700, true)] {
        let npy = common::random(num_items, dim, 9);
        let corpus = Corpus::prepare(Elements::F32(&npy.values), num_items, dim, center).unwrap();
        let plan = Plan::new(&Request::default(), num_items).unwrap();
        let threads = 2;
        let settings = Settings { threads: Some(threads), ..Settings::default() };
        let mut engine = CpuEngine::new(&settings).unwrap();
        // Resets the system's high-water mark.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = status("VmRSS:");
        let out = engine.sequences_in_memory(&corpus, &plan, &Progress::default()).unwrap();
        let used = status("VmHWM:") - before;
        let stated = engine.needs(num_items, dim, &plan).unwrap().host_bytes + out.len() as u64 * 4;
        assert_eq!(out.len(), plan.output_len());
        println!("{num_items} x {dim}: stated {stated}, used {used}");
        assert!(used as f64 <= stated as f64 * 1.05, "used {used}, stated {stated}");
        assert!(
            used as f64 >= stated as f64 * 0.95,
            "used {used}, stated {stated}: too pessimistic"
        );
    }
}
