//! Rows of zeros, where they are admitted: items like any other, with the bits of the reference on
//! every engine, by every rule and however rows come; refused by name where they are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{random, Npy};
use vkd::context::{Destination, NeighborsRequest};
use vkd::engine::cpu::{Level, Settings};
use vkd::engine::neighbors::Neighbors;
use vkd::engine::{vulkan, Pairs, RowSource};
use vkd::job::Output;
use vkd::store::{OutputFile, SequencesFile};
use vkd::verify::{verify, Sample};
use vkd::{
    Context, ContextOptions, Elements, Error, Heads, Input, Request, Rule, Sequences, Shape,
    ZeroRows,
};

const ZEROS: [u32; 5] = [0, 63, 64, 100, 149];

/// A corpus with rows of zeros at both ends, beside each other and alone.
fn corpus() -> Npy {
    let mut npy = random(150, 13, 3);
    for item in ZEROS {
        npy.values[item as usize * 13..][..13].fill(0.0);
    }
    npy
}

/// One that has rows of the mean: zeros beside pairs that cancel each other.
fn mirrored() -> Npy {
    let mut npy = random(75, 13, 5);
    let opposite: Vec<f32> = npy.values.iter().map(|value| -value).collect();
    npy.values.extend(opposite);
    npy.values.extend([0.0; 13 * 4]);
    Npy { num_items: 154, ..npy }
}

fn admitted(npy: &Npy, center: bool) -> Input<'_> {
    Input { zero_rows: ZeroRows::Admit, ..npy.input(center) }
}

fn reference() -> Context {
    context("reference", None, None)
}

fn context(device: &str, rows: Option<RowSource>, level: Option<Level>) -> Context {
    let cpu = Settings { rows, level, threads: Some(2), ..Settings::default() };
    let vulkan = vulkan::Settings { rows, ..vulkan::Settings::default() };
    let device = Some(device.into());
    Context::new(&ContextOptions { device, cpu, vulkan, ..ContextOptions::default() }).unwrap()
}

/// Every engine, and every way in which rows come there.
fn contexts() -> Vec<Context> {
    use RowSource::{Cache, Direct, Lazy, Matrix};
    let cpu = [None, Some(Matrix), Some(Cache), Some(Direct), Some(Lazy)];
    let vulkan = [None, Some(Matrix), Some(Cache)];
    let mut all: Vec<Context> = cpu.into_iter().map(|rows| context("cpu", rows, None)).collect();
    all.extend(vulkan.into_iter().map(|rows| context("llvmpipe", rows, None)));
    all.push(context("cpu", Some(Matrix), Some(Level::Portable)));
    all
}

fn requests() -> Vec<Request> {
    let mmr = |lambda| Rule::new("mmr", Some(lambda)).unwrap();
    let rules = [Rule::Centroid, Rule::Farthest, mmr(0.0), mmr(0.6), Rule::Chain];
    let plain = Request { values: true, ..Request::default() };
    let mut all: Vec<Request> =
        rules.into_iter().map(|rule| Request { rule, ..plain.clone() }).collect();
    // Heads of zeros, and of zeros and others.
    for rule in rules {
        let heads = Some(Heads { items: vec![0, 63, 64, 5, 149, 1], length: 3 });
        all.push(Request { heads, rule, ..plain.clone() });
    }
    all
}

fn bits(sequences: &Sequences) -> (Vec<u32>, Vec<u32>) {
    (sequences.items.clone(), sequences.values.iter().map(|value| value.to_bits()).collect())
}

#[test]
fn sequences_have_the_bits_of_the_reference() {
    let (corpus, mirrored, contexts) = (corpus(), mirrored(), contexts());
    for (npy, center) in [(&corpus, false), (&corpus, true), (&mirrored, true)] {
        let input = admitted(npy, center);
        for request in requests() {
            let wanted = bits(&reference().sequences(&input, &request).unwrap());
            for context in &contexts {
                let found = bits(&context.sequences(&input, &request).unwrap());
                let same = found == wanted;
                assert!(same, "{:?}, centred: {center}, {context:?}", request.rule);
            }
        }
    }
}

fn neighbors(
    context: &Context,
    input: Input,
    queries: Option<(Elements, u32)>,
    k: u32,
) -> Result<Neighbors, Error> {
    let request = NeighborsRequest { input, k, queries };
    match context.start_neighbors(&request, Destination::Memory)?.into_result()? {
        Output::Memory(neighbors) => Ok(neighbors),
        Output::File(path) => panic!("{}", path.display()),
    }
}

