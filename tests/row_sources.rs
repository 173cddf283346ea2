//! How rows come makes no difference to any bit: with more than 65,536 items, where contributions
//! are coarser, for each rule on each kind of engine, against the rules in plain loops; with room
//! for few rows only. What a plan chooses, and that it counts beyond 32 bits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{random, Npy};
use vkd::context::Destination;
use vkd::engine::cpu::Settings;
use vkd::engine::RowSource;
use vkd::{Context, ContextOptions, Corpus, Error, Heads, Request, Rule, Shape};

const SOURCES: [RowSource; 4] =
    [RowSource::Matrix, RowSource::Cache, RowSource::Direct, RowSource::Lazy];

fn rules() -> [Rule; 4] {
    [Rule::Centroid, Rule::Farthest, Rule::new("mmr", Some(0.6)).unwrap(), Rule::Chain]
}

fn cpu(rows: Option<RowSource>, threads: u32) -> ContextOptions {
    let cpu = Settings { rows, threads: Some(threads), ..Settings::default() };
    ContextOptions { device: Some("cpu".into()), cpu, ..Default::default() }
}

/// What a candidate costs, as the rules are written down; `similarity` is g of two items.
fn cost(rule: Rule, items: &[u32], weights: &[u16], similarity: impl Fn(u32) -> i32) -> i32 {
    let nearest = |items: &[u32]| items.iter().map(|&item| similarity(item)).max();
    match rule {
        Rule::Centroid => items
            .iter()
            .map(|&item| (i32::from(weights[item as usize]) * similarity(item) + (1 << 15)) >> 16)
            .sum(),
        Rule::Farthest => nearest(items).unwrap(),
        Rule::Mmr(lambda) => {
            let redundancy = nearest(&items[1..]).unwrap_or(0);
            (32_768 - lambda.q15()) * redundancy - lambda.q15() * similarity(items[0])
        }
        Rule::Chain => -similarity(items[items.len() - 1]),
    }
}

/// A sequence of more than 65,536 and at most 131,072 items in plain loops.
fn plain(corpus: &Corpus, rule: Rule, start: u32, length: usize) -> Vec<u32> {
    let mut items = vec![start];
    // g of every item with each picked so far.
    let mut rows: Vec<Vec<i32>> = Vec::new();
    while items.len() < length {
        let last = corpus.row(items[items.len() - 1]);
        let dot = |item| {
            let pairs = last.iter().zip(corpus.row(item));
            pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>()
        };
        let g = |item| ((dot(item) + (1 << 14)) >> 15).clamp(-32767, 32767);
        rows.push((0..corpus.num_items()).map(g).collect());
        let place = |item: u32| items.iter().position(|&one| one == item).unwrap();
        let cost = |candidate: u32| {
            let similarity = |item: u32| rows[place(item)][candidate as usize];
            cost(rule, &items, corpus.weights(), similarity)
        };
        let untaken = (0..corpus.num_items()).filter(|item| !items.contains(item));
        items.push(untaken.min_by_key(|&item| cost(item)).unwrap());
    }
    items
}

#[test]
fn seventy_thousand_items_of_each_rule() {
    let (npy, starts, length) = (random(70_000, 12, 70), [69_999, 0, 31_000], 20);
    let corpus = Corpus::prepare(&npy.input(false)).unwrap();
    for rule in rules() {
        let expected = starts.map(|start| plain(&corpus, rule, start, length)).concat();
        let request = Request {
            starts: Some(starts.to_vec()),
            length: length as u32,
            rule,
            ..Request::default()
        };
        let mut contexts: Vec<ContextOptions> =
            SOURCES[1..].iter().map(|&rows| cpu(Some(rows), 2)).collect();
        contexts.push(ContextOptions { device: Some("llvmpipe".into()), ..Default::default() });
        for options in contexts {
            let found = Context::new(&options).unwrap().sequences(&npy.input(false), &request);
            assert!(found.unwrap().items == expected, "{rule:?}, {options:?}");
        }
    }
}

