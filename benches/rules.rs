//! What a pick of each rule costs beside one of the centroid's, in one run on the CPU engine; what
//! equal futures save where they are shared; and lists of 20 for every item beside pyversity's,
//! which computes them list by list in numpy.
//!
//!     cargo bench --profile measure --bench rules [-- CORPUS.npy ...]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, unreachable_pub)]

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use std::time::Instant;

use common::Npy;
use measure::{median, python};
use vkd::context::Destination;
use vkd::engine::RowSource;
use vkd::progress::Phase;
use vkd::{Context, ContextOptions, Request, Rule};

const ROUNDS: usize = 5;

/// Items of a sequence where picks are timed.
const LENGTH: u32 = 200;

/// Items of a list, as a page shows it.
const LIST: u32 = 20;

/// Lists that pyversity computes, to be scaled to all.
const SAMPLE: u32 = 20;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("rules on the CPU engine, {threads} threads, medians of {ROUNDS} rounds");
    let psalms = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/psalms.npy").to_owned();
    let large = std::env::temp_dir().join(format!("vkd-bench-{}.npy", std::process::id()));
    common::write_npy(&large, &common::random(7_797, 384, 7));
    let given = std::env::args().skip(1).filter(|argument| argument.ends_with(".npy"));
    let large_path = large.to_str().unwrap().to_owned();
    for path in std::iter::once(psalms).chain(given).chain([large_path]) {
        let npy = common::npy_at(path.as_ref());
        println!("\n{} x {}", npy.num_items, npy.dim);
        picks(&npy);
        futures(&npy);
        lists(&npy, &path);
    }
    std::fs::remove_file(large).unwrap();
}

fn rules() -> [(&'static str, Rule); 4] {
    let mmr = Rule::new("mmr", Some(0.7)).unwrap();
    [
        ("centroid", Rule::Centroid),
        ("farthest", Rule::Farthest),
        ("mmr", mmr),
        ("chain", Rule::Chain),
    ]
}

fn context() -> Context {
    Context::new(&ContextOptions { device: Some("cpu".into()), ..Default::default() }).unwrap()
}

/// A pick of each rule from the matrix, the rules in turn in every round. With 500 starts few
/// sequences meet.
fn picks(npy: &Npy) {
    let mut options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
    options.cpu.rows = Some(RowSource::Matrix);
    let context = Context::new(&options).unwrap();
    let starts: Vec<u32> = (0..npy.num_items).step_by(npy.num_items as usize / 500).collect();
    let seconds = |rule| {
        let starts = Some(starts.clone());
        let request = Request { starts, length: LENGTH, rule, ..Request::default() };
        let job = context.start(&npy.input(false), &request, Destination::Memory).unwrap();
        job.wait(None).unwrap().as_ref().as_ref().unwrap();
        let progress = job.progress();
        progress.seconds(Phase::Steps) / progress.steps_done() as f64
    };
    let rounds: Vec<[f64; 4]> =
        (0..ROUNDS).map(|_| rules().map(|(_, rule)| seconds(rule))).collect();
    for (number, (name, _)) in rules().into_iter().enumerate() {
        let pick = median(rounds.iter().map(|round| round[number]).collect());
        let ratio = median(rounds.iter().map(|round| round[number] / round[0]).collect());
        println!("  {name}: {:.3} us a pick, {ratio:.2} x centroid", pick * 1e6);
    }
}

/// Sequences of every item, with equal futures shared and without, in turn. Whole ones of a small
/// corpus only: of thousands of items they take minutes.
fn futures(npy: &Npy) {
    let sharing = [true, false].map(|share| {
        let mut options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
        options.cpu.share_equal_sets = Some(share);
        Context::new(&options).unwrap()
    });
    let whole = (npy.num_items < 5_000).then_some(npy.num_items);
    for length in [Some(LENGTH), whole].into_iter().flatten() {
        for (name, rule) in rules() {
            let request = Request { length, rule, ..Request::default() };
            let seconds = |context: &Context| {
                let job = context.start(&npy.input(false), &request, Destination::Memory).unwrap();
                job.wait(None).unwrap().as_ref().as_ref().unwrap();
                job.progress().seconds(Phase::Steps)
            };
            let ratio = |_| seconds(&sharing[0]) / seconds(&sharing[1]);
            let ratio = median((0..ROUNDS).map(ratio).collect());
            println!("  {name}, {length} of each: {ratio:.2} x with futures shared");
        }
    }
}

/// Lists for every item, the whole run from the embeddings to the result.
fn lists(npy: &Npy, path: &str) {
    let context = context();
    for (name, rule, strategy) in
        [("mmr", Rule::new("mmr", Some(0.7)).unwrap(), "mmr"), ("centroid", Rule::Centroid, "msd")]
    {
        let seconds = |_| {
            let begin = Instant::now();
            let request = Request { length: LIST, rule, ..Request::default() };
            context.sequences(&npy.input(false), &request).unwrap();
            begin.elapsed().as_secs_f64()
        };
        let own = median((0..ROUNDS).map(seconds).collect());
        println!("  {name}, lists of {LIST} for every item: {own:.3} s");
        match pyversity(path, strategy) {
            Some(list) => {
                let all = list * f64::from(npy.num_items);
                println!(
                    "    pyversity, {strategy}: {:.1} ms a list, {all:.0} s for all (scaled from \
                     {SAMPLE} lists), {:.0} times as long",
                    list * 1e3,
                    all / own
                );
            }
            None => println!("    pyversity: could not run, left out"),
        }
    }
}

/// Seconds of one list.
fn pyversity(corpus: &str, strategy: &str) -> Option<f64> {
    let arguments = [corpus, strategy, &LIST.to_string(), &SAMPLE.to_string()];
    python::number(python::baseline("pyversity_lists.py").args(arguments))
}
