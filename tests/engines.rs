//! Every engine and every shape of every kernel against the golden cases and the reference, bit for
//! bit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{compute, golden, npy, random, reference, vulkan, Golden, Npy};
use vkd::engine::vulkan::{Reduction, SequenceKernel, Settings};
use vkd::Request;

#[test]
fn golden_cases_on_the_reference() {
    for case in golden() {
        // The Psalms have a test of their own.
        if case.npy.num_items < 2000 {
            case.check(&vkd::ContextOptions {
                device: Some("reference".into()),
                ..Default::default()
            });
        }
    }
}

/// An eighth of the rows, like the buffer kernel below: all of them take plain loops two minutes.
#[test]
fn the_psalms_on_the_reference() {
    let device =
        |name: &str| vkd::ContextOptions { device: Some(name.into()), ..Default::default() };
    let (fast, reference) = (device("cpu"), device("reference"));
    for case in golden().iter().filter(|case| is_large(case)) {
        for center in [false, true] {
            an_eighth_is_equal(case, center, &fast, &reference);
        }
    }
}

/// Compares all rows of one engine with the committed hash, and an eighth of the other's with them.
fn an_eighth_is_equal(
    case: &Golden,
    center: bool,
    fast: &vkd::ContextOptions,
    slow: &vkd::ContextOptions,
) {
    let all = compute(fast, &case.npy, center, &Request::default());
    case.check_rows(center, &all, "all rows");
    let starts: Vec<u32> = (0..case.npy.num_items).step_by(8).collect();
    let items = case.npy.num_items as usize;
    let row = |&start: &u32| &all[start as usize * items..][..items];
    let expected = starts.iter().map(row).collect::<Vec<_>>().concat();
    let request = Request { starts: Some(starts), ..Request::default() };
    assert!(compute(slow, &case.npy, center, &request) == expected, "{center}");
}

#[test]
fn golden_cases_on_vulkan_with_both_kernels() {
    for kernel in [SequenceKernel::Buffer, SequenceKernel::Registers].map(Some) {
        let options = vulkan(Settings { kernel, ..Settings::default() });
        golden().iter().filter(|case| !is_large(case)).for_each(|case| case.check(&options));
    }
}

/// The buffer kernel takes ten times as long as the other: an eighth of its rows is compared with
/// the other's, whose rows have the committed hash.
#[test]
fn the_psalms_on_vulkan_with_both_kernels() {
    let options = |kernel| vulkan(Settings { kernel: Some(kernel), ..Settings::default() });
    for case in golden().iter().filter(|case| is_large(case)) {
        for center in [false, true] {
            let registers = options(SequenceKernel::Registers);
            let buffer = options(SequenceKernel::Buffer);
            an_eighth_is_equal(case, center, &registers, &buffer);
        }
    }
}

fn is_large(case: &Golden) -> bool {
    case.npy.num_items >= 2000
}

/// Every way through the engine, on sizes that are no multiple of anything.
#[test]
fn every_shape_agrees_with_the_reference() {
    let kernels = [SequenceKernel::Buffer, SequenceKernel::Registers];
    let reductions = [
        (Reduction::OneSubgroup, None),
        (Reduction::Subgroups, Some(8)),
        (Reduction::Subgroups, Some(128)),
        (Reduction::Shared, Some(1)),
        (Reduction::Shared, Some(16)),
    ];
    for (num_items, dim) in [(2, 3), (67, 5), (301, 17)] {
        let corpus = random(num_items, dim, u64::from(num_items));
        let starts: Vec<u32> = (0..num_items).step_by(1 + num_items as usize / 9).collect();
        let request = Request { starts: Some(starts), ..Request::default() };
        let expected = reference(&corpus, num_items % 2 == 0 && num_items > 2, &request);
        for kernel in kernels {
            for (reduction, lanes) in reductions {
                for (force_pin, force_staging, texels) in
                    [(false, false, None), (true, true, Some(false))]
                {
                    let settings = Settings {
                        kernel: Some(kernel),
                        reduction: Some(reduction),
                        lanes,
                        force_pin,
                        force_staging,
                        texels,
                        max_wave: Some(5),
                        ..Settings::default()
                    };
                    let shape = format!("{num_items} x {dim}, {settings:?}");
                    let got = compute(
                        &vulkan(settings),
                        &corpus,
                        num_items % 2 == 0 && num_items > 2,
                        &request,
                    );
                    assert!(got == expected, "{shape}");
                }
            }
        }
    }
}

