//! Every rule on every kernel of the Vulkan engine against the reference, items and values, bit for
//! bit: with heads, with rows of the matrix that come and go, with runs that are cut anywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::time::Duration;

use common::{random, software_driver, vulkan, Npy};
use vkd::engine::vulkan::{Reduction, SequenceKernel, Settings, VulkanEngine};
use vkd::engine::Engine;
use vkd::plan::Plan;
use vkd::progress::Progress;
use vkd::{Bytes, Context, ContextOptions, Corpus, Heads, Lambda, Request, Rule, Shape};

const REDUCTIONS: [Reduction; 3] =
    [Reduction::OneSubgroup, Reduction::Subgroups, Reduction::Shared];

fn mmr(lambda: f64) -> Rule {
    Rule::Mmr(Lambda::new(lambda).unwrap())
}

fn rules() -> [Rule; 6] {
    [Rule::Centroid, Rule::Farthest, mmr(0.0), mmr(0.7), mmr(1.0), Rule::Chain]
}

/// The items, and the bits of the values.
type Bits = (Vec<u32>, Vec<u32>);

fn bits(options: &ContextOptions, npy: &Npy, request: &Request) -> Bits {
    let sequences = Context::new(options).unwrap().sequences(&npy.input(false), request).unwrap();
    let values = sequences.values.iter().map(|value| value.to_bits()).collect();
    (sequences.items, values)
}

fn reference() -> ContextOptions {
    ContextOptions { device: Some("reference".into()), ..Default::default() }
}

/// Some starts, to the end.
fn starts(num_items: u32, rule: Rule) -> Request {
    let starts = (0..num_items).step_by(1 + num_items as usize / 5).collect();
    Request { starts: Some(starts), rule, values: true, ..Request::default() }
}

/// Two heads of three items.
fn heads(num_items: u32, rule: Rule) -> Request {
    let items = vec![5, 0, num_items - 1, 1, num_items / 2, 7];
    let heads = Some(Heads { items, length: 3 });
    Request { heads, rule, values: true, ..Request::default() }
}

fn check(npy: &Npy, request: &Request, settings: &[Settings]) {
    let expected = bits(&reference(), npy, request);
    for settings in settings {
        let got = bits(&vulkan(settings.clone()), npy, request);
        let what = format!("{}, {:?}, {settings:?}", npy.num_items, request.rule);
        assert!(got.0 == expected.0, "items: {what}");
        assert!(got.1 == expected.1, "values: {what}");
    }
}

/// Every reduction, and with texels and without: on a software driver the kernel for GPUs is the
/// one that reads buffers.
fn shapes(kernel: SequenceKernel) -> Vec<Settings> {
    let shape = |(reduction, texels)| Settings {
        kernel: Some(kernel),
        reduction: Some(reduction),
        lanes: (reduction != Reduction::OneSubgroup).then_some(16),
        texels,
        max_wave: Some(3),
        submit_target: Some(Duration::from_millis(1)),
        ..Settings::default()
    };
    REDUCTIONS.iter().flat_map(|&one| [(one, None), (one, Some(false))]).map(shape).collect()
}

#[test]
fn rules_with_scores_in_a_buffer() {
    for rule in rules() {
        for num_items in [1, 2, 9, 257] {
            let npy = random(num_items, 7, 3);
            check(&npy, &starts(num_items, rule), &shapes(SequenceKernel::Buffer));
        }
        check(&random(90, 5, 4), &heads(90, rule), &shapes(SequenceKernel::Buffer));
    }
}

#[test]
fn rules_with_scores_in_registers() {
    for rule in rules() {
        for num_items in [9, 257] {
            let npy = random(num_items, 7, 3);
            check(&npy, &starts(num_items, rule), &shapes(SequenceKernel::Registers));
        }
        check(&random(90, 5, 4), &heads(90, rule), &shapes(SequenceKernel::Registers));
    }
}

