//! Errors of devices and memory, and the proof that the validation layer is listening.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::process::Command;

use vkd::engine::vulkan::{planted_error, Settings, VulkanEngine};
use vkd::{Context, ContextOptions, Elements, Error, Input, Request};

/// Runs one of the ignored tests below with its own log of the validation layer; "": without the
/// layer.
fn alone(test: &str, log: &str) {
    let logged = |command: &mut Command| {
        command.env("VKD_VALIDATION", log);
    };
    common::alone(test, logged).unwrap_or_else(|printed| panic!("{printed}"));
}

#[test]
fn a_planted_error_is_caught_by_the_validation_layer() {
    let log = std::env::temp_dir().join(format!("vkd-planted-{}.log", std::process::id()));
    alone("child_planted_error", log.to_str().unwrap());
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    assert!(text.contains("vkCreateBuffer"), "{text}");
}

#[test]
#[ignore = "run by a_planted_error_is_caught_by_the_validation_layer"]
fn child_planted_error() {
    let error = planted_error().unwrap_err();
    assert!(matches!(&error, Error::Validation { count: 1, .. }), "{error}");
}

/// A driver that refuses the matrix although its heap seemed to have room: the run makes do with
/// some rows of it.
#[test]
fn a_matrix_that_the_driver_refuses_is_computed_row_by_row() {
    alone("child_refused_memory", "");
}

#[test]
#[ignore = "run by a_matrix_that_the_driver_refuses_is_computed_row_by_row"]
fn child_refused_memory() {
    let corpus = common::random(8000, 4, 1);
    let context = Context::new(&common::vulkan(Settings::default())).unwrap();
    let request = Request { starts: Some(vec![0, 4000]), length: 30, ..Request::default() };
    let run = || context.sequences(&Input::new(Elements::F32(&corpus.values), 8000, 4), &request);
    let expected = run().unwrap();
    // Room for everything but the matrix of 128 MB.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let size: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
    let limit = libc::rlimit { rlim_cur: size * 1024 + (64 << 20), rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a valid struct; only this process is limited.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    let plan = context
        .plan(vkd::Shape::new(8000, 4), &request, vkd::context::Destination::Memory)
        .unwrap();
    assert_eq!(plan.engine.held_rows, 8000, "the driver does not know of the limit");
    assert!(run().unwrap() == expected);
}

#[test]
fn a_memory_limit_is_kept_with_the_numbers_in_the_message() {
    let corpus = common::random(100, 4, 1);
    let settings = Settings { memory_limit: Some(3000), ..Settings::default() };
    let context = Context::new(&common::vulkan(settings)).unwrap();
    let elements = Elements::F32(&corpus.values);
    let error = context.sequences(&Input::new(elements, 100, 4), &Request::default()).unwrap_err();
    let Error::TooLarge { needed, available, .. } = error else { panic!("{error}") };
    // Prepared rows of one chunk of 16 bytes, once more as a group with slot and weight; then one
    // row of the matrix (13 chunks) and one sequence (13 chunks of 32 bytes of scores, 100 picks
    // and a slot), and an eighth for the driver.
    let one = 13 * 16 + 13 * 32 + 101 * 4;
    assert_eq!((needed, available), (100 * 16 + 100 * 24 + 147 * 8, 3000));
    assert_eq!(147, u64::div_ceil(one, 7));
}

#[test]
fn a_device_that_is_not_there_is_an_error_that_lists_what_is() {
    let options = ContextOptions { device: Some("Voodoo 2".into()), ..Default::default() };
    let text = Context::new(&options).unwrap_err().to_string();
    assert!(
        text.contains("Voodoo 2") && text.contains("0: ") && text.contains("reference"),
        "{text}"
    );
}

#[test]
fn every_name_of_a_device_opens_it() {
    let devices = vkd::context::devices().unwrap();
    assert_eq!(devices.last().unwrap().name, "reference");
    for (index, device) in devices.iter().enumerate() {
        let uuid: String = device.uuid.iter().map(|byte| format!("{byte:02x}")).collect();
        let names = [index.to_string(), device.name.clone(), uuid];
        for name in names.into_iter().filter(|name| !name.chars().all(|c| c == '0')) {
            let options = ContextOptions { device: Some(name.clone()), ..Default::default() };
            assert_eq!(Context::new(&options).unwrap().info().name, device.name, "{name}");
        }
    }
}

#[test]
fn nothing_stays_allocated_after_a_run() {
    use vkd::engine::Engine;
    let npy = common::npy("odd_257x7.npy");
    let corpus = vkd::Corpus::prepare(&npy.input(false)).unwrap();
    let plan = vkd::plan::Plan::new(&Request::default(), npy.num_items).unwrap();
    let mut engine = VulkanEngine::new("", &Settings::default()).unwrap();
    for _ in 0..3 {
        engine.sequences_in_memory(&corpus, &plan, &vkd::progress::Progress::default()).unwrap();
        assert_eq!(engine.live_allocations(), (0, 0));
    }
}