#[test]
fn neighbors_and_similarities_have_the_bits_of_the_reference() {
    let (corpus, mirrored) = (corpus(), mirrored());
    let mut queries = random(9, 13, 8);
    queries.values[13 * 4..][..13].fill(0.0);
    for (npy, center) in [(&corpus, false), (&corpus, true), (&mirrored, true)] {
        let input = admitted(npy, center);
        let asked = || Some((Elements::F32(&queries.values), 9));
        let own = neighbors(&reference(), input, None, npy.num_items - 1).unwrap();
        let others = neighbors(&reference(), input, asked(), 40).unwrap();
        let pairs = reference().similarity(&input, Pairs::Upper).unwrap();
        for device in ["cpu", "llvmpipe"] {
            let context = context(device, None, None);
            assert_eq!(neighbors(&context, input, None, npy.num_items - 1).unwrap(), own);
            assert_eq!(neighbors(&context, input, asked(), 40).unwrap(), others);
            assert!(context.similarity(&input, Pairs::Upper).unwrap() == pairs, "{device}");
        }
        if !center {
            // All are equally near to a row of zeros: the lowest number first.
            let k = npy.num_items as usize - 1;
            assert!(own.indices[63 * k..][..k].iter().copied().eq((0..150).filter(|&i| i != 63)));
            assert!(own.dots[63 * k..][..k].iter().all(|&dot| dot == 0));
            assert!(others.indices[4 * 40..][..40].iter().copied().eq(0..40));
        }
    }
}

#[test]
fn they_are_refused_by_name_unless_they_are_admitted() {
    let (corpus, mirrored, context) = (corpus(), mirrored(), context("cpu", None, None));
    let error =
        |npy: &Npy, center| context.sequences(&npy.input(center), &Request::default()).unwrap_err();
    assert_eq!(error(&corpus, false), Error::ZeroNorm { item: 0 });
    assert_eq!(error(&mirrored, false), Error::ZeroNorm { item: 150 });
    assert_eq!(error(&mirrored, true), Error::ZeroNormCentered { item: 150 });
    let plain = random(9, 13, 1);
    let zeros = Some((Elements::F32(&[0.0; 13][..]), 1));
    let refused = neighbors(&context, plain.input(false), zeros, 3).unwrap_err();
    assert_eq!(refused, Error::ZeroNorm { item: 0 });
    assert!(neighbors(&context, admitted(&plain, false), zeros, 3).is_ok());
}

/// All rows may be zeros: then every order is by number.
#[test]
fn nothing_but_zeros() {
    let npy = Npy { num_items: 40, dim: 3, values: vec![0.0; 120] };
    for context in [reference(), context("cpu", None, None), context("llvmpipe", None, None)] {
        for request in &requests()[..5] {
            let found = context.sequences(&admitted(&npy, false), request).unwrap();
            assert!(found.items[40..80].iter().copied().eq([1, 0].into_iter().chain(2..40)));
            assert!(found.values.iter().all(|&value| value == 0.0));
        }
    }
}

#[test]
fn files_of_them_can_be_verified() {
    let corpus = corpus();
    let name = format!("vkd-zero-rows-{}", std::process::id());
    let file = OutputFile { path: std::env::temp_dir().join(name), overwrite: true, ids: None };
    let context = context("cpu", None, None);
    for center in [false, true] {
        for request in &requests()[..5] {
            let job = context.start(&admitted(&corpus, center), request, Destination::File(&file));
            job.unwrap().into_result().unwrap();
            let opened = SequencesFile::open(&file.path).unwrap();
            let sample = Sample { sequences: 150, picks: 10 };
            let (elements, shape) = (Elements::F32(&corpus.values), Shape::new(150, 13));
            let report = verify(&opened, elements, shape, sample).unwrap();
            assert!(report.worst_regret < 2e-3, "{:?}: {report:?}", request.rule);
            assert!(report.picks >= 1400, "{report:?}");
        }
    }
    // One row of zeros less.
    let mut other = corpus.values.clone();
    other[13 * 64] = 1.0;
    let opened = SequencesFile::open(&file.path).unwrap();
    let refused = verify(&opened, Elements::F32(&other), Shape::new(150, 13), Sample::default());
    assert!(matches!(refused, Err(Error::OtherEmbeddings { .. })));
    std::fs::remove_file(&file.path).unwrap();
}