/// A thousand items in runs that are cut into many dispatches: what a dispatch leaves in the
/// scores, the next goes on with.
#[test]
fn rules_in_many_dispatches() {
    for rule in rules() {
        let npy = random(1000, 12, 6);
        let cut = |kernel| Settings {
            kernel: Some(kernel),
            submit_target: Some(Duration::from_micros(100)),
            force_staging: true,
            ..Settings::default()
        };
        let settings = [cut(SequenceKernel::Buffer), cut(SequenceKernel::Registers)];
        check(&npy, &Request { length: 400, ..starts(1000, rule) }, &settings);
        check(&npy, &Request { length: 40, ..heads(1000, rule) }, &settings);
    }
}

/// Where the device holds some rows of the matrix only.
#[test]
fn rules_with_rows_that_come_and_go() {
    let npy = random(257, 7, 9);
    for staged in [false, true] {
        let memory_limit = Some(40_000);
        let settings = Settings { memory_limit, force_staging: staged, ..Settings::default() };
        for rule in rules() {
            let request = Request { length: 60, ..starts(257, rule) };
            let engine = VulkanEngine::new(&software_driver(), &settings).unwrap();
            let plan = request.shape(257).unwrap();
            assert!(engine.needs(Shape::new(257, 7), &plan).unwrap().held_rows < 257);
            check(&npy, &request, std::slice::from_ref(&settings));
            check(
                &npy,
                &Request { length: 20, ..heads(257, rule) },
                std::slice::from_ref(&settings),
            );
        }
    }
}

/// Equal rows, opposite rows and equal costs: the extremes of each rule's scores, where a taken
/// item must still cost more than any other.
#[test]
fn rules_at_the_extremes() {
    let values: Vec<f32> =
        (0..66).flat_map(|i| if i % 3 == 2 { [-1.0, 0.0] } else { [1.0, 0.0] }).collect();
    let npy = Npy { num_items: 66, dim: 2, values };
    for rule in rules() {
        for kernel in [SequenceKernel::Buffer, SequenceKernel::Registers] {
            let texels = |texels| Settings { kernel: Some(kernel), texels, ..Settings::default() };
            check(&npy, &starts(66, rule), &[texels(None), texels(Some(false))]);
        }
    }
}

/// Without values nothing is written behind the picks, and the items are the same.
#[test]
fn rules_without_values() {
    let npy = random(120, 9, 2);
    for rule in rules() {
        let request = starts(120, rule);
        let without = Request { values: false, ..request.clone() };
        let got = bits(&vulkan(Settings::default()), &npy, &without);
        assert_eq!(got, (bits(&reference(), &npy, &request).0, Vec::new()), "{rule:?}");
    }
}

/// The costs are in the plan: its bytes are what the allocator then reports, within 5%.
#[test]
fn a_run_with_values_keeps_to_its_plan() {
    let npy = random(2001, 60, 6);
    let corpus = Corpus::prepare(&npy.input(false)).unwrap();
    let starts = Some((0..200).collect());
    let request = Request { starts, rule: mmr(0.5), values: true, ..Request::default() };
    let plan = Plan::new(&Request { length: 1500, ..request }, 2001).unwrap();
    for (force_staging, memory_limit) in [(false, None), (true, None), (false, Some(4 << 20))] {
        let settings = Settings { force_staging, memory_limit, ..Settings::default() };
        let mut engine = VulkanEngine::new(&software_driver(), &settings).unwrap();
        let needs = engine.needs(Shape::new(2001, 60), &plan.shape()).unwrap();
        engine.sequences_in_memory(&corpus, &plan, &Progress::default()).unwrap();
        let staged = if force_staging { needs.host_bytes } else { Bytes::ZERO };
        let used = engine.most_allocated() as f64;
        let stated = (needs.device_bytes + staged).get() as f64;
        assert!((0.95..=1.05).contains(&(used / stated)), "{settings:?}: {used} of {stated}");
    }
}
