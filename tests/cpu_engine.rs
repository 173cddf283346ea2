//! The CPU engine against the reference and the golden cases, bit for bit: every level of vector
//! instructions that this machine has, every number of threads, with and without shared futures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use common::{compute, golden, random, reference, Npy};
use vkd::engine::cpu::{CpuEngine, Level, Settings};
use vkd::engine::neighbors::Query;
use vkd::engine::{Engine, Pairs, PutDots, PutNeighbors, PutSequences, RowSource};
use vkd::plan::Plan;
use vkd::progress::Progress;
use vkd::sequence::{Sequence, SequenceMut, Sequences};
use vkd::{Context, ContextOptions, Corpus, Elements, Error, Heads, Input, Lambda, Request, Rule};

const SOURCES: [RowSource; 4] =
    [RowSource::Matrix, RowSource::Cache, RowSource::Direct, RowSource::Lazy];

fn cpu(cpu: Settings) -> ContextOptions {
    ContextOptions { device: Some("cpu".into()), cpu, ..Default::default() }
}

#[test]
fn golden_cases_at_every_level() {
    for level in Level::available() {
        // That futures are not shared is no matter of the level.
        let shares = if level == Level::best() { &[true, false][..] } else { &[true] };
        for &share in shares {
            let settings = Settings {
                level: Some(level),
                share_equal_sets: Some(share),
                rows: Some(RowSource::Matrix),
                ..Settings::default()
            };
            golden().iter().for_each(|case| case.check(&cpu(settings.clone())));
        }
    }
}

/// Sizes around every blocking constant, odd dimensions, ties and duplicates, weights, part of the
/// starts.
#[test]
fn random_corpora_agree_with_the_reference() {
    let mut seed = 1;
    let sizes = [1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 129, 255, 256, 257, 300, 511, 513, 600];
    let dims = [1, 2, 3, 7, 31, 64, 129, 300];
    for (at, &num_items) in sizes.iter().enumerate() {
        for dim in [dims[at % 8], dims[(at + 3) % 8]] {
            seed += 1;
            let corpus = random(num_items, dim, seed);
            let center = seed % 2 == 0 && num_items > 3;
            let starts = (0..num_items).step_by(1 + num_items as usize / 40).chain([num_items - 1]);
            let request = Request {
                starts: (at % 3 != 0).then(|| starts.collect()),
                length: if at % 4 == 1 { 1 + num_items / 2 } else { 0 },
                ..Request::default()
            };
            let expected = reference(&corpus, center, &request);
            for level in Level::available() {
                let ways = [
                    (1, RowSource::Matrix),
                    (2, RowSource::Matrix),
                    (3, RowSource::Matrix),
                    (8, RowSource::Matrix),
                    (3, RowSource::Cache),
                    (2, RowSource::Direct),
                ];
                for (threads, rows) in ways {
                    let settings = Settings {
                        level: Some(level),
                        threads: Some(threads),
                        share_equal_sets: Some(threads != 2),
                        rows: Some(rows),
                    };
                    let shape = format!("{num_items} x {dim}, center {center}, {settings:?}");
                    assert!(
                        compute(&cpu(settings), &corpus, center, &request) == expected,
                        "{shape}"
                    );
                }
            }
        }
    }
}

/// Values bit for bit: 0 and -0 are not the same.
fn bits(sequences: &Sequences) -> Vec<u32> {
    sequences.values.iter().map(|value| value.to_bits()).collect()
}

