//! The Vulkan engine at its limits: large corpora, a matrix that does not fit, wide rows, every way
//! to multiply and every subgroup size that the driver offers; bit for bit against the CPU engine,
//! the reference or the contract in plain loops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{compute, random, reference, vulkan, Npy};
use vkd::context::Destination;
use vkd::engine::vulkan::{Multiply, Reduction, SequenceKernel, Settings};
use vkd::engine::Pairs;
use vkd::{Context, ContextOptions, Corpus, Elements, Input, Request, Shape};

fn cpu() -> ContextOptions {
    ContextOptions { device: Some("cpu".into()), ..Default::default() }
}

fn starts(starts: &[u32], length: u32) -> Request {
    Request { starts: Some(starts.to_vec()), length, ..Request::default() }
}

/// A prefix by the contract in plain loops, without a matrix.
fn plain_prefix(npy: &Npy, start: u32, length: u32) -> Vec<u32> {
    let corpus = Corpus::prepare(&npy.input(false)).unwrap();
    let mut scores = vec![0i32; npy.num_items as usize];
    let mut sequence = vec![start];
    while sequence.len() < length as usize {
        let pick = sequence[sequence.len() - 1];
        let (row, weight) = (corpus.row(pick), i32::from(corpus.weights()[pick as usize]));
        for (item, score) in (0..).zip(&mut scores) {
            let products =
                row.iter().zip(corpus.row(item)).map(|(&a, &b)| i32::from(a) * i32::from(b));
            let g = ((products.sum::<i32>() + (1 << 14)) >> 15).clamp(-32767, 32767);
            *score += (weight * g + (1 << 14)) >> 15;
        }
        let untaken = (0..npy.num_items).filter(|item| !sequence.contains(item));
        sequence.push(untaken.min_by_key(|&item| scores[item as usize]).unwrap());
    }
    sequence
}

/// Each subgroup size that the driver offers, the one it likes, and no subgroup operations at all.
fn subgroup_settings() -> Vec<Settings> {
    let size = |size| Settings { subgroup_size: Some(size), ..Settings::default() };
    let offered = |settings: &Settings| match Context::new(&vulkan(settings.clone())) {
        Err(vkd::Error::Unsupported { .. }) => false,
        context => context.is_ok(),
    };
    let mut all: Vec<Settings> = (0..8).map(|bits| size(1 << bits)).filter(offered).collect();
    assert!(
        !all.is_empty(),
        "the driver offers no subgroup size: this test tests less than it says"
    );
    all.push(Settings::default());
    all.push(Settings {
        reduction: Some(Reduction::Shared),
        lanes: Some(16),
        ..Settings::default()
    });
    all
}

/// 289 MB of matrix: three bindings on llvmpipe.
#[test]
fn twelve_thousand_items() {
    let corpus = random(12_000, 48, 12);
    let request = starts(&[0, 5_999, 11_999, 7, 7], 200);
    let expected = compute(&cpu(), &corpus, false, &request);
    for settings in subgroup_settings() {
        let shape = format!("{settings:?}");
        assert!(compute(&vulkan(settings), &corpus, false, &request) == expected, "{shape}");
    }
    // In the shape for GPUs, 512 lanes with 3 chunks each.
    let request = starts(&[0, 5_999], 40);
    for reduction in [None, Some(Reduction::Shared)] {
        let settings = Settings {
            kernel: Some(SequenceKernel::Registers),
            lanes: Some(512),
            texels: Some(false),
            reduction,
            ..Settings::default()
        };
        let got = compute(&vulkan(settings), &corpus, false, &request);
        assert!(got.chunks(40).zip(expected.chunks(200)).all(|(got, all)| got == &all[..40]));
    }
}

/// The contribution matrix would be 8.6 GB, more than 16 bindings of llvmpipe can span: its rows
/// are computed when they are needed.
#[test]
fn sixty_five_thousand_items() {
    let corpus = random(65_535, 12, 65);
    let request = starts(&[65_534, 0, 31_000], 25);
    let context = Context::new(&vulkan(Settings::default())).unwrap();
    let plan = context.plan(Shape::new(65_535, 12), &request, Destination::Memory).unwrap();
    assert!(plan.engine.held_rows < 65_535 && plan.engine.held_rows >= 3);
    let expected = [65_534, 0, 31_000].map(|start| plain_prefix(&corpus, start, 25)).concat();
    for settings in subgroup_settings() {
        let shape = format!("{settings:?}");
        assert!(compute(&vulkan(settings), &corpus, false, &request) == expected, "{shape}");
    }
}