/// Each row is computed again and again.
#[test]
fn rows_that_come_and_go() {
    let npy = random(1_100, 9, 4);
    let shape = Shape::new(1_100, 9);
    let items: Vec<u32> = (0..24).map(|at| at * 41).collect();
    let request = Request {
        heads: Some(Heads { items, length: 3 }),
        length: 200,
        values: true,
        ..Request::default()
    };
    for rule in rules() {
        let request = Request { rule, ..request.clone() };
        let expected = Context::new(&cpu(Some(RowSource::Matrix), 2))
            .unwrap()
            .sequences(&npy.input(false), &request)
            .unwrap();
        let of = |limit| {
            let options = ContextOptions { memory_limit: limit, ..cpu(Some(RowSource::Cache), 3) };
            let context = Context::new(&options).unwrap();
            let plan = context.plan(shape, &request, Destination::Memory).unwrap();
            (context, plan)
        };
        let (_, plan) = of(None);
        assert_eq!(plan.engine.row_source, Some(RowSource::Cache));
        let most = plan.engine.held_rows;
        assert!((400..=1_100).contains(&most), "{rule:?}: {most}");
        for kept in [8, 9, 30, 300] {
            let row = 1_120 * 2 + 12;
            let limit = plan.host_bytes.get() - (most - kept) * row;
            let (context, little) = of(Some(limit));
            assert_eq!(little.engine.held_rows, kept, "{rule:?}");
            let found = context.sequences(&npy.input(false), &request).unwrap();
            assert!(found == expected, "{rule:?}, {kept} rows");
        }
    }
}

/// While the corpus passes by for one row, those of the next steps are computed, too: of heads they
/// are known, of other steps guessed.
#[test]
fn the_corpus_passes_by_once_for_some_steps() {
    let npy = random(20_000, 96, 3);
    let context = Context::new(&cpu(Some(RowSource::Cache), 2)).unwrap();
    let passes = |request: &Request| {
        let job = context.start(&npy.input(false), request, Destination::Memory).unwrap();
        job.wait(None).unwrap().as_ref().as_ref().unwrap();
        job.progress().bytes_read() / (20_000 * 96 * 2)
    };
    let one = Request { starts: Some(vec![7]), length: 201, ..Request::default() };
    let of_picks = passes(&one);
    assert!((25..70).contains(&of_picks), "{of_picks} passes for 200 picks");
    let heads = Heads { items: (0..200).map(|at| at * 100).collect(), length: 200 };
    let of_head = passes(&Request { heads: Some(heads), length: 201, ..Request::default() });
    assert_eq!(of_head, 25, "passes for the 200 rows of a head");
}

#[test]
fn a_plan_takes_what_costs_least() {
    let context = Context::new(&cpu(None, 2)).unwrap();
    // Few dimensions make products cheap, but not what all picks do with their rows.
    for dim in [1, 2, 16, 64] {
        let plan = context.plan(Shape::new(3_997, dim), &Request::default(), Destination::Memory);
        assert_eq!(plan.unwrap().engine.row_source, Some(RowSource::Matrix), "{dim} dimensions");
    }
    let source = |num_items, count: Option<u32>, length, rule| {
        let starts = count.map(|count| (0..count).collect());
        let request = Request { starts, length, rule, ..Request::default() };
        let plan = context.plan(Shape::new(num_items, 384), &request, Destination::Memory);
        plan.unwrap().engine.row_source.unwrap()
    };
    let [centroid, farthest, mmr, chain] = rules();
    assert_eq!(source(2_461, None, 0, centroid), RowSource::Matrix);
    assert_eq!(source(7_797, None, 20, mmr), RowSource::Matrix);
    assert_eq!(source(31_102, Some(3), 600, centroid), RowSource::Cache);
    assert_eq!(source(100_000, Some(1), 200, centroid), RowSource::Cache);
    assert_eq!(source(100_000, Some(1), 200, chain), RowSource::Cache);
    assert_eq!(source(100_000, Some(1), 200, farthest), RowSource::Lazy);
    assert_eq!(source(100_000, Some(2), 200, mmr), RowSource::Lazy);
}

/// A number that wraps would be small.
#[test]
fn plans_of_billions_of_items_do_not_wrap() {
    let npy: Npy = random(1, 1, 1);
    for rows in SOURCES {
        let context = Context::new(&cpu(Some(rows), 2)).unwrap();
        for rule in rules() {
            for starts in [Some(vec![0]), Some(vec![0, u32::MAX - 1]), None] {
                let request = Request { starts, length: 0, rule, ..Request::default() };
                let shape = Shape::new(u32::MAX, 65_536);
                let error = context.plan(shape, &request, Destination::Memory).unwrap_err();
                let needed = match error {
                    Error::TooLarge { needed, .. } => needed,
                    other => panic!("{other}"),
                };
                assert!(needed >= (1 << 49), "{rows:?} {rule:?}: {needed}");
            }
        }
    }
    // The library still works.
    let context = Context::new(&cpu(None, 1)).unwrap();
    assert_eq!(context.sequences(&npy.input(false), &Request::default()).unwrap().items, [0]);
}