/// Every rule at every level: sizes around the blocks of 256 and 1,024 items, heads, values.
#[test]
fn every_rule_at_every_level_agrees_with_the_reference() {
    let lambda = |lambda| Rule::Mmr(Lambda::new(lambda).unwrap());
    let rules = [
        Rule::Centroid,
        Rule::Farthest,
        Rule::Chain,
        lambda(0.0),
        lambda(1.0 / 32768.0),
        lambda(0.6),
        lambda(1.0),
    ];
    let reference =
        Context::new(&ContextOptions { device: Some("reference".into()), ..Default::default() })
            .unwrap();
    for (seed, num_items) in [1, 2, 31, 33, 64, 257, 1023, 1025, 2100].into_iter().enumerate() {
        let npy = random(num_items, 5, seed as u64);
        let many = num_items > 300;
        for rule in rules {
            for head in [1, num_items.min(3), num_items.min(40)] {
                // Of a number that shares no factor with the items: none comes twice in a head.
                let item = |at: u32| (u64::from(at) * 1_000_003 % u64::from(num_items)) as u32;
                let heads = if many { 4 } else { num_items.min(20) };
                let items = (0..heads).flat_map(|first| (0..head).map(move |at| item(first + at)));
                let request = Request {
                    heads: Some(Heads { items: items.collect(), length: head }),
                    length: if many { 60 } else { 0 },
                    rule,
                    values: true,
                    ..Request::default()
                };
                let expected = reference.sequences(&npy.input(false), &request).unwrap();
                let levels = Level::available().into_iter();
                for (level, rows) in levels.flat_map(|level| SOURCES.map(|rows| (level, rows))) {
                    let (level, threads, rows) = (Some(level), Some(2), Some(rows));
                    let settings = Settings { level, threads, rows, ..Settings::default() };
                    let what = format!("{num_items} items, {rule:?}, head {head}, {settings:?}");
                    let context = Context::new(&cpu(settings)).unwrap();
                    let found = context.sequences(&npy.input(false), &request).unwrap();
                    assert!(found.items == expected.items, "{what}");
                    // No value is a NaN, and -0 would show in the hashes of the committed cases.
                    assert!(bits(&found) == bits(&expected), "{what}");
                }
            }
        }
    }
}

/// Of the rule centroid sequences with the same set of items go on alike; of the others that is not
/// so, and nobody shares.
#[test]
fn futures_are_shared_by_what_the_rule_knows() {
    // From any two of three duplicates on, sets meet at once.
    let values: Vec<f32> =
        (0..240).flat_map(|i| [(i / 3 % 16) as f32 - 7.5, (i / 48) as f32 + 1.0, 1.0]).collect();
    let npy = Npy { num_items: 240, dim: 3, values };
    let orders = [[0, 1, 2, 90], [1, 0, 2, 90], [0, 2, 1, 90], [90, 1, 2, 0], [2, 1, 90, 0]];
    let heads = Some(Heads { items: orders.concat(), length: 4 });
    let mmr = Rule::Mmr(Lambda::default());
    for rule in [Rule::Centroid, Rule::Farthest, mmr, Rule::Chain] {
        let request = Request { heads: heads.clone(), rule, values: true, ..Request::default() };
        let run = |options: &ContextOptions| {
            Context::new(options).unwrap().sequences(&npy.input(false), &request).unwrap()
        };
        let alone = ContextOptions { device: Some("reference".into()), ..Default::default() };
        let expected = run(&alone);
        for threads in [1, 3] {
            let (share_equal_sets, rows) = (Some(true), Some(RowSource::Matrix));
            let threads = Some(threads);
            let settings = Settings { threads, share_equal_sets, rows, ..Settings::default() };
            assert!(run(&cpu(settings)) == expected, "{rule:?}, {threads:?} threads");
        }
    }
}

/// Sequences from the duplicates of one text differ in their first item only: nearly all futures
/// are shared.
#[test]
fn shared_futures_of_many_duplicates() {
    let unit = |i: u32| [(i % 9) as f32 - 4.0, (i % 5) as f32 + 1.0, 1.0];
    let values: Vec<f32> = (0..400).flat_map(unit).collect();
    let corpus = Npy { num_items: 400, dim: 3, values };
    let expected = reference(&corpus, false, &Request::default());
    assert!(compute(&cpu(Settings::default()), &corpus, false, &Request::default()) == expected);
}

