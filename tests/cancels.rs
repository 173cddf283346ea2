//! Jobs cancelled at random moments, a thousand times: no leak, no hang. One test in a process of
//! its own, because it counts the process's threads and memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(target_os = "linux")]

mod common;

use std::time::{Duration, Instant};

use common::{random, Npy};
use vkd::context::Destination;
use vkd::job::{Job, Output};
use vkd::store::OutputFile;
use vkd::{Context, ContextOptions, Error, Request, Sequences};

fn context(device: &str) -> Context {
    Context::new(&ContextOptions { device: Some(device.into()), ..Default::default() }).unwrap()
}

fn start(context: &Context, npy: &Npy, to: Destination) -> Job<Output<Sequences>> {
    context.start(&npy.input(false), &Request::default(), to).unwrap()
}

fn tasks() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Whether at most `most` threads are left. The system still lists a thread for a moment after it
/// was joined.
fn settles_to(most: usize) -> bool {
    let begin = Instant::now();
    while tasks() > most {
        if begin.elapsed() > Duration::from_secs(10) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn resident() -> u64 {
    // What the allocator keeps for later is no leak: up to 40 MB here, by chance.
    // SAFETY: no conditions.
    unsafe { libc::malloc_trim(0) };
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// 900 on the CPU engine, some of them writing a file, 100 on llvmpipe. A cancelled job ends within
/// 0.2 s (asserted with room for a busy machine); no thread stays, and the memory does not grow.
#[test]
fn a_thousand_cancels() {
    let path = std::env::temp_dir().join(format!("vkd-cancels-{}", std::process::id()));
    let target = OutputFile { path: path.clone(), overwrite: true, ids: None };
    let mut state = 99u64;
    let mut longest = Duration::ZERO;
    for (device, rounds, items, most) in
        [("cpu", 900, 800, 40_000), ("llvmpipe", 100, 700, 250_000)]
    {
        let context = context(device);
        let npy = random(items, 8, 5);
        start(&context, &npy, Destination::Memory).wait(None).unwrap().as_ref().as_ref().unwrap();
        let (threads, memory) = (tasks(), resident());
        let (mut cancelled, mut done) = (0, 0);
        for round in 0..rounds {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let job = start(
                &context,
                &npy,
                if round % 9 == 0 { Destination::File(&target) } else { Destination::Memory },
            );
            std::thread::sleep(Duration::from_micros((state >> 33) % most));
            let begin = Instant::now();
            job.cancel();
            match job.wait(None).unwrap().as_ref() {
                Ok(_) => done += 1,
                Err(Error::Cancelled) => cancelled += 1,
                Err(error) => panic!("{error}"),
            }
            longest = longest.max(begin.elapsed());
        }
        assert!(cancelled > rounds / 10, "{device}: {cancelled} cancelled, {done} done");
        assert!(settles_to(threads), "{device}: {} threads stayed of {threads}", tasks());
        let grown = resident().saturating_sub(memory);
        assert!(grown < 32 << 20, "{device}: {grown} bytes more");
    }
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    let _ = std::fs::remove_file(path.with_extension("partial"));
    let _ = std::fs::remove_file(&path);
}
