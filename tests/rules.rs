//! All rules, heads and values: the committed cases on every kind of engine, bit for bit, and what
//! holds of every rule: prefixes are stable, and what a sequence begins with decides the rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::{HashMap, HashSet};

use common::programs::root;
use common::{npy, npy_at, random, sha256, Npy};
use serde_json::Value;
use vkd::engine::RowSource;
use vkd::{Context, ContextOptions, Error, Heads, Lambda, Request, Rule, Sequences};

const DEVICES: [&str; 4] = ["reference", "cpu", "llvmpipe", "cpu + llvmpipe"];

fn context(device: &str) -> Context {
    Context::new(&ContextOptions { device: Some(device.into()), ..Default::default() }).unwrap()
}

fn rules() -> Vec<Rule> {
    let lambda = |lambda| Rule::Mmr(Lambda::new(lambda).unwrap());
    vec![Rule::Centroid, Rule::Farthest, lambda(0.0), lambda(0.7), lambda(1.0), Rule::Chain]
}

/// A committed case.
struct Case {
    npy: String,
    center: bool,
    request: Request,
    expected: Value,
}

fn numbers(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}

impl Case {
    fn new(expected: Value) -> Case {
        let rule = Rule::new(expected["rule"].as_str().unwrap(), expected["lambda"].as_f64());
        let starts = expected["starts"].is_array().then(|| numbers(&expected["starts"]));
        let heads = expected["heads"].as_array().map(|heads| Heads {
            items: heads.iter().flat_map(numbers).collect(),
            length: heads[0].as_array().unwrap().len() as u32,
        });
        let length = expected["length"].as_u64().unwrap() as u32;
        let rule = rule.unwrap();
        Case {
            npy: expected["file"].as_str().unwrap().into(),
            center: expected["center"].as_bool().unwrap(),
            request: Request { starts, heads, length, rule, values: true, shard: None },
            expected,
        }
    }

    fn check(&self, context: &Context, npy: &Npy, device: &str) {
        let sequences = context.sequences(&npy.input(self.center), &self.request).unwrap();
        let what = format!("{device}: {}", self.expected);
        assert_eq!(sha256(&sequences.items), self.expected["items_sha256"], "{what}");
        let values: Vec<u32> = sequences.values.iter().map(|value| value.to_bits()).collect();
        assert_eq!(sha256(&values), self.expected["values_sha256"], "{what}");
    }
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(root().join("tests/golden/rules.json")).unwrap();
    let mut cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 312);
    // Those of the Psalms stand there twice.
    let mut seen = HashSet::new();
    cases.retain(|case| seen.insert(case.to_string()));
    cases.into_iter().map(Case::new).collect()
}

#[test]
fn every_committed_case_on_every_kind_of_engine() {
    let cases = cases();
    let mut files = HashMap::new();
    for case in &cases {
        files.entry(&case.npy).or_insert_with(|| match &*case.npy {
            "psalms.npy" => npy_at(&root().join("examples/data/psalms.npy")),
            name => npy(name),
        });
    }
    for (number, (device, rows)) in ways().into_iter().enumerate() {
        let context = Context::new(&with_rows(device, rows)).unwrap();
        // Each engine does all of them, each other way to get rows every third.
        let (first, step) = if rows.is_some() { (number % 3, 3) } else { (0, 1) };
        for case in cases.iter().skip(first).step_by(step) {
            case.check(&context, &files[&case.npy], &format!("{device}, {rows:?}"));
        }
    }
}

/// Every kind of engine, and each way in which the rows of an engine come; none: what costs least.
fn ways() -> Vec<(&'static str, Option<RowSource>)> {
    let sources = [RowSource::Matrix, RowSource::Cache, RowSource::Direct, RowSource::Lazy];
    let cpu = sources.map(|rows| ("cpu", Some(rows)));
    let llvmpipe = [RowSource::Matrix, RowSource::Cache].map(|rows| ("llvmpipe", Some(rows)));
    DEVICES.map(|device| (device, None)).into_iter().chain(cpu).chain(llvmpipe).collect()
}

fn with_rows(device: &str, rows: Option<RowSource>) -> ContextOptions {
    let mut options = ContextOptions { device: Some(device.into()), ..Default::default() };
    (options.cpu.rows, options.vulkan.rows) = (rows, rows);
    options
}

fn run(context: &Context, npy: &Npy, request: &Request) -> Sequences {
    context.sequences(&npy.input(false), request).unwrap()
}

/// The first `length` places of each row of `whole`.
fn prefixes(whole: &[u32], of: u32, length: u32) -> Vec<u32> {
    let row = |row: &[u32]| row[..length as usize].to_vec();
    whole.chunks_exact(of as usize).flat_map(row).collect()
}

