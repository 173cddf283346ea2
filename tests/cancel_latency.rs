//! How soon a cancelled job is gone: freed within 0.2 s in every phase of a run on the CPU engine,
//! at 20,000 items; a job that waits for another one at once. Asserted with room for a busy
//! machine. One test in a process of its own, since it measures times.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{random, Npy};
use vkd::context::{start_site_write, Destination, NeighborsRequest};
use vkd::engine::{Pairs, RowSource};
use vkd::job::{Job, Output, Watch};
use vkd::progress::{Phase, Progress};
use vkd::site::{Site, Source};
use vkd::store::OutputFile;
use vkd::{Context, ContextOptions, Request, Rule, Sequences};

const ITEMS: u32 = 20_000;

/// What freeing may take here: 0.2 s are promised, and kept, on a machine that has nothing else to
/// do. What took seconds is far above.
const MOST: Duration = Duration::from_millis(600);

struct Bench {
    npy: Npy,
    folder: PathBuf,
    context: Context,
    times: Vec<(String, Duration)>,
}

type When<'a> = &'a dyn Fn(&Progress) -> bool;

impl Bench {
    fn new() -> Bench {
        let folder = std::env::temp_dir().join(format!("vkd-latency-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
        let context = Context::new(&options).unwrap();
        Bench { npy: random(ITEMS, 64, 5), folder, context, times: Vec::new() }
    }

    /// Drops a job at work as soon as `when` says so.
    fn free<T: Send + Sync>(&mut self, name: &str, job: Job<T>, when: When) {
        let begin = Instant::now();
        while !when(job.progress()) {
            assert!(job.ended(Some(Duration::ZERO)).is_none(), "{name}: over too early");
            assert!(begin.elapsed() < Duration::from_secs(60), "{name}: not reached");
            std::thread::sleep(Duration::from_micros(200));
        }
        let reached = begin.elapsed();
        let begin = Instant::now();
        drop(job);
        let took = begin.elapsed();
        println!("{name:26} after {reached:8.1?}: freed in {took:8.1?}");
        self.times.push((name.into(), took));
    }

    fn sequences(&self, to: Destination) -> Job<Output<Sequences>> {
        self.context.start(&self.npy.input(false), &Request::default(), to).unwrap()
    }

    fn neighbors(&self, k: u32) -> NeighborsRequest<'_> {
        NeighborsRequest { input: self.npy.input(false), k, queries: None }
    }

    fn file(&self, name: &str) -> OutputFile {
        OutputFile { path: self.folder.join(name), overwrite: true, ids: None }
    }

    fn site(&self) -> Site {
        let (directory, rankings) = (self.folder.join("site"), self.folder.join("rankings"));
        Site { directory: Some(directory), rankings: Some(rankings), ..Site::default() }
    }

    fn of_sequences(&mut self) {
        // The result has 1.6 GB, the matrix 0.8 GB.
        for milliseconds in [0, 20, 200] {
            let job = self.sequences(Destination::Memory);
            let begin = Instant::now();
            self.free("begin", job, &|_| begin.elapsed() > Duration::from_millis(milliseconds));
        }
        for (name, phase) in [("matrix", Phase::Matrix), ("steps", Phase::Steps)] {
            let job = self.sequences(Destination::Memory);
            self.free(name, job, &|progress| progress.seconds(phase) > 0.05);
        }
        self.of_row_sources();
        let (npy, file) = (random(ITEMS / 2, 16, 6), self.file("sequences"));
        let to = Destination::File(&file);
        let job = self.context.start(&npy.input(false), &Request::default(), to).unwrap();
        self.free("steps into a file", job, &|progress| progress.seconds(Phase::Steps) > 0.05);
    }

    /// 64 sequences in step, and one after the other.
    fn of_row_sources(&mut self) {
        for rows in [RowSource::Cache, RowSource::Direct, RowSource::Lazy] {
            let mut options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
            options.cpu.rows = Some(rows);
            let starts = Some((0..64).collect());
            let request = Request { starts, rule: Rule::Farthest, ..Request::default() };
            let context = Context::new(&options).unwrap();
            let job = context.start(&self.npy.input(false), &request, Destination::Memory).unwrap();
            self.free(&format!("{rows:?}"), job, &|progress| progress.steps_done() > 200);
        }
    }

    fn of_searches(&mut self) {
        let at_work = |progress: &Progress| progress.seconds(Phase::Steps) > 0.05;
        let job = self.context.start_neighbors(&self.neighbors(500), Destination::Memory);
        self.free("neighbours", job.unwrap(), &at_work);
        let file = self.file("neighbors");
        for (name, rows) in [("first rows into a file", 1), ("all rows into a file", ITEMS)] {
            let job = self.context.start_neighbors(&self.neighbors(500), Destination::File(&file));
            self.free(name, job.unwrap(), &|progress| progress.rows_done() >= rows.into());
        }
        for pairs in [Pairs::All, Pairs::Upper] {
            let job = self.context.start_similarity(&self.npy.input(false), pairs);
            self.free("dot products", job.unwrap(), &|progress| progress.rows_done() > 5000);
        }
    }

    fn of_sites(&mut self) {
        let written = |progress: &Progress| progress.files_done() > 100;
        let job = self.context.start_site(&self.neighbors(500), self.site());
        self.free("site", job.unwrap(), &written);
        let items: Vec<u32> =
            (0..2000).flat_map(|start| (0..2000).map(move |k| start ^ k)).collect();
        let items = items.into_iter().map(|item| item % 2048).collect();
        let source =
            Source::Sequences { num_items: 2048, length: 2000, items, rule: Rule::Centroid };
        let job = start_site_write(source, self.site());
        self.free("site from results", job.unwrap(), &written);
    }

    /// A Vulkan device is free after the submissions under way: two of 50 ms.
    fn of_vulkan(&mut self) {
        let options = ContextOptions { device: Some("llvmpipe".into()), ..Default::default() };
        let context = Context::new(&options).unwrap();
        let npy = random(3000, 16, 3);
        let input = npy.input(false);
        let at_work = |progress: &Progress| progress.seconds(Phase::Steps) > 0.02;
        // Without the seconds in which the driver compiles.
        let request = Request { starts: Some(vec![0]), ..Request::default() };
        context.sequences(&input, &request).unwrap();
        let job = context.start(&input, &Request::default(), Destination::Memory).unwrap();
        self.free("Vulkan: steps", job, &at_work);
        let request = NeighborsRequest { input, k: 100, queries: None };
        let job = context.start_neighbors(&request, Destination::Memory).unwrap();
        self.free("Vulkan: neighbours", job, &at_work);
        let job = context.start_similarity(&input, Pairs::All).unwrap();
        self.free("Vulkan: dot products", job, &at_work);
    }

    /// One that waits for its turn behind a long one, and the long one.
    fn of_waiting(&mut self) {
        let first = self.sequences(Destination::Memory);
        let waits = self.sequences(Destination::Memory);
        let search = self.context.start_neighbors(&self.neighbors(5), Destination::Memory).unwrap();
        let begin = Instant::now();
        self.free("waiting", waits, &|_| begin.elapsed() > Duration::from_millis(50));
        assert!(self.times.pop().unwrap().1 < Duration::from_millis(50), "it waited for its turn");
        assert!(first.result().is_none() && search.result().is_none());
        self.free("the first of two", first, &|_| true);
        assert!(search.wait(Some(Duration::from_secs(60))).unwrap().is_ok());
    }
}

#[test]
fn a_cancelled_job_is_freed_at_once_in_every_phase() {
    let mut bench = Bench::new();
    bench.of_waiting();
    bench.of_sequences();
    bench.of_searches();
    bench.of_sites();
    bench.of_vulkan();
    std::fs::remove_dir_all(&bench.folder).unwrap();
    let slow: Vec<_> = bench.times.iter().filter(|(_, took)| *took > MOST).collect();
    assert!(slow.is_empty(), "{slow:?}");
}
