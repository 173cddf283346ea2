//! Several devices at once: one result, the same bits, whoever does which part; and what goes wrong
//! on one of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::sync::Arc;

use common::{compute, golden, npy, random, reference};
use vkd::context::Destination;
use vkd::engine::vulkan::{Faults, Settings};
use vkd::engine::DeviceKind;
use vkd::{Context, ContextOptions, Elements, Error, Input, Request, Shape};

fn devices(names: &str, vulkan: Settings) -> ContextOptions {
    ContextOptions { device: Some(names.into()), vulkan, ..Default::default() }
}

fn both() -> ContextOptions {
    devices("cpu + vulkan:llvmpipe", Settings::default())
}

#[test]
fn golden_cases_on_both() {
    golden().iter().for_each(|case| case.check(&both()));
}

#[test]
fn each_device_does_a_part_and_the_counters_add_up() {
    let corpus = random(900, 24, 5);
    let expected =
        compute(&devices("cpu", Settings::default()), &corpus, true, &Request::default());
    let context = Context::new(&both()).unwrap();
    let info = context.info();
    assert_eq!(info.kind, DeviceKind::Several);
    assert!(info.name.starts_with("CPU (") && info.name.contains(" + llvmpipe"), "{}", info.name);
    let elements = Elements::F32(&corpus.values);
    let job = context
        .start(
            &Input { center: true, ..Input::new(elements, 900, 24) },
            &Request::default(),
            Destination::Memory,
        )
        .unwrap();
    let outcome = job.wait(None).unwrap();
    let Ok(vkd::job::Output::Memory(sequences)) = outcome.as_ref() else { panic!("{outcome:?}") };
    assert!(sequences.items == expected);
    let progress = job.progress();
    assert_eq!(progress.rows_done(), 900);
    assert_eq!((progress.steps_done(), progress.steps_total()), (900 * 899, 900 * 899));
    // Only a Vulkan device submits.
    assert!(progress.submissions().iter().sum::<u64>() > 0, "llvmpipe did nothing");
}

#[test]
fn the_plan_is_the_sum_and_a_list_may_name_a_device_twice() {
    let plan = |names: &str| {
        let context = Context::new(&devices(names, Settings::default())).unwrap();
        context.plan(Shape::new(500, 16), &Request::default(), Destination::Memory).unwrap().engine
    };
    let (cpu, llvmpipe, both) = (plan("cpu"), plan("llvmpipe"), plan("cpu+llvmpipe"));
    assert_eq!(both.host_bytes, cpu.host_bytes + llvmpipe.host_bytes);
    assert_eq!(both.device_bytes, llvmpipe.device_bytes);
    assert_eq!(both.dispatches, llvmpipe.dispatches);
    assert_eq!(both.held_rows, 500);
    let corpus = npy("odd_257x7.npy");
    let expected = reference(&corpus, false, &Request::default());
    let twice = devices("llvmpipe + vulkan:llvmpipe + reference", Settings::default());
    assert!(compute(&twice, &corpus, false, &Request::default()) == expected);
}

/// Fewer starts than devices, prefixes, repeated starts.
#[test]
fn small_runs() {
    let corpus = random(67, 9, 2);
    for (starts, length) in [(vec![5], 0), (vec![66, 0], 3), (vec![1, 1, 1], 67), (vec![0], 1)] {
        let request = Request { starts: Some(starts), length, ..Request::default() };
        let expected = reference(&corpus, false, &request);
        assert!(compute(&both(), &corpus, false, &request) == expected, "{request:?}");
    }
}

#[test]
fn all_means_gpus_and_the_cpu_engine() {
    let context = Context::new(&devices("all", Settings::default())).unwrap();
    let vulkan = vkd::engine::vulkan::devices().unwrap();
    let expected = match vulkan.iter().any(|device| device.kind < DeviceKind::Cpu) {
        true => DeviceKind::Several,
        // llvmpipe is no GPU: the CPU engine alone.
        false => DeviceKind::Cpu,
    };
    assert_eq!(context.info().kind, expected);
    let corpus = random(67, 9, 2);
    let expected = reference(&corpus, false, &Request::default());
    assert!(
        compute(&devices("ALL", Settings::default()), &corpus, false, &Request::default())
            == expected
    );
}

#[test]
fn names_are_checked_one_by_one() {
    let error = |names: &str| Context::new(&devices(names, Settings::default())).unwrap_err();
    assert!(matches!(error("cpu + no such card"), Error::DeviceNotFound { .. }));
    for empty in ["cpu+", "+", "cpu + + llvmpipe"] {
        assert!(matches!(error(empty), Error::BadOption { option: "device", .. }), "{empty}");
    }
}

/// Where one has no room, the other does it all; where none has, the first one says why.
#[test]
fn a_device_that_cannot_is_left_out() {
    let corpus = random(517, 40, 3);
    let expected = reference(&corpus, false, &Request::default());
    let tiny = Settings { memory_limit: Some(1000), ..Settings::default() };
    let options = devices("llvmpipe + cpu", tiny.clone());
    assert!(compute(&options, &corpus, false, &Request::default()) == expected);
    let context = Context::new(&options).unwrap();
    let plan = context.plan(Shape::new(517, 40), &Request::default(), Destination::Memory).unwrap();
    assert_eq!(plan.engine.device_bytes.get(), 0);
    // No room for the CPU engine's matrix on the host; llvmpipe holds some of its rows.
    let request = Request { length: 20, ..Request::default() };
    let expected: Vec<u32> = expected.chunks(517).flat_map(|row| row[..20].to_vec()).collect();
    let limited = ContextOptions {
        memory_limit: Some(450_000),
        ..devices("cpu+llvmpipe", Settings::default())
    };
    let context = Context::new(&limited).unwrap();
    let plan = context.plan(Shape::new(517, 40), &request, Destination::Memory).unwrap();
    assert!(plan.engine.held_rows < 517, "{plan:?}");
    assert!(compute(&limited, &corpus, false, &request) == expected);
    let none = Context::new(&devices("llvmpipe + llvmpipe", tiny)).unwrap();
    let error =
        none.plan(Shape::new(517, 40), &Request::default(), Destination::Memory).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[test]
fn a_cancelled_run_ends_on_all_devices() {
    let corpus = random(3000, 16, 9);
    let context = Context::new(&both()).unwrap();
    let elements = Elements::F32(&corpus.values);
    let job = context
        .start(&Input::new(elements, 3000, 16), &Request::default(), Destination::Memory)
        .unwrap();
    while job.progress().steps_done() < 10_000 {
        std::thread::yield_now();
    }
    job.cancel();
    assert_eq!(job.wait(None).unwrap().as_ref(), &Err(Error::Cancelled));
}

/// An error of one device ends the run; nothing hangs, nothing is half done.
#[test]
fn an_error_of_one_device_ends_the_run() {
    let corpus = random(900, 24, 5);
    let open = |first: u64| {
        let faults = Arc::new(Faults::new(first, 1, false));
        let settings = Settings { faults: Some(Arc::clone(&faults)), ..Settings::default() };
        (Context::new(&devices("cpu + llvmpipe", settings)).unwrap(), faults)
    };
    let (_, counted) = open(u64::MAX);
    let (context, _) = open(counted.calls() + 30);
    let elements = Elements::F32(&corpus.values);
    let error = context.sequences(&Input::new(elements, 900, 24), &Request::default()).unwrap_err();
    assert!(matches!(error, Error::DriverMemory { .. } | Error::DeviceMemory { .. }), "{error}");
}
