//! What all benchmarks share: medians, the read bandwidth of this machine, timed runs.
#![allow(dead_code, unreachable_pub)]

pub mod apart;
pub mod corpus;
pub mod plot;
pub mod python;
#[path = "../../cli/src/bench/reads.rs"]
pub mod reads;

use std::time::Instant;

use vkd::context::Destination;
use vkd::progress::{Phase, SUBMISSION_CLASSES};
use vkd::{Context, ContextOptions, Elements, Input, Request};

pub struct Times {
    pub phases: [f64; Phase::ALL.len()],
    pub total: f64,
    pub picks: f64,
    pub bytes: f64,
    pub submissions: [u64; SUBMISSION_CLASSES],
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// All starts at full length, or `starts`.
pub fn run(
    options: &ContextOptions,
    (values, num_items, dim): (&[f32], u32, u32),
    center: bool,
    starts: Option<Vec<u32>>,
) -> Times {
    let context = Context::new(options).unwrap();
    let request = Request { starts, ..Request::default() };
    let begin = Instant::now();
    let job = context
        .start(
            &Input { center, ..Input::new(Elements::F32(values), num_items, dim) },
            &request,
            Destination::Memory,
        )
        .unwrap();
    job.wait(None).unwrap().as_ref().as_ref().unwrap();
    let total = begin.elapsed().as_secs_f64();
    let progress = job.progress();
    Times {
        phases: Phase::ALL.map(|phase| progress.seconds(phase)),
        total,
        picks: progress.steps_done() as f64,
        bytes: progress.bytes_read() as f64,
        submissions: progress.submissions(),
    }
}

/// The most bytes of memory that this process had at once, as far as they are not of a mapped file:
/// the peak less what of files is there now. 0 where the system does not tell.
pub fn peak_anonymous() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.and_then(|number| number.parse().ok()).unwrap_or(0.0)
    };
    (kilobytes("VmHWM:") - kilobytes("RssFile:")) * 1024.0
}
