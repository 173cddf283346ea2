//! A matrix that a Vulkan device keeps from one run to the next over the same corpus: it is freed
//! by what has no use for it, and a lost device or a cancel leaves none that is not whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::sync::Arc;

use common::random;
use vkd::engine::neighbors::Query;
use vkd::engine::vulkan::{Faults, Settings, VulkanEngine};
use vkd::engine::{Engine, RowSource};
use vkd::plan::Plan;
use vkd::progress::{Phase, Progress};
use vkd::{Corpus, Error, Request, Rule, Sequences};

const N: u32 = 150;

fn corpus(seed: u64) -> Arc<Corpus> {
    Arc::new(Corpus::prepare(&random(N, 9, seed).input(false)).unwrap())
}

fn engine(faults: Option<Arc<Faults>>) -> VulkanEngine {
    let rows = Some(RowSource::Matrix);
    VulkanEngine::new("llvmpipe", &Settings { rows, faults, ..Settings::default() }).unwrap()
}

/// The sequences, and whether their matrix was there.
fn run(engine: &mut VulkanEngine, corpus: &Corpus, rule: Rule) -> (Sequences, bool) {
    let plan = Plan::new(&Request { rule, ..Request::default() }, N).unwrap();
    let progress = Progress::default();
    let found = engine.sequences_in_memory(corpus, &plan, &progress).unwrap();
    (found, progress.seconds(Phase::Matrix) == 0.0)
}

#[test]
fn a_device_keeps_a_matrix_for_the_next_run_over_its_corpus() {
    let (mut engine, one, other) = (engine(None), corpus(1), corpus(2));
    let nothing = engine.live_allocations();
    let holds = |engine: &VulkanEngine| engine.live_allocations() != nothing;
    let expected = run(&mut engine, &one, Rule::Centroid).0;
    assert!(!holds(&engine));
    engine.keep(&one);
    assert_eq!(run(&mut engine, &one, Rule::Centroid), (expected.clone(), false));
    assert!(holds(&engine));
    engine.keep(&one);
    assert_eq!(run(&mut engine, &one, Rule::Centroid), (expected.clone(), true));
    assert!(!run(&mut engine, &one, Rule::Farthest).1);
    assert_eq!(run(&mut engine, &one, Rule::Centroid), (expected, false));
    assert!(!run(&mut engine, &other, Rule::Centroid).1);
    assert!(!holds(&engine));
    run(&mut engine, &one, Rule::Centroid);
    assert!(holds(&engine));
    let query = Query { queries: None, k: 3 };
    engine.neighbors_in_memory(&one, &query, &Progress::default()).unwrap();
    assert!(!holds(&engine));
    run(&mut engine, &one, Rule::Centroid);
    engine.free_kept();
    assert!(!holds(&engine));
}

#[test]
fn lost_devices_and_cancels_leave_no_matrix_or_a_whole_one() {
    let one = corpus(1);
    let plan = Plan::new(&Request::default(), N).unwrap();
    let never = Arc::new(Faults::new(u64::MAX, 0, true));
    let mut counted = engine(Some(Arc::clone(&never)));
    let expected = run(&mut counted, &one, Rule::Centroid).0;
    counted.keep(&one);
    run(&mut counted, &one, Rule::Centroid);
    let first = never.calls();
    run(&mut counted, &one, Rule::Centroid);
    let last = never.calls();
    assert!(last > first);
    // Where the run has taken the kept matrix, and at its end.
    for call in [first, first + 1, (first + last) / 2, last - 1] {
        let mut engine = engine(Some(Arc::new(Faults::new(call, 1, true))));
        run(&mut engine, &one, Rule::Centroid);
        // Pacing may make more calls or fewer, so that the loss comes a run later.
        for _ in 0..6 {
            engine.keep(&one);
            assert_eq!(run(&mut engine, &one, Rule::Centroid).0, expected, "call {call}");
        }
        assert!(run(&mut engine, &one, Rule::Centroid).1, "call {call}");
    }
    let progress = Progress::default();
    progress.cancel();
    let result = counted.sequences_in_memory(&one, &plan, &progress);
    assert_eq!(result, Err(Error::Cancelled));
    assert_eq!(run(&mut counted, &one, Rule::Centroid).0, expected);
}