#[test]
fn prefixes_are_stable_and_heads_go_on_as_the_sequence_did() {
    let (npy, n) = (random(90, 6, 5), 90);
    for device in DEVICES {
        let context = context(device);
        for rule in rules() {
            let all = Request { rule, values: true, ..Request::default() };
            let whole = run(&context, &npy, &all);
            for length in [1, 2, 17, 89] {
                let short = run(&context, &npy, &Request { length, ..all.clone() });
                assert_eq!(short.items, prefixes(&whole.items, n, length), "{device} {rule:?}");
                let heads = Some(Heads { items: short.items, length });
                let again = run(&context, &npy, &Request { heads, ..all.clone() });
                assert!(again.items == whole.items, "{device} {rule:?} from {length}");
                let values = again.values.iter().zip(&whole.values).enumerate();
                for (place, (again, whole)) in values {
                    let in_head = place as u32 % n < length;
                    let expected = if in_head { 0.0 } else { *whole };
                    assert_eq!(again.to_bits(), expected.to_bits(), "{device} {rule:?} {place}");
                }
            }
        }
    }
}

#[test]
fn heads_in_any_order_and_the_same_set_of_them() {
    // Of the centroid and of farthest-first the set alone decides; mmr knows its first item, a
    // chain its last.
    let (npy, n) = (random(70, 5, 8), 70);
    let orders = [[9, 4, 33, 60], [9, 33, 4, 60], [60, 4, 33, 9], [4, 9, 33, 60]];
    for device in DEVICES {
        let context = context(device);
        for rule in rules() {
            let heads = Some(Heads { items: orders.concat(), length: 4 });
            let rows = run(&context, &npy, &Request { heads, rule, ..Request::default() }).items;
            let rest = |row: usize| &rows[row * n..][4..n];
            assert_eq!(rest(0), rest(1), "{device} {rule:?}");
            match rule {
                Rule::Centroid | Rule::Farthest => {
                    assert_eq!(rest(0), rest(2), "{device} {rule:?}");
                    assert_eq!(rest(0), rest(3), "{device} {rule:?}");
                }
                Rule::Mmr(lambda) if lambda.q15() > 0 => assert_ne!(rest(0), rest(3), "{device}"),
                Rule::Mmr(_) => {}
                Rule::Chain => {
                    assert_eq!(rest(0), rest(3), "{device}");
                    assert_ne!(rest(0), rest(2), "{device}");
                }
            }
        }
    }
}

#[test]
fn values_are_the_similarities_that_the_rules_are_about() {
    let npy = random(120, 40, 3);
    let unit: Vec<Vec<f64>> = npy
        .values
        .chunks_exact(40)
        .map(|row| {
            let row: Vec<f64> = row.iter().map(|&value| value.into()).collect();
            let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            row.iter().map(|value| value / norm).collect()
        })
        .collect();
    let cosine = |a: u32, b: u32| -> f64 {
        unit[a as usize].iter().zip(&unit[b as usize]).map(|(a, b)| a * b).sum()
    };
    let most =
        |before: &[u32], item| before.iter().map(|&one| cosine(one, item)).fold(-1.0, f64::max);
    let lambda = 0.7;
    for rule in [Rule::Farthest, Rule::new("mmr", Some(lambda)).unwrap(), Rule::Chain] {
        let request = Request { starts: Some(vec![7]), rule, values: true, ..Request::default() };
        let Sequences { items, values } = run(&context("cpu"), &npy, &request);
        assert_eq!(values[0], 0.0);
        for place in 1..items.len() {
            let (before, item) = (&items[..place], items[place]);
            let expected = match rule {
                Rule::Mmr(_) => {
                    let redundancy = if place > 1 { most(&before[1..], item) } else { 0.0 };
                    lambda * cosine(before[0], item) - (1.0 - lambda) * redundancy
                }
                Rule::Chain => cosine(before[place - 1], item),
                _ => most(before, item),
            };
            let error = (f64::from(values[place]) - expected).abs();
            assert!(error < 1e-3, "{rule:?} at {place}: {} is not {expected}", values[place]);
        }
    }
}

#[test]
fn what_cannot_be_is_refused_before_any_work() {
    let npy = random(20, 3, 1);
    let refused = |request: Request| {
        let context = context("reference");
        context.sequences(&npy.input(false), &request).unwrap_err()
    };
    let heads = |items: &[u32], length| Some(Heads { items: items.to_vec(), length });
    let of = |heads| refused(Request { heads, length: 3, ..Request::default() });
    assert_eq!(of(heads(&[1, 2, 1], 3)), Error::HeadRepeats { head: 0, place: 2, item: 1 });
    let outside = Error::HeadOutOfRange { head: 1, place: 1, item: 20, last: 19 };
    assert_eq!(of(heads(&[1, 2, 3, 20], 2)), outside);
    assert_eq!(of(heads(&[1, 2, 3, 4], 4)), Error::HeadTooLong { head: 4, length: 3 });
    assert_eq!(of(heads(&[1, 2, 3], 2)), Error::HeadLength { items: 3, length: 2 });
    let starts = Some(vec![1]);
    let both = Request { starts, heads: heads(&[1], 1), ..Request::default() };
    assert_eq!(refused(both), Error::StartsAndHeads);
}
