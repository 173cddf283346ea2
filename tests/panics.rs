//! A panic inside the library is an error, prints nothing and leaves the panic hook of the program
//! alone. A process of its own, since the hook is the process's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::panic::{catch_unwind, set_hook};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use vkd::engine::cpu::{CpuEngine, Settings};
use vkd::engine::{Engine, PutSequences};
use vkd::plan::Plan;
use vkd::progress::Progress;
use vkd::sequence::{Sequence, SequenceMut};
use vkd::{Corpus, Error, Request, Result};

/// Cannot take rows.
struct Panics;

impl PutSequences for Panics {
    fn put(&self, index: usize, _: Sequence) -> Result<()> {
        panic!("row {index} has no place")
    }

    fn get(&self, _: usize, _: SequenceMut) -> Result<()> {
        Ok(())
    }
}

#[test]
fn the_hook_of_the_program_sees_its_own_panics_only() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    set_hook(Box::new(|_| {
        SEEN.fetch_add(1, Relaxed);
    }));
    let npy = common::random(300, 4, 1);
    let corpus = Corpus::prepare(&npy.input(false)).unwrap();
    let plan = Plan::new(&Request::default(), 300).unwrap();
    let settings = Settings { threads: Some(4), ..Settings::default() };
    let mut engine = CpuEngine::new(&settings).unwrap();
    for _ in 0..2 {
        let error = engine.sequences(&corpus, &plan, &Panics, &Progress::default()).unwrap_err();
        let Error::Internal { detail } = error else { panic!("{error}") };
        assert!(detail.contains("has no place (tests/panics.rs:"), "{detail}");
        assert_eq!(SEEN.load(Relaxed), 0);
    }
    let own = catch_unwind(|| panic!("the program's own"));
    assert!(own.is_err());
    assert_eq!(SEEN.load(Relaxed), 1);
    let thread = std::thread::spawn(|| panic!("on a thread of its own"));
    assert!(thread.join().is_err());
    assert_eq!(SEEN.load(Relaxed), 2);
}
