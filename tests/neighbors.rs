//! Neighbours: the golden cases and the reference, bit for bit, and wrong input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{random, Npy};
use vkd::context::{Destination, NeighborsRequest};
use vkd::engine::cpu::{Level, Settings};
use vkd::engine::neighbors::{similarity, Neighbors, QueryShape};
use vkd::engine::vulkan;
use vkd::engine::Pairs;
use vkd::job::Output;
use vkd::progress::Phase;
use vkd::store::OutputFile;
use vkd::{Bytes, Context, ContextOptions, Elements, Error, Input, Request};

fn cpu(level: Option<Level>, threads: u32) -> Context {
    let cpu = Settings { level, threads: Some(threads), ..Settings::default() };
    Context::new(&ContextOptions { device: Some("cpu".into()), cpu, ..Default::default() }).unwrap()
}

fn llvmpipe(vulkan: vulkan::Settings) -> Context {
    Context::new(&ContextOptions { device: Some("llvmpipe".into()), vulkan, ..Default::default() })
        .unwrap()
}

fn reference() -> Context {
    Context::new(&ContextOptions { device: Some("reference".into()), ..Default::default() })
        .unwrap()
}

fn find(
    context: &Context,
    npy: &Npy,
    center: bool,
    k: u32,
    queries: Option<&Npy>,
) -> Result<Neighbors, Error> {
    let queries = queries.map(|queries| (Elements::F32(&queries.values), queries.num_items));
    let (num_items, dim) = (npy.num_items, npy.dim);
    let elements = Elements::F32(&npy.values);
    let request = NeighborsRequest {
        input: Input { center, ..Input::new(elements, num_items, dim) },
        k,
        queries,
    };
    let job = context.start_neighbors(&request, Destination::Memory)?;
    match job.wait(None).unwrap().as_ref() {
        Ok(Output::Memory(neighbors)) => {
            assert_eq!(job.progress().steps_done(), job.progress().steps_total());
            Ok(neighbors.clone())
        }
        Ok(_) => panic!("another result"),
        Err(error) => Err(error.clone()),
    }
}

