//! Neighbours of all items on the CPU engine, k = 10 and 100, beside faiss and numpy on as many
//! threads in the same run (and llvmpipe, for the smaller ones): the Psalms, the corpora that are
//! given, and 31,000 x 384 random rows.
//!
//!     cargo bench --profile measure --bench neighbors [-- CORPUS.npy ...]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, unreachable_pub)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use common::Npy;
use std::time::Instant;

use measure::python;
use vkd::context::{Destination, NeighborsRequest};
use vkd::engine::Pairs;
use vkd::{Context, ContextOptions, Elements, Input};

const RUNS: usize = 3;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("neighbours, {threads} threads, the best of {RUNS} runs");
    println!("numpy runs OpenBLAS's kernel {}", python::kernel());
    let psalms = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/psalms.npy").to_owned();
    let large = std::env::temp_dir().join(format!("vkd-bench-{}.npy", std::process::id()));
    common::write_npy(&large, &common::random(31_000, 384, 7));
    let given = std::env::args().skip(1).filter(|argument| argument.ends_with(".npy"));
    let large_path = large.to_str().unwrap().to_owned();
    for path in std::iter::once(psalms).chain(given).chain([large_path]) {
        corpus(&path, threads);
    }
    std::fs::remove_file(large).unwrap();
}

fn corpus(path: &str, threads: usize) {
    let npy = common::npy_at(path.as_ref());
    println!("\n{} x {}", npy.num_items, npy.dim);
    let cpu = context("cpu");
    for k in [10, 100] {
        let seconds = (0..RUNS).map(|_| search(&cpu, &npy, k)).fold(f64::INFINITY, f64::min);
        println!("  k = {k}: {seconds:.3} s");
        for (name, script) in [
            ("faiss, IndexFlatIP", "faiss_neighbors.py"),
            ("numpy, BLAS and argpartition", "numpy_neighbors.py"),
        ] {
            match baseline(script, path, k, threads) {
                Some(other) => {
                    println!("    {name}: {other:.3} s, {:.1} times as long", other / seconds)
                }
                None => println!("    {name}: could not run, left out"),
            }
        }
    }
    if npy.num_items < 10_000 {
        llvmpipe(&npy);
    }
}

/// A software driver says nothing of a GPU but what share the search has beside the dot products.
fn llvmpipe(npy: &Npy) {
    let context = context("llvmpipe");
    search(&context, npy, 1);
    let dots = similarities(&context, npy);
    for k in [10, 100, npy.num_items - 1] {
        println!("  llvmpipe, k = {k}: {:.2} s", search(&context, npy, k));
    }
    println!("  llvmpipe, the dot products alone, brought back: {dots:.2} s");
}

fn context(device: &str) -> Context {
    Context::new(&ContextOptions { device: Some(device.into()), ..Default::default() }).unwrap()
}

/// Seconds for the k nearest of all items.
fn search(context: &Context, npy: &Npy, k: u32) -> f64 {
    let begin = Instant::now();
    let elements = Elements::F32(&npy.values);
    let (num_items, dim) = (npy.num_items, npy.dim);
    let request =
        NeighborsRequest { input: Input::new(elements, num_items, dim), k, queries: None };
    let job = context.start_neighbors(&request, Destination::Memory);
    job.unwrap().wait(None).unwrap().as_ref().as_ref().unwrap();
    begin.elapsed().as_secs_f64()
}

/// Seconds for the similarities of all pairs.
fn similarities(context: &Context, npy: &Npy) -> f64 {
    let begin = Instant::now();
    let job = context.start_similarity(&npy.input(false), Pairs::All);
    job.unwrap().wait(None).unwrap().as_ref().as_ref().unwrap();
    begin.elapsed().as_secs_f64()
}

fn baseline(script: &str, corpus: &str, k: u32, threads: usize) -> Option<f64> {
    let mut baseline = python::baseline(script);
    baseline.args([corpus, &k.to_string(), &threads.to_string()]);
    python::number(baseline.env("OPENBLAS_NUM_THREADS", threads.to_string()))
}
