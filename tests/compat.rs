//! The older interface from several threads: contexts of their own, and handles that they share.
//! One test in a process of its own, because it sets a variable of the environment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{random, reference, Npy};
use libc::c_void;
use vkd::ffi::compat::{
    vkc_batch, vkc_context, vkc_destroy, vkc_diversity, vkc_fp16_to_fp32, vkc_fp32_to_fp16,
    vkc_get_device_name, vkc_init, vkd_batch_compute_chunk, vkd_batch_destroy,
    vkd_batch_download_sequences, vkd_batch_init, vkd_batch_step, vkd_compute_sequence,
    vkd_destroy, vkd_init, vks_compute_all_similarities_parallel, vks_destroy, vks_init,
};
use vkd::Request;

const N: u32 = 130;
const DIM: u32 = 6;
const CELLS: usize = (N * N) as usize;
const BATCH: u32 = 50;

/// Embeddings and what is to come of them.
struct Case {
    /// Halves hold them exactly.
    npy: Npy,
    halves: Vec<u16>,
    sequences: Vec<u32>,
}

impl Case {
    fn new(seed: u64) -> Case {
        let mut npy = random(N, DIM, seed);
        let mut halves = vec![0; npy.values.len()];
        // SAFETY: as many halves as floats.
        unsafe { vkc_fp32_to_fp16(npy.values.as_ptr(), halves.as_mut_ptr(), N * DIM) };
        npy.values = halves.iter().map(|&half| vkc_fp16_to_fp32(half)).collect();
        let sequences = reference(&npy, false, &Request::default());
        Case { npy, halves, sequences }
    }

    fn rows(&self, starts: std::ops::Range<u32>) -> &[u32] {
        &self.sequences[(starts.start * N) as usize..(starts.end * N) as usize]
    }
}

/// A handle that threads share.
struct Shared<T>(*mut T);

// By hand: a handle can be copied whatever it points to.
impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

// SAFETY: any thread may use a handle of the older interface.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: the same.
unsafe impl<T> Sync for Shared<T> {}

fn batch(context: Shared<vkc_context>, case: &Case, first: u32) -> Shared<vkc_batch> {
    let starts: Vec<u32> = (first..first + BATCH).collect();
    let rows = case.halves.as_ptr().cast::<c_void>();
    // SAFETY: N x DIM halves, BATCH starts, a live context.
    let batch = unsafe { vkd_batch_init(context.0, rows, N, DIM, BATCH, starts.as_ptr()) };
    assert!(!batch.is_null());
    Shared(batch)
}

fn download(batch: Shared<vkc_batch>) -> Vec<u32> {
    let mut out = vec![7; (BATCH * N) as usize];
    // SAFETY: BATCH x N numbers, a live batch.
    assert_eq!(unsafe { vkd_batch_download_sequences(batch.0, out.as_mut_ptr()) }, 0);
    out
}

/// What a script does, with a context.
fn script(context: Shared<vkc_context>, case: &Case) {
    let mut out = vec![0; CELLS];
    for first in [0, BATCH] {
        let batch = batch(context, case, first);
        for (slot, count) in [(1, 10), (11, 60), (71, N - 71)] {
            // SAFETY: a live batch.
            assert_eq!(unsafe { vkd_batch_compute_chunk(batch.0, slot, count) }, 0);
        }
        assert_eq!(download(batch), case.rows(first..first + BATCH));
        // SAFETY: used no more.
        unsafe { vkd_batch_destroy(batch.0) };
    }
    let floats = case.npy.values.as_ptr();
    // SAFETY: N x DIM floats, outputs as large as they have to be, handles that are live.
    unsafe {
        let steps = vkd_batch_init(context.0, floats.cast(), N, DIM, 1, &raw const N_LESS_1);
        assert_eq!(vkd_batch_step(steps, N - 1, std::ptr::null_mut()), 0);
        assert_eq!(vkd_batch_download_sequences(steps, out.as_mut_ptr()), 0);
        vkd_batch_destroy(steps);
        assert_eq!(&out[..N as usize], case.rows(N - 1..N));
        let single = vkd_init(context.0, floats, N, DIM);
        for start in 0..N {
            let row = out.as_mut_ptr().add((start * N) as usize);
            assert_eq!(vkd_compute_sequence(single, start, row), 0);
        }
        vkd_destroy(single);
        assert_eq!(out, case.sequences);
        let similarity = vks_init(context.0, floats, N, DIM);
        let mut pairs = vec![7.0; (CELLS - N as usize) / 2];
        assert_eq!(vks_compute_all_similarities_parallel(similarity, pairs.as_mut_ptr()), 0);
        vks_destroy(similarity);
        assert!(pairs.iter().all(|pair| pair.abs() <= 1.0));
    }
}

static N_LESS_1: u32 = N - 1;

fn open() -> Shared<vkc_context> {
    let context = vkc_init(0);
    assert!(!context.is_null());
    Shared(context)
}

fn close(context: Shared<vkc_context>) {
    // SAFETY: used no more.
    unsafe { vkc_destroy(context.0) };
}

/// Threads take turns with one batch and one handle of single sequences.
fn share(context: Shared<vkc_context>, case: &Case) {
    let batch = batch(context, case, 20);
    // SAFETY: N x DIM floats, a live context.
    let single = unsafe { vkd_init(context.0, case.npy.values.as_ptr(), N, DIM) };
    let single: Shared<vkc_diversity> = Shared(single);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let (batch, single) = (batch, single);
                for slot in 1..N {
                    // SAFETY: a live batch.
                    assert_eq!(unsafe { vkd_batch_compute_chunk(batch.0, slot, 1) }, 0);
                }
                assert_eq!(download(batch), case.rows(20..20 + BATCH));
                let mut row = vec![0; N as usize];
                for start in (0..N).filter(|start| start % 4 == thread) {
                    // SAFETY: N numbers, a live handle.
                    let status = unsafe { vkd_compute_sequence(single.0, start, row.as_mut_ptr()) };
                    assert_eq!((status, &row[..]), (0, case.rows(start..start + 1)));
                }
            });
        }
    });
    // SAFETY: used no more.
    unsafe {
        vkd_batch_destroy(batch.0);
        vkd_destroy(single.0);
    }
}

#[test]
fn threads_share_contexts_and_handles() {
    let cases = [Case::new(1), Case::new(2)];
    for device in ["cpu", "llvmpipe"] {
        std::env::set_var("VKD_DEVICE", device);
        std::thread::scope(|scope| {
            for case in [&cases[0], &cases[1], &cases[0]] {
                scope.spawn(move || {
                    let context = open();
                    script(context, case);
                    close(context);
                });
            }
        });
        // Two corpora in turns on one context: what it keeps of the one goes for the other.
        let context = open();
        std::thread::scope(|scope| {
            for case in [&cases[0], &cases[1], &cases[0]] {
                scope.spawn(move || script(context, case));
            }
        });
        share(context, &cases[0]);
        // SAFETY: a live context, whose name lives as long.
        let name = unsafe { std::ffi::CStr::from_ptr(vkc_get_device_name(context.0)) };
        assert!(name.to_str().unwrap().to_lowercase().contains(device), "{name:?}");
        close(context);
    }
}
