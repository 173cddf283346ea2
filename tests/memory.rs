//! The peak memory that the CPU engine states before a run is what the run takes. One test in a
//! process of its own, because the system counts the whole process.
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
use vkd::engine::neighbors::{Query, QueryShape};
use vkd::engine::Engine;
use vkd::plan::Plan;
use vkd::progress::Progress;
use vkd::{Bytes, Corpus, Request, Shape};

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
        let corpus = Corpus::prepare(&npy.input(center)).unwrap();
        let plan = Plan::new(&Request::default(), num_items).unwrap();
        let threads = 2;
        let settings = Settings { threads: Some(threads), ..Settings::default() };
        let mut engine = CpuEngine::new(&settings).unwrap();
        // Resets the system's high-water mark.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = status("VmRSS:");
        let out = engine.sequences_in_memory(&corpus, &plan, &Progress::default()).unwrap().items;
        let used = status("VmHWM:") - before;
        let stated = engine.needs(Shape::new(num_items, dim), &plan.shape()).unwrap().host_bytes;
        let stated = (stated + Bytes::of::<u32>(out.len() as u64)).get();
        assert_eq!(out.len() as u64, plan.output_len());
        println!("{num_items} x {dim}: stated {stated}, used {used}");
        assert!(used as f64 <= stated as f64 * 1.05, "used {used}, stated {stated}");
        assert!(
            used as f64 >= stated as f64 * 0.95,
            "used {used}, stated {stated}: too pessimistic"
        );
    }
    neighbors_keep_to_theirs();
}

/// Searches may take less than stated: a row keeps up to twice k, where it needs to. 31,000 items
/// stay far below 1.5 GB, the caller's embeddings and the result included.
fn neighbors_keep_to_theirs() {
    for (num_items, dim, k) in [(3000, 64, 2999), (5000, 700, 10), (31_000, 384, 100)] {
        let npy = common::random(num_items, dim, 9);
        let corpus = Corpus::prepare(&npy.input(false)).unwrap();
        let settings = Settings { threads: Some(2), ..Settings::default() };
        let mut engine = CpuEngine::new(&settings).unwrap();
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = status("VmRSS:");
        let query = Query { queries: None, k };
        let found = engine.neighbors_in_memory(&corpus, &query, &Progress::default()).unwrap();
        let (whole, used) = (status("VmHWM:"), status("VmHWM:") - before);
        let shape = QueryShape { num_items, dim, num_rows: num_items, own: true, k };
        let result = Bytes::of::<u64>(found.indices.len() as u64);
        let stated = (engine.search_needs(&shape).unwrap().host_bytes + result).get();
        println!("{num_items} x {dim}, k {k}: stated {stated}, used {used}, the process {whole}");
        assert!(used as f64 <= stated as f64 * 1.05, "used {used}, stated {stated}");
        assert!(whole < 1_500_000_000, "the whole process took {whole}");
    }
}
