//! Jobs watched from several threads, two on one context, cancelled while a driver compiles; and
//! plans that say what a run then takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use common::{random, reference, Npy};
use vkd::context::Destination;
use vkd::engine::neighbors::{Query, QueryShape};
use vkd::engine::vulkan::{Settings, VulkanEngine};
use vkd::engine::Engine;
use vkd::job::{Job, Output};
use vkd::plan::Plan;
use vkd::progress::Progress;
use vkd::{
    Bytes, Context, ContextOptions, Corpus, Elements, Error, Input, Request, Sequences, Shape,
};

fn context(device: &str) -> Context {
    Context::new(&ContextOptions { device: Some(device.into()), ..Default::default() }).unwrap()
}

fn start(context: &Context, npy: &Npy, to: Destination) -> Job<Output<Sequences>> {
    context.start(&npy.input(false), &Request::default(), to).unwrap()
}

/// Compiling the register kernel for a size that no cache knows takes llvmpipe seconds; the
/// cancelled job does not wait.
#[test]
fn a_cancel_does_not_wait_for_the_driver_to_compile() {
    let context = context("llvmpipe");
    let items = 3001 + std::process::id() % 700;
    let job = start(&context, &random(items, 4, 1), Destination::Memory);
    std::thread::sleep(Duration::from_millis(300));
    let begin = Instant::now();
    job.cancel();
    let result = job.wait(None).unwrap();
    let took = begin.elapsed();
    assert!(matches!(result.as_ref(), Err(Error::Cancelled)));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn two_jobs_on_one_context_run_one_after_the_other_watched_from_many_threads() {
    for device in ["cpu", "llvmpipe", "reference"] {
        let context = context(device);
        let corpora = [random(400, 9, 1), random(390, 7, 2)];
        let jobs: Vec<_> =
            corpora.iter().map(|npy| start(&context, npy, Destination::Memory)).collect();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(Relaxed) {
                        for job in &jobs {
                            let progress = job.progress();
                            assert!(progress.steps_done() <= progress.steps_total());
                            let _ = (job.seconds(), job.result(), job.wait(Some(Duration::ZERO)));
                        }
                    }
                });
            }
            for (npy, job) in corpora.iter().zip(&jobs) {
                let result = job.wait(None).unwrap();
                let Ok(Output::Memory(rows)) = result.as_ref() else { panic!("{result:?}") };
                assert!(rows.items == reference(npy, false, &Request::default()), "{device}");
            }
            stop.store(true, Relaxed);
        });
    }
}

#[test]
fn a_job_outlives_its_context_and_its_input() {
    let npy = random(300, 5, 3);
    let context = context("cpu");
    let job = start(&context, &npy, Destination::Memory);
    let expected = reference(&npy, false, &Request::default());
    drop((context, npy));
    let result = job.wait(None).unwrap();
    let Ok(Output::Memory(rows)) = result.as_ref() else { panic!("{result:?}") };
    assert!(rows.items == expected);
}

/// What the plan says of the device's memory is what the allocator then reports, within 5%; staging
/// buffers are the host's, but the allocator counts them too.
#[test]
fn a_vulkan_run_keeps_to_its_plan() {
    for (items, dim, staging, memory_limit) in [
        (2001, 60, false, None),
        (1500, 400, false, None),
        (900, 2000, false, None),
        (2001, 60, true, None),
        // Half of the matrix.
        (2001, 60, false, Some(4 << 20)),
    ] {
        let npy = random(items, dim, 6);
        let corpus = Corpus::prepare(&npy.input(false)).unwrap();
        let request =
            Request { starts: Some((0..200).collect()), length: 300, ..Request::default() };
        let plan = Plan::new(&request, items).unwrap();
        let settings = Settings { force_staging: staging, memory_limit, ..Settings::default() };
        let mut engine = VulkanEngine::new("llvmpipe", &settings).unwrap();
        let needs = engine.needs(Shape::new(items, dim), &plan.shape()).unwrap();
        assert_eq!(needs.held_rows < items.into(), memory_limit.is_some());
        let progress = Progress::default();
        engine.sequences_in_memory(&corpus, &plan, &progress).unwrap();
        // Rows and lists beside what is staged.
        let few = Bytes::of::<u32>(4 * u64::from(items) + 1000);
        assert_eq!(needs.host_bytes > few, staging, "{needs:?}");
        let staged = if staging { needs.host_bytes } else { Bytes::ZERO };
        let used = engine.most_allocated() as f64;
        let stated = (needs.device_bytes + staged).get() as f64;
        assert!((0.95..=1.05).contains(&(used / stated)), "{items} x {dim}: {used} of {stated}");
        assert!(progress.submissions().iter().sum::<u64>() >= needs.dispatches);
    }
}