/// Device memory for a few rows only: each is computed again and again.
#[test]
fn a_matrix_that_does_not_fit_gives_the_same_bits() {
    let corpus = random(517, 40, 3);
    let request = starts(&[0, 516, 200, 200, 3, 77, 401], 0);
    let expected = reference(&corpus, true, &request);
    let row_bytes = 517u64.div_ceil(8) * 16;
    let prepared = 520 * 2 * (40 * 2 + 8);
    for (rows, max_wave, slab_rows) in
        [(12, None, None), (40, Some(3), Some(8)), (200, None, Some(50))]
    {
        for (force_staging, reduction, texels, multiply) in [
            (false, None, None, None),
            (true, Some(Reduction::Shared), Some(false), Some(Multiply::Biased)),
        ] {
            let settings = Settings {
                memory_limit: Some(prepared + rows * row_bytes * 2),
                max_binding_bytes: slab_rows.map(|slab_rows: u64| slab_rows * row_bytes),
                max_wave,
                force_staging,
                reduction,
                texels,
                multiply,
                ..Settings::default()
            };
            let shape = format!("{settings:?}");
            let options = vulkan(settings);
            let context = Context::new(&options).unwrap();
            let plan = context.plan(Shape::new(517, 40), &request, Destination::Memory).unwrap();
            assert!(plan.engine.held_rows < 517, "{plan:?}");
            assert!(compute(&options, &corpus, true, &request) == expected, "{plan:?} {shape}");
        }
    }
    let whole = Context::new(&vulkan(Settings::default())).unwrap();
    let plan = whole.plan(Shape::new(517, 40), &request, Destination::Memory).unwrap();
    assert_eq!(plan.engine.held_rows, 517);
}

const MULTIPLY: [Multiply; 4] = [Multiply::Wide, Multiply::Biased, Multiply::Dot16, Multiply::Dot8];

/// 8,192 dimensions: the longest loop. Rows of equal values have the largest products that there
/// are.
#[test]
fn every_way_to_multiply_on_the_widest_rows() {
    let dim = 8192;
    let mut corpus = random(45, dim, 8);
    for (item, value) in [(0, 1.0), (1, -1.0), (2, 1.0)] {
        corpus.values[item * dim as usize..][..dim as usize].fill(value);
    }
    // One dimension alone: 32,767 and its negative.
    for (item, value) in [(3, 1.0), (4, -1.0)] {
        let row = &mut corpus.values[item * dim as usize..][..dim as usize];
        row.fill(0.0);
        row[77] = value;
    }
    let expected = reference(&corpus, false, &Request::default());
    let elements = Elements::F32(&corpus.values);
    let similarities = |options: &ContextOptions| {
        let context = Context::new(options).unwrap();
        let job = context.start_similarity(&Input::new(elements, 45, dim), Pairs::All).unwrap();
        job.into_result().unwrap()
    };
    let expected_similarities = similarities(&cpu());
    for multiply in MULTIPLY {
        for texels in [None, Some(false)] {
            let settings = Settings { multiply: Some(multiply), texels, ..Settings::default() };
            let options = vulkan(settings);
            let got = compute(&options, &corpus, false, &Request::default());
            assert!(got == expected, "{multiply:?}, {texels:?}");
            assert!(similarities(&options) == expected_similarities, "{multiply:?}, {texels:?}");
        }
    }
}

#[test]
fn every_way_to_multiply_over_several_slabs() {
    for (num_items, dim) in [(1, 1), (2, 3), (301, 17), (257, 7), (66, 129)] {
        let corpus = random(num_items, dim, 4);
        let expected = reference(&corpus, false, &Request::default());
        for multiply in MULTIPLY {
            let settings = Settings {
                multiply: Some(multiply),
                max_binding_bytes: Some(
                    40 * u64::from(num_items.div_ceil(8).max(dim.div_ceil(8) + 1)) * 16,
                ),
                ..Settings::default()
            };
            let got = compute(&vulkan(settings), &corpus, false, &Request::default());
            assert!(got == expected, "{multiply:?}, {num_items} x {dim}");
        }
    }
}

/// Each size that the driver offers, in all shapes; and no subgroup operations at all.
#[test]
fn every_subgroup_size() {
    let corpus = random(251, 17, 1);
    let request = starts(&[0, 250, 17], 0);
    let expected = reference(&corpus, false, &request);
    for forced in subgroup_settings() {
        let subgroup_size = forced.subgroup_size.unwrap_or(8);
        for kernel in [SequenceKernel::Buffer, SequenceKernel::Registers] {
            for (reduction, lanes, texels) in [
                (Reduction::OneSubgroup, subgroup_size, None),
                (Reduction::OneSubgroup, subgroup_size, Some(false)),
                (Reduction::Subgroups, subgroup_size, Some(false)),
                (Reduction::Subgroups, 128, Some(false)),
                (Reduction::Shared, 64, Some(false)),
            ] {
                let settings = Settings {
                    kernel: Some(kernel),
                    reduction: Some(reduction),
                    lanes: Some(lanes),
                    texels,
                    ..forced.clone()
                };
                let shape = format!("{settings:?}");
                assert!(
                    compute(&vulkan(settings), &corpus, false, &request) == expected,
                    "{shape}"
                );
            }
        }
    }
}