/// Beyond 21,845 items taken scores are pinned; among parallel rows a wrong one would come back at
/// once.
#[test]
fn taken_items_stay_taken_among_thousands_of_parallel_rows() {
    for (num_items, rows) in
        [(21_845, RowSource::Matrix), (22_003, RowSource::Matrix), (22_003, RowSource::Direct)]
    {
        let settings = Settings { rows: Some(rows), ..Settings::default() };
        let values: Vec<f32> = (0..num_items).flat_map(|i| [1.0, (i % 5) as f32 * 1e-4]).collect();
        let corpus = Npy { num_items, dim: 2, values };
        let request = Request { starts: Some(vec![21_800]), ..Request::default() };
        let mut sequence = compute(&cpu(settings), &corpus, false, &request);
        assert_eq!(sequence[0], 21_800);
        sequence.sort_unstable();
        assert!(sequence.iter().copied().eq(0..num_items), "not a permutation");
    }
}

#[test]
fn too_little_memory_is_refused_before_any_work() {
    let corpus = random(300, 5, 1);
    let options = ContextOptions { memory_limit: Some(100_000), ..cpu(Settings::default()) };
    let context = Context::new(&options).unwrap();
    let elements = Elements::F32(&corpus.values);
    let error = context.sequences(&Input::new(elements, 300, 5), &Request::default()).unwrap_err();
    let Error::TooLarge { needed, available: 100_000, .. } = error else { panic!("{error}") };
    assert!(needed > 300 * 300 * 2, "{needed}");
}

#[test]
fn the_thread_count_is_checked() {
    let context = Context::new(&cpu(Settings { threads: Some(3), ..Settings::default() })).unwrap();
    assert!(context.info().name.starts_with("CPU (3 threads, "), "{}", context.info().name);
}

/// Rows of which the first cannot be put.
#[derive(Default)]
struct FirstFails {
    put: AtomicU32,
}

impl FirstFails {
    fn put(&self) -> Result<(), Error> {
        match self.put.fetch_add(1, Relaxed) {
            0 => Err(Error::ZeroSize { name: "the room" }),
            _ => Ok(()),
        }
    }
}

impl PutSequences for FirstFails {
    fn put(&self, _: usize, _: Sequence) -> Result<(), Error> {
        self.put()
    }

    fn get(&self, _: usize, _: SequenceMut) -> Result<(), Error> {
        Ok(())
    }
}

impl PutNeighbors for FirstFails {
    fn put(&self, _: u32, _: &[u32], _: &[i32]) -> Result<(), Error> {
        self.put()
    }
}

impl PutDots for FirstFails {
    fn put(&self, _: u32, _: u32, _: &[i32]) -> Result<(), Error> {
        self.put()
    }
}

/// The other threads do not go on with what nobody wants: of 2,000 rows at most some hundred are
/// put after the first has failed, those of tasks under way.
#[test]
fn an_error_of_one_thread_ends_the_others() {
    let settings =
        Settings { threads: Some(4), share_equal_sets: Some(false), ..Settings::default() };
    let mut engine = CpuEngine::new(&settings).unwrap();
    let npy = random(2000, 4, 1);
    let corpus = Corpus::prepare(&npy.input(false)).unwrap();
    let plan = Plan::new(&Request { length: 200, ..Request::default() }, 2000).unwrap();
    let (query, progress) = (Query { queries: None, k: 3 }, Progress::default());
    for run in ["sequences", "neighbours", "dot products"] {
        let mut put = || {
            let rows = FirstFails::default();
            let result = match run {
                "sequences" => engine.sequences(&corpus, &plan, &rows, &progress),
                "neighbours" => engine.neighbors(&corpus, &query, &rows, &progress),
                _ => engine.dots(&corpus, Pairs::All, &rows, &progress),
            };
            assert!(matches!(result, Err(Error::ZeroSize { .. })), "{run}: {result:?}");
            rows.put.into_inner()
        };
        // A busy machine may keep the thread that failed from saying so.
        let least = (0..5).map(|_| put()).min().unwrap();
        assert!(least < 1000, "{run}: {least} rows were put");
    }
}