#[test]
fn a_matrix_of_several_slabs_gives_the_same_bits() {
    let corpus = random(517, 40, 3);
    let request = Request { starts: Some(vec![0, 516, 200, 200]), ..Request::default() };
    let expected = reference(&corpus, false, &request);
    let row_bytes = 517u64.div_ceil(8) * 16;
    // 130 rows a binding: 4 slabs; 40: 13; 516 rows: the last slab is one tile.
    for rows in [130, 40, 516, 520] {
        for kernel in [SequenceKernel::Buffer, SequenceKernel::Registers] {
            for reduction in [None, Some(Reduction::Shared)] {
                let settings = Settings {
                    max_binding_bytes: Some(rows * row_bytes),
                    kernel: Some(kernel),
                    reduction,
                    ..Settings::default()
                };
                assert!(
                    compute(&vulkan(settings), &corpus, false, &request) == expected,
                    "{rows} rows a slab, {kernel:?}, {reduction:?}"
                );
            }
        }
    }
}

/// llvmpipe ends loops silently after 65,535 rounds: with a false budget the answer must be wrong,
/// or the budget is not what keeps it right.
#[test]
fn the_loop_budget_is_what_keeps_long_dispatches_right() {
    let corpus = random(6000, 4, 11);
    let request = Request { starts: Some(vec![7]), ..Request::default() };
    let buffer = Settings { kernel: Some(SequenceKernel::Buffer), ..Settings::default() };
    let expected = compute(&vulkan(buffer.clone()), &corpus, false, &request);
    assert!(expected == reference(&corpus, false, &request));
    let broken = Settings {
        loop_budget: Some(u32::MAX),
        submit_target: Some(std::time::Duration::from_secs(1000)),
        ..buffer
    };
    // Pacing doubles from 16 picks; 95 rounds a pick take the seventh dispatch over the limit.
    let wrong = compute(&vulkan(broken), &corpus, false, &request);
    let same = wrong.iter().zip(&expected).take_while(|(a, b)| a == b).count();
    assert!(wrong != expected, "no dispatch reached the device's limit: this test tests nothing");
    assert!(same > 900, "the first dispatches are within the limit, yet differ at {same}");
}

/// A taken score that kept receiving contributions would wrap here and come back as the minimum. Up
/// to 32,768 items the top bit of a score tells that it is taken; beyond, taken scores are pinned.
/// 30,600 is about as many as llvmpipe's bindings hold whole, and takes sums to 93% of what would
/// reach that bit.
#[test]
fn taken_items_stay_taken_among_thousands_of_parallel_rows() {
    for (num_items, force_pin) in [(30_600, false), (22_003, true)] {
        let values: Vec<f32> = (0..num_items).flat_map(|i| [1.0, (i % 5) as f32 * 1e-4]).collect();
        let corpus = Npy { num_items, dim: 2, values };
        let request = Request { starts: Some(vec![21_900]), ..Request::default() };
        let settings = Settings { force_pin, ..Settings::default() };
        let mut sequence = compute(&vulkan(settings), &corpus, false, &request);
        assert_eq!(sequence[0], 21_900);
        sequence.sort_unstable();
        assert!(sequence.iter().copied().eq(0..num_items), "{num_items}: not a permutation");
    }
}

#[test]
fn sequences_are_permutations_with_stable_prefixes() {
    let corpus = npy("odd_257x7.npy");
    let options = vulkan(Settings::default());
    let full = compute(&options, &corpus, false, &Request::default());
    for (start, row) in (0..257).zip(full.chunks(257)) {
        assert_eq!(row[0], start);
        let mut sorted = row.to_vec();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..257));
    }
    for length in [1, 2, 100, 256] {
        let request = Request { starts: Some(vec![256, 0, 31]), length, ..Request::default() };
        let part = compute(&options, &corpus, false, &request);
        for (start, row) in [256usize, 0, 31].iter().zip(part.chunks(length as usize)) {
            assert_eq!(row, &full[start * 257..][..length as usize]);
        }
    }
}

#[test]
fn submission_sizes_do_not_change_the_answer() {
    let corpus = random(300, 24, 5);
    let expected = reference(&corpus, true, &Request::default());
    for (milliseconds, max_wave) in [(1, 1), (1, 300), (1000, 7)] {
        for kernel in [SequenceKernel::Buffer, SequenceKernel::Registers] {
            let settings = Settings {
                submit_target: Some(std::time::Duration::from_millis(milliseconds)),
                max_wave: Some(max_wave),
                kernel: Some(kernel),
                ..Settings::default()
            };
            assert!(compute(&vulkan(settings), &corpus, true, &Request::default()) == expected);
        }
    }
}