/// A limit makes the waves smaller before it makes the run impossible; the answer stays the same.
#[test]
fn a_memory_limit_splits_the_starts_into_batches() {
    let npy = random(500, 8, 2);
    let expected = reference(&npy, false, &Request::default());
    let matrix = 500 * 63 * 16;
    for spare in [12_000, 40_000, 200_000] {
        let options = ContextOptions {
            device: Some("llvmpipe".into()),
            memory_limit: Some(matrix + spare),
            ..Default::default()
        };
        let context = Context::new(&options).unwrap();
        let plan =
            context.plan(Shape::new(500, 8), &Request::default(), Destination::Memory).unwrap();
        assert!(plan.engine.groups >= 500 * 4000 / spare, "{plan:?}");
        assert!(plan.engine.device_bytes.get() <= matrix + spare, "{plan:?}");
        let elements = Elements::F32(&npy.values);
        let rows = context.sequences(&Input::new(elements, 500, 8), &Request::default()).unwrap();
        assert!(rows.items == expected);
    }
    // Then only some rows of the matrix are held, and below that nothing can be done.
    let limited = |limit| {
        let options = ContextOptions {
            device: Some("llvmpipe".into()),
            memory_limit: Some(limit),
            ..Default::default()
        };
        Context::new(&options).unwrap()
    };
    let context = limited(matrix / 3);
    let plan = context.plan(Shape::new(500, 8), &Request::default(), Destination::Memory).unwrap();
    assert!(
        plan.engine.held_rows < 500 && plan.engine.device_bytes.get() <= matrix / 3,
        "{plan:?}"
    );
    let elements = Elements::F32(&npy.values);
    assert!(
        context.sequences(&Input::new(elements, 500, 8), &Request::default()).unwrap().items
            == expected
    );
    let error = limited(20_000)
        .plan(Shape::new(500, 8), &Request::default(), Destination::Memory)
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

/// The same of searches. With staging the two halves of the sum are not all held at once.
#[test]
fn a_vulkan_search_keeps_to_its_plan() {
    for (items, dim, k, staging) in
        [(2001, 60, 10, false), (1500, 400, 1499, false), (40, 2000, 3, false), (2001, 60, 9, true)]
    {
        let npy = random(items, dim, 6);
        let corpus = Corpus::prepare(&npy.input(false)).unwrap();
        let settings = Settings { force_staging: staging, ..Settings::default() };
        let mut engine = VulkanEngine::new("llvmpipe", &settings).unwrap();
        let shape = QueryShape { num_items: items, dim, num_rows: items, own: true, k };
        let needs = engine.search_needs(&shape).unwrap();
        let progress = Progress::default();
        engine.neighbors_in_memory(&corpus, &Query { queries: None, k }, &progress).unwrap();
        let used = engine.most_allocated() as f64;
        let staged = if staging { needs.host_bytes } else { Bytes::ZERO };
        let ratio = used / (needs.device_bytes + staged).get() as f64;
        let least = if staging { 0.8 } else { 0.95 };
        assert!((least..=1.05).contains(&ratio), "{items} x {dim}: {used}, {needs:?}");
        assert!(progress.submissions().iter().sum::<u64>() >= needs.dispatches);
    }
}
