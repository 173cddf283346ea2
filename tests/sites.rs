//! Files of neighbours and of sites: contents, independence of threads and sources, damage, wrong
//! input, cancelling.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{random, Npy};
use vkd::context::{start_site_write, Destination, NeighborsRequest};
use vkd::engine::neighbors::Neighbors;
use vkd::job::{Job, Output};
use vkd::site::{Site, Source};
use vkd::store::{NeighborsFile, NeighborsRow, OutputFile, SequencesFile};
use vkd::{Context, ContextOptions, Elements, Error, Input, Lambda, Request, Rule};

fn context(device: &str) -> Context {
    Context::new(&ContextOptions { device: Some(device.into()), ..Default::default() }).unwrap()
}

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("vkd-sites-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir(&path).unwrap();
    path
}

fn request(npy: &Npy, k: u32) -> NeighborsRequest<'_> {
    let elements = Elements::F32(&npy.values);
    let (num_items, dim) = (npy.num_items, npy.dim);
    NeighborsRequest { input: Input::new(elements, num_items, dim), k, queries: None }
}

fn end<T: Clone>(job: Job<T>) -> Result<T, Error> {
    let result = job.wait(None).unwrap();
    let progress = job.progress();
    if result.is_ok() {
        assert_eq!(progress.files_done(), progress.files_total());
    }
    result.as_ref().clone()
}

fn neighbors(npy: &Npy, k: u32) -> Neighbors {
    let job = context("cpu").start_neighbors(&request(npy, k), Destination::Memory).unwrap();
    match end(job) {
        Ok(Output::Memory(neighbors)) => neighbors,
        other => panic!("{other:?}"),
    }
}

/// Writes neighbours to a file.
fn write(device: &str, npy: &Npy, k: u32, path: &Path) -> Result<Output<Neighbors>, Error> {
    write_to(device, npy, k, &OutputFile { path: path.to_owned(), overwrite: false, ids: None })
}

fn overwrite(device: &str, npy: &Npy, k: u32, path: &Path) -> Result<Output<Neighbors>, Error> {
    write_to(device, npy, k, &OutputFile { path: path.to_owned(), overwrite: true, ids: None })
}

fn write_to(
    device: &str,
    npy: &Npy,
    k: u32,
    target: &OutputFile,
) -> Result<Output<Neighbors>, Error> {
    end(context(device).start_neighbors(&request(npy, k), Destination::File(target))?)
}

/// All files below a folder by name; none may be a partial one.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.ends_with(".partial"), "{name}");
        (name, std::fs::read(entry.path()).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(entry).collect()
}

fn site(folder: &Path, threads: u32) -> Site {
    let (directory, rankings) = (folder.join("pages"), folder.join("rankings.json"));
    Site {
        directory: Some(directory),
        rankings: Some(rankings),
        threads: Some(threads),
        ..Site::default()
    }
}

/// The bytes of a site.
#[derive(PartialEq)]
struct Written {
    pages: BTreeMap<String, Vec<u8>>,
    rankings: Vec<u8>,
}

/// Reads pages and rankings, then removes the folder.
fn written(folder: &Path) -> Written {
    let pages = files(&folder.join("pages"));
    let rankings = std::fs::read(folder.join("rankings.json")).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    Written { pages, rankings }
}