#[test]
fn golden_cases() {
    let mut checked = 0;
    for case in common::golden() {
        for center in [false, true] {
            for (k, expected) in case.neighbor_hashes(center) {
                let large = case.npy.num_items > 2000;
                let contexts = [cpu(None, 2), llvmpipe(Default::default()), reference()];
                for context in contexts.iter().take(if large && center { 2 } else { 3 }) {
                    let found = find(context, &case.npy, center, k, None).unwrap();
                    assert_eq!(common::sha256(&found.indices), expected, "{}, k {k}", case.name);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn every_level_and_shape_agrees_with_the_reference() {
    let sizes = [(2, 1), (17, 3), (64, 8), (65, 7), (200, 31), (333, 64)];
    for (at, (items, dim)) in sizes.into_iter().enumerate() {
        let npy = random(items, dim, 40 + at as u64);
        let queries = random(1 + items / 2, dim, 90 + at as u64);
        for k in [1, 2, 10, items / 2, items - 1] {
            if k == 0 || k >= items {
                continue;
            }
            let center = at % 2 == 1;
            let expected = find(&reference(), &npy, center, k, None).unwrap();
            let expected_queries = find(&reference(), &npy, center, k, Some(&queries)).unwrap();
            for level in Level::available() {
                for threads in [1, 2, 5] {
                    let context = cpu(Some(level), threads);
                    let what = format!("{items} x {dim}, k {k}, {level:?}, {threads} threads");
                    assert!(find(&context, &npy, center, k, None).unwrap() == expected, "{what}");
                    let found = find(&context, &npy, center, k, Some(&queries)).unwrap();
                    assert!(found == expected_queries, "{what}, queries");
                }
            }
        }
    }
}

/// Both ways through the kernel that searches, several slabs, several blocks, staging, every read.
#[test]
fn vulkan_agrees_with_the_reference() {
    let sizes = [(2, 1), (67, 5), (301, 17), (1000, 9)];
    for (at, (items, dim)) in sizes.into_iter().enumerate() {
        let npy = random(items, dim, 140 + at as u64);
        let queries = random(1 + items / 2, dim, 190 + at as u64);
        let (row, center) = (u64::from(dim.div_ceil(8)) * 16, at % 2 == 1);
        let settings = [
            vulkan::Settings::default(),
            vulkan::Settings {
                force_staging: true,
                texels: Some(false),
                // Slabs of some 100 rows, and blocks of few queries.
                max_binding_bytes: Some((100 * row).max(4 * u64::from(items + 3) * 8)),
                ..Default::default()
            },
        ];
        for settings in settings {
            let context = llvmpipe(settings);
            for k in [1, 2, 10, items / 2, items - 1] {
                if k == 0 || k >= items {
                    continue;
                }
                for queries in [None, Some(&queries)] {
                    let expected = find(&reference(), &npy, center, k, queries).unwrap();
                    let found = find(&context, &npy, center, k, queries).unwrap();
                    assert!(found == expected, "{items} x {dim}, k {k}, {}", queries.is_some());
                }
            }
        }
    }
}

/// As many items as need more lanes than a subgroup has: the loops of fewer would pass llvmpipe's
/// budget.
#[test]
fn vulkan_finds_neighbors_among_a_hundred_thousand() {
    let (npy, queries) = (random(100_000, 4, 3), random(3, 4, 8));
    for k in [10, 3000, 100_000] {
        let expected = find(&cpu(None, 2), &npy, false, k, Some(&queries)).unwrap();
        let found = find(&llvmpipe(Default::default()), &npy, false, k, Some(&queries)).unwrap();
        assert!(found == expected, "k {k}");
    }
}

/// More equal items than are ordered by comparing.
#[test]
fn vulkan_orders_a_thousand_equal_items() {
    let values = [1.0f32, 2.0, 2.0].repeat(1000);
    let npy = Npy { num_items: 1000, dim: 3, values };
    let found = find(&llvmpipe(Default::default()), &npy, false, 5, None).unwrap();
    for (item, row) in found.indices.chunks(5).enumerate() {
        let expected: Vec<u32> = (0..6).filter(|&other| other != item as u32).take(5).collect();
        assert_eq!(row, expected);
    }
}

/// So many that the nearest of all rows are not kept at once.
#[test]
fn all_neighbors_of_thousands() {
    let npy = random(4500, 5, 3);
    let found = find(&cpu(None, 2), &npy, false, 4499, None).unwrap();
    for row in [0u32, 63, 64, 2000, 4499] {
        let range = row as usize * 4499..(row as usize + 1) * 4499;
        let (indices, dots) = (&found.indices[range.clone()], &found.dots[range]);
        let ordered = |pair: [(i32, u32); 2]| {
            pair[0].0 > pair[1].0 || pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1
        };
        let pairs: Vec<(i32, u32)> = dots.iter().copied().zip(indices.iter().copied()).collect();
        assert!(pairs.windows(2).all(|pair| ordered([pair[0], pair[1]])));
        let mut sorted = indices.to_vec();
        sorted.push(row);
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..4500));
    }
}

#[test]
fn an_item_is_its_own_nearest_as_a_query() {
    let npy = common::npy("odd_257x7.npy");
    let found = find(&cpu(None, 2), &npy, false, 1, Some(&npy)).unwrap();
    assert!(found.similarities().all(|similarity| similarity > 0.9999));
    assert_eq!(similarity(32767 * 32767), 1.0);
    assert_eq!(similarity(0), 0.0);
}

#[test]
fn similarities_of_all_pairs() {
    for (items, dim) in [(1, 3), (2, 1), (67, 5), (200, 33)] {
        let npy = random(items, dim, 300);
        let all = |context: &Context, upper| {
            let elements = Elements::F32(&npy.values);
            let job = context.start_similarity(&Input::new(elements, items, dim), upper).unwrap();
            let result = job.wait(None).unwrap();
            assert_eq!(job.progress().steps_done(), job.progress().steps_total());
            result.as_ref().clone().unwrap()
        };
        let staged = vulkan::Settings {
            force_staging: true,
            max_binding_bytes: Some(8 * 4 * u64::from(items + 3)),
            ..Default::default()
        };
        let expected = all(&reference(), Pairs::All);
        let n = items as usize;
        assert_eq!(expected.len(), n * n);
        for context in [cpu(None, 2), llvmpipe(Default::default()), llvmpipe(staged)] {
            assert!(
                all(&context, Pairs::All) == expected,
                "{items} x {dim}, {:?}",
                context.info().name
            );
            let upper = all(&context, Pairs::Upper);
            assert_eq!(upper.len(), n * (n - 1) / 2);
            for i in 0..n {
                assert!((expected[i * n + i] - 1.0).abs() < 1e-3);
                for j in i + 1..n {
                    assert_eq!(upper[i * n - i * (i + 1) / 2 + j - i - 1], expected[i * n + j]);
                    assert_eq!(expected[j * n + i], expected[i * n + j]);
                }
            }
        }
    }
}

#[test]
fn the_plan_says_what_is_checked() {
    let shape = QueryShape { num_items: 1000, dim: 20, num_rows: 1000, own: true, k: 999 };
    for context in [cpu(None, 2), llvmpipe(Default::default()), reference()] {
        let plan = context.plan_neighbors(&shape, Destination::Memory).unwrap();
        assert_eq!((plan.rows, plan.steps, plan.output_bytes.get()), (1000, 1_000_000, 7_992_000));
        assert!(plan.host_bytes >= plan.output_bytes + Bytes::new(1000 * 42), "{plan:?}");
        let target = OutputFile { path: "never written".into(), overwrite: false, ids: None };
        let in_file = context.plan_neighbors(&shape, Destination::File(&target)).unwrap();
        // Of a file the checksums of the rows are held until it is finished.
        let held = Bytes::new(7_992_000 - 8000);
        assert_eq!(in_file.host_bytes + held, plan.host_bytes);
        let error = context
            .plan_neighbors(&QueryShape { k: 1000, ..shape }, Destination::Memory)
            .unwrap_err();
        assert_eq!(error, Error::TooManyNeighbors { k: 1000, others: 999 });
    }
    let options = ContextOptions {
        device: Some("cpu".into()),
        memory_limit: Some(1 << 20),
        ..Default::default()
    };
    let context = Context::new(&options).unwrap();
    assert!(matches!(
        context.plan_neighbors(&shape, Destination::Memory),
        Err(Error::TooLarge { .. })
    ));
    let npy = random(1000, 20, 5);
    assert!(matches!(find(&context, &npy, false, 999, None), Err(Error::TooLarge { .. })));
}

#[test]
fn wrong_input_is_an_error() {
    let npy = random(20, 3, 1);
    let context = cpu(None, 2);
    let error = |k, queries: Option<&Npy>| find(&context, &npy, false, k, queries).unwrap_err();
    assert_eq!(error(0, None), Error::ZeroSize { name: "k" });
    assert_eq!(error(20, None), Error::TooManyNeighbors { k: 20, others: 19 });
    let same = random(4, 3, 2);
    assert_eq!(error(21, Some(&same)), Error::TooManyNeighbors { k: 21, others: 20 });
    assert!(find(&context, &npy, false, 20, Some(&same)).is_ok());
    let mut broken = random(4, 3, 2);
    broken.values[7] = f32::NAN;
    assert_eq!(error(2, Some(&broken)), Error::NotFinite { item: 2, dimension: 1, value: "a NaN" });
}

/// Rows are rounded to 15 bits, so at 65,536 equal dimensions a dot product is 1.000061 of a whole
/// one: what is reported stays within -1 to 1, in memory, in files and in pages.
#[test]
fn similarities_stay_within_one() {
    let (dim, items) = (65_536, 4);
    let values: Vec<f32> =
        (0..items * dim).map(|at| if at / dim == 3 { -1.0 } else { 1.0 }).collect();
    let npy = Npy { num_items: items, dim, values };
    let folder = std::env::temp_dir().join(format!("vkd-clamp-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let expected = [1.0, 1.0, -1.0];
    for context in [cpu(None, 2), reference(), llvmpipe(vulkan::Settings::default())] {
        let found = find(&context, &npy, false, 3, None).unwrap();
        assert_eq!(found.similarities().take(3).collect::<Vec<f32>>(), expected);
        assert!(found.dots[0] > 32767 * 32767, "the case has lost its point");
        let all = context.similarity(&npy.input(false), Pairs::All).unwrap();
        assert_eq!(all[..4], [1.0, 1.0, 1.0, -1.0]);
    }
    let (file, page) = (folder.join("neighbors"), folder.join("0.json"));
    let request = NeighborsRequest { input: npy.input(false), k: 3, queries: None };
    let target = OutputFile { path: file.clone(), overwrite: false, ids: None };
    let context = cpu(None, 2);
    let job = context.start_neighbors(&request, Destination::File(&target)).unwrap();
    job.into_result().unwrap();
    let row = vkd::store::NeighborsFile::open(&file).unwrap();
    assert_eq!(row.row(0).unwrap().similarities, expected);
    let site = vkd::site::Site { directory: Some(folder.clone()), ..Default::default() };
    context.site(&request, site.clone()).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("-1") && !page.contains("1.00006"), "{page}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// While a run keeps the engine busy, one over the limit is refused as it is asked for: nothing is
/// prepared, no file begun.
#[test]
fn what_is_over_the_limit_is_refused_while_another_run_works() {
    let options = ContextOptions {
        device: Some("cpu".into()),
        memory_limit: Some(30_000_000),
        cpu: Settings { threads: Some(1), ..Settings::default() },
        ..Default::default()
    };
    let context = Context::new(&options).unwrap();
    let npy = random(3000, 8, 4);
    let input = npy.input(false);
    let request = Request { length: 400, ..Request::default() };
    let busy = context.start(&input, &request, Destination::Memory).unwrap();
    while busy.progress().seconds(Phase::Matrix) == 0.0 {
        std::thread::yield_now();
    }
    // 72 MB of results, 144 MB while they are searched.
    let search = NeighborsRequest { input, k: 2999, queries: None };
    let path = std::env::temp_dir().join(format!("vkd-busy-{}", std::process::id()));
    let target = OutputFile { path: path.clone(), overwrite: true, ids: None };
    let too_large = |error| matches!(error, Some(Error::TooLarge { .. }));
    assert!(too_large(context.start_neighbors(&search, Destination::Memory).err()));
    assert!(too_large(context.start_neighbors(&search, Destination::File(&target)).err()));
    assert!(too_large(context.start_similarity(&input, Pairs::All).err()));
    let all = Request::default();
    assert!(too_large(context.start(&input, &all, Destination::Memory).err()));
    assert!(busy.result().is_none(), "the run was too short for this test");
    assert!(!path.exists() && !path.with_extension("partial").exists());
    // What fits waits for its turn.
    let search = NeighborsRequest { k: 3, ..search };
    let job = context.start_neighbors(&search, Destination::Memory).unwrap();
    busy.cancel();
    job.into_result().unwrap();
}