#[test]
fn a_file_of_neighbors_holds_them_bit_for_bit() {
    let folder = folder("neighbors");
    let npy = random(150, 9, 4);
    let expected = neighbors(&npy, 20);
    let mut bytes = Vec::new();
    for device in ["cpu", "llvmpipe", "reference"] {
        let path = folder.join(device);
        assert_eq!(write(device, &npy, 20, &path), Ok(Output::File(path.clone())));
        let file = NeighborsFile::open(&path).unwrap();
        file.verify().unwrap();
        assert_eq!((file.meta().count, file.meta().k, file.item_bytes()), (150, 20, 2));
        for row in 0..150 {
            let NeighborsRow { items, similarities } = file.row(row).unwrap();
            let begin = row as usize * 20;
            assert!(items.iter().eq(expected.indices[begin..begin + 20].iter().copied()));
            assert!(similarities.iter().copied().eq(expected.similarities().skip(begin).take(20)));
        }
        assert!(file.row(150).is_err());
        bytes.push(std::fs::read(&path).unwrap());
    }
    assert!(bytes.iter().all(|other| *other == bytes[0]), "the bytes depend on the device");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_stays_grows_or_is_refused() {
    let folder = folder("again");
    let path = folder.join("file");
    let (npy, other) = (random(90, 5, 4), random(90, 5, 5));
    write("cpu", &npy, 7, &path).unwrap();
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    write("cpu", &npy, 7, &path).unwrap();
    write("cpu", &npy, 3, &path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before);
    write("cpu", &npy, 12, &path).unwrap();
    assert_eq!(NeighborsFile::open(&path).unwrap().meta().k, 12);
    let error = write("cpu", &other, 3, &path).unwrap_err();
    assert!(matches!(error, Error::FileMismatch { what: "corpus fingerprint", .. }), "{error}");
    overwrite("cpu", &other, 3, &path).unwrap();
    assert_eq!(NeighborsFile::open(&path).unwrap().meta().k, 3);
    let error = SequencesFile::open(&path).unwrap_err();
    assert!(error.to_string().contains("holds neighbours, not sequences"), "{error}");
    let error = write("cpu", &npy, 3, Path::new("/nonexistent/file")).unwrap_err();
    assert!(matches!(error, Error::File { action: "open", .. }), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_cut_and_every_flipped_bit_is_found() {
    let folder = folder("damage");
    let (path, changed) = (folder.join("file"), folder.join("changed"));
    write("cpu", &random(12, 3, 4), 4, &path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let open = |bytes: &[u8]| {
        std::fs::write(&changed, bytes).unwrap();
        NeighborsFile::open(&changed).and_then(|file| file.verify())
    };
    open(&whole).unwrap();
    for length in 0..whole.len() {
        assert!(open(&whole[..length]).is_err(), "{length} bytes");
    }
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&bytes).is_err(), "bit {bit}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// From an engine, from memory, from a file; with one thread and with many: the same bytes.
#[test]
fn the_bytes_of_a_site_depend_on_nothing_but_the_results() {
    let npy = random(130, 6, 9);
    let found = neighbors(&npy, 129);
    let source = || Source::Neighbors {
        k: 129,
        indices: found.indices.clone(),
        similarities: found.similarities().collect(),
    };
    let base = folder("reference");
    end(start_site_write(source(), site(&base, 1)).unwrap()).unwrap();
    let expected_site = written(&base);
    let Written { pages, rankings } = &expected_site;
    assert_eq!(pages.len(), 130);
    let page: serde_json::Value = serde_json::from_slice(&pages["17.json"]).unwrap();
    assert_eq!(page["id"], "17");
    assert!(page.get("metadata").is_none());
    let similar = page["similar"].as_array().unwrap();
    assert_eq!(similar.len(), 129);
    for (place, entry) in similar.iter().enumerate() {
        assert_eq!(entry["id"], found.indices[17 * 129 + place].to_string());
        let expected = found.similarities().nth(17 * 129 + place).unwrap();
        assert!((entry["similarity"].as_f64().unwrap() - f64::from(expected)).abs() <= 5.1e-7);
    }
    let all: serde_json::Value = serde_json::from_slice(rankings).unwrap();
    assert_eq!(all["rankings"][17], serde_json::json!(found.indices[17 * 129..18 * 129]));
    assert_eq!(all["list"], "similar");

    for threads in [1, 2, 7] {
        let again = folder(&format!("memory{threads}"));
        end(start_site_write(source(), site(&again, threads)).unwrap()).unwrap();
        assert!(written(&again) == expected_site, "{threads} threads");
        for device in ["cpu", "llvmpipe", "reference"] {
            let again = folder(&format!("{device}{threads}"));
            let (site, request) = (site(&again, threads), request(&npy, 129));
            end(context(device).start_site(&request, site).unwrap()).unwrap();
            assert!(written(&again) == expected_site, "{device}, {threads}");
        }
    }
    let again = folder("file");
    let path = again.join("file");
    write("cpu", &npy, 129, &path).unwrap();
    end(start_site_write(Source::open(&path).unwrap(), site(&again, 3)).unwrap()).unwrap();
    assert!(written(&again) == expected_site);
}

#[test]
fn sequences_make_pages_of_what_is_different() {
    let npy = random(40, 4, 2);
    let starts = vec![7, 0, 39];
    let rows = common::reference(
        &npy,
        false,
        &Request { starts: Some(starts), length: 9, ..Request::default() },
    );
    let folder = folder("sequences");
    let ids = (0..40).map(|item| format!("poem \u{e9} {item}")).collect();
    let metadata = (0..40).map(|item| format!("{{\"line\":{item}}}")).collect();
    let site = Site { ids: Some(ids), metadata: Some(metadata), top: 5, ..site(&folder, 2) };
    let source =
        Source::Sequences { num_items: 40, length: 9, items: rows.clone(), rule: Rule::Centroid };
    end(start_site_write(source, site).unwrap()).unwrap();
    let Written { pages, rankings } = written(&folder);
    let names: Vec<&str> = pages.keys().map(String::as_str).collect();
    assert_eq!(names, ["poem é 0.json", "poem é 39.json", "poem é 7.json"]);
    let page: serde_json::Value = serde_json::from_slice(&pages["poem é 7.json"]).unwrap();
    assert_eq!(page["metadata"]["line"], 7);
    let different: Vec<String> = rows[1..6].iter().map(|item| format!("poem é {item}")).collect();
    assert_eq!(page["different"], serde_json::json!(different));
    let all: serde_json::Value = serde_json::from_slice(&rankings).unwrap();
    assert_eq!(all["items"], serde_json::json!([7, 0, 39]));
    assert_eq!(all["rankings"][2], serde_json::json!(rows[19..24]));
}

/// From memory and from a file alike.
#[test]
fn lists_are_named_by_their_rule_or_by_the_caller() {
    let npy = random(20, 4, 3);
    for (rule, expected) in [
        (Rule::Centroid, "different"),
        (Rule::Farthest, "scattered"),
        (Rule::Mmr(Lambda::default()), "related"),
        (Rule::Chain, "journey"),
    ] {
        let folder = folder(expected);
        let request = Request { length: 5, rule, ..Request::default() };
        let items = common::reference(&npy, false, &request);
        let path = folder.join("sequences");
        let target = OutputFile { path: path.clone(), overwrite: false, ids: None };
        let (input, to) = (npy.input(false), Destination::File(&target));
        context("cpu").start(&input, &request, to).unwrap().into_result().unwrap();
        for list in [None, Some("contrasts")] {
            let name = list.unwrap_or(expected);
            let write = |source| {
                let list = list.map(str::to_owned);
                let (directory, rankings) = (folder.join("pages"), folder.join("rankings.json"));
                let site = Site { list, ..site(&folder, 2) };
                end(start_site_write(source, site).unwrap()).unwrap();
                let rankings = std::fs::read(rankings).unwrap();
                let pages = files(&directory);
                std::fs::remove_dir_all(directory).unwrap();
                (pages, rankings)
            };
            let items = items.clone();
            let memory = write(Source::Sequences { num_items: 20, length: 5, items, rule });
            assert!(memory == write(Source::open(&path).unwrap()), "{name}: file and memory");
            let page: serde_json::Value = serde_json::from_slice(&memory.0["7.json"]).unwrap();
            assert_eq!(page[name].as_array().unwrap().len(), 4, "{page}");
            assert_eq!(page.as_object().unwrap().len(), 2, "{page}");
            let rankings: serde_json::Value = serde_json::from_slice(&memory.1).unwrap();
            assert_eq!(rankings["list"], name);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn wrong_sites_are_refused_before_any_work() {
    let npy = random(3, 4, 2);
    let folder = folder("wrong");
    let refused = |site: &Site| {
        let result = context("cpu").start_site(&request(&npy, 2), site.clone());
        result.unwrap_err()
    };
    let good = site(&folder, 2);
    let ids = |ids: [&str; 3]| Some(ids.map(String::from).to_vec());
    assert!(refused(&Site::default()).to_string().contains("directory"));
    for list in ["", "id", "metadata", "a\"b"] {
        let error = refused(&Site { list: Some(list.into()), ..good.clone() });
        assert!(matches!(error, Error::BadOption { option: "list", .. }), "{error}");
    }
    let error = refused(&Site { ids: ids(["a", "b/c", "d"]), ..good.clone() });
    assert!(matches!(error, Error::BadId { item: 1, .. }), "{error}");
    let error = refused(&Site { ids: ids(["a", "b", "a"]), ..good.clone() });
    assert!(matches!(error, Error::BadId { item: 2, .. }), "{error}");
    let metadata = Some(vec!["1".into(), "{".into(), "2".into()]);
    let error = refused(&Site { metadata, ..good.clone() });
    assert!(matches!(error, Error::BadMetadata { item: 1, .. }), "{error}");
    assert_eq!(files(&folder).len(), 0);

    let with_queries =
        NeighborsRequest { queries: Some((Elements::F32(&npy.values), 3)), ..request(&npy, 2) };
    let result = context("cpu").start_site(&with_queries, good.clone());
    assert!(matches!(result, Err(Error::BadOption { option: "queries", .. })));
    for items in [vec![0, 1, 0, 2], vec![0, 3]] {
        let source = Source::Sequences { num_items: 3, length: 2, items, rule: Rule::Centroid };
        let error = start_site_write(source, good.clone()).unwrap_err();
        assert!(matches!(error, Error::BadOption { option: "results", .. }), "{error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// What cannot be written is named, and nothing half stays.
#[test]
fn an_error_names_the_file() {
    let npy = random(300, 4, 2);
    let folder = folder("blocked");
    let good = site(&folder, 2);
    std::fs::create_dir_all(folder.join("pages/123.json/in the way")).unwrap();
    for from_engine in [true, false] {
        let job = if from_engine {
            context("cpu").start_site(&request(&npy, 9), good.clone()).unwrap()
        } else {
            let found = neighbors(&npy, 9);
            let similarities = found.similarities().collect();
            start_site_write(
                Source::Neighbors { k: 9, indices: found.indices, similarities },
                good.clone(),
            )
            .unwrap()
        };
        let error = end(job).unwrap_err();
        let Error::NotReplaced { path, .. } = &error else { panic!("{error}") };
        assert!(Path::new(path).ends_with("pages/123.json"), "{error}");
    }
    let names: Vec<String> = std::fs::read_dir(folder.join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.ends_with(".partial")));
    assert!(!folder.join("rankings.json").exists());
    assert!(!folder.join("rankings.json.partial").exists());
    std::fs::write(folder.join("a file"), "").unwrap();
    let under_a_file = Site { directory: Some(folder.join("a file/pages")), ..Site::default() };
    let error = context("cpu").start_site(&request(&npy, 9), under_a_file).unwrap_err();
    assert!(matches!(error, Error::File { action: "create", .. }), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Opening looks at some rows only. What was damaged behind it gets no page: `write` makes a file
/// of 300 rows, in which the byte `at` bytes before the end is one of row 1.
fn damaged_rows_are_found(name: &str, at: usize, write: impl Fn(&Path)) {
    let folder = folder(name);
    let path = folder.join("results");
    write(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.len() - at;
    bytes[place] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let source = Source::open(&path).unwrap();
    let error = end(start_site_write(source, site(&folder, 2)).unwrap()).unwrap_err();
    assert!(matches!(error, Error::BadFile { .. }), "{error}");
    assert!(error.to_string().contains("row 1 does not fit its checksum"), "{error}");
    assert!(!folder.join("rankings.json").exists());
    assert!(!files(&folder.join("pages")).contains_key("1.json"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn damaged_files_of_neighbors_make_no_pages() {
    let npy = random(300, 8, 5);
    damaged_rows_are_found("damaged-neighbors", 299 * 20 * 2 - 8, |path| {
        write("cpu", &npy, 20, path).unwrap();
    });
}

#[test]
fn damaged_files_of_sequences_make_no_pages() {
    let npy = random(300, 8, 5);
    damaged_rows_are_found("damaged-sequences", 299 * 600 - 8, |path| {
        let file = OutputFile { path: path.to_owned(), overwrite: false, ids: None };
        let (input, to) = (npy.input(false), Destination::File(&file));
        let job = context("cpu").start(&input, &Request::default(), to).unwrap();
        job.into_result().unwrap();
    });
}

#[test]
fn a_cancelled_site_ends_and_leaves_whole_files() {
    let npy = random(2500, 16, 2);
    let folder = folder("cancel");
    let site = Site { no_sync: true, ..site(&folder, 2) };
    let job = context("cpu").start_site(&request(&npy, 2499), site).unwrap();
    while job.progress().files_done() < 20 {
        std::thread::yield_now();
    }
    job.cancel();
    assert_eq!(job.wait(None).unwrap().as_ref(), &Err(Error::Cancelled));
    drop(job);
    let pages = files(&folder.join("pages"));
    assert!(pages.len() >= 20 && pages.len() < 2500, "{}", pages.len());
    for page in pages.values().take(50) {
        let page: serde_json::Value = serde_json::from_slice(page).unwrap();
        assert_eq!(page["similar"].as_array().unwrap().len(), 2499);
    }
    assert!(!folder.join("rankings.json").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

/// A limit for files instead of a full disk; in a process of its own, whose name says so.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    if std::env::var_os("VKD_TEST_CHILD").is_none() {
        let test = "a_full_disk_is_an_error_that_names_the_file";
        // Its output goes through a pipe: a log file would be under the limit, too.
        let limited = |command: &mut std::process::Command| {
            command.env("VKD_TEST_CHILD", "1");
        };
        return common::alone(test, limited).unwrap_or_else(|printed| panic!("{printed}"));
    }
    // SAFETY: no handler, the signal is ignored; without it the write fails with EFBIG.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limit = libc::rlimit { rlim_cur: 3000, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a valid struct; only this process is limited.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
    let npy = random(300, 4, 2);
    let folder = folder("full");
    let pages = Site { directory: Some(folder.join("pages")), ..Site::default() };
    let small = Site { top: 20, ..pages.clone() };
    let write =
        |site: &Site| end(context("cpu").start_site(&request(&npy, 299), site.clone()).unwrap());
    write(&small).unwrap();
    let error = write(&pages).unwrap_err();
    let Error::DiskFull { action: "write", path, bytes, .. } = &error else { panic!("{error}") };
    assert!(path.ends_with(".json") && *bytes > 3000, "{error}");
    // What was there before stays whole.
    assert_eq!(files(&folder.join("pages")).len(), 300);
    let error = self::write("cpu", &npy, 299, &folder.join("file")).unwrap_err();
    assert!(matches!(error, Error::DiskFull { action: "create", .. }), "{error}");
    let rankings = Site { rankings: Some(folder.join("rankings.json")), ..Site::default() };
    let error = write(&rankings).unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "only the folder of pages");
    std::fs::remove_dir_all(folder).unwrap();
}
