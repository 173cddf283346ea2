//! Exports: their bytes, sources and threads that change none, damage, what is refused, and what is
//! left where one does not end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};

use common::random;
use serde_json::{json, Value};
use vkd::context::{start_export, Destination, NeighborsRequest};
use vkd::engine::cpu::Settings;
use vkd::export::{Export, ExportFormat, ExportKeys, Source};
use vkd::store::OutputFile;
use vkd::{Context, ContextOptions, Error, Request, Rule};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("vkd-exports-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let names = std::fs::read_dir(&self.0).unwrap().map(name);
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn export(path: &Path, format: ExportFormat) -> Export {
    let file = OutputFile { path: path.to_owned(), overwrite: false, ids: None };
    Export { file, format, keys: ExportKeys::Items, top: 0, model: None }
}

fn write(source: Source, export: &Export) -> Result<Vec<u8>, Error> {
    start_export(source, export.clone())?.into_result()?;
    Ok(std::fs::read(&export.file.path).unwrap())
}

/// Three items and all of their neighbours.
fn three_neighbors() -> Source {
    let indices = vec![2, 1, 0, 2, 0, 1];
    Source::Neighbors { k: 2, indices, similarities: vec![0.5; 6] }
}

fn three_sequences() -> Source {
    let items = vec![0, 1, 2, 1, 2, 0, 2, 0, 1];
    Source::Sequences { num_items: 3, length: 3, items, rule: Rule::Farthest }
}

fn ids() -> ExportKeys {
    ExportKeys::Ids(["sea", "the \"stone\"\n", "h\u{e6}"].map(String::from).to_vec())
}

fn text(source: Source, export: &Export) -> String {
    let text = String::from_utf8(write(source, export).unwrap()).unwrap();
    std::fs::remove_file(&export.file.path).unwrap();
    text
}

#[test]
fn rankings_have_these_bytes() {
    let folder = Folder::new("rankings");
    let plain = export(&folder.join("file"), ExportFormat::Rankings);
    let all = r#"{
  "metadata": {
    "total_poems": 3,
    "algorithm": "gpu_vulkan_parallel_c",
    "format": "pre_sorted_rankings",
    "sort_threads": 1,
    "top_k": 0,
    "description": "Pre-sorted similarity rankings, top-K neighbours per poem (top_k=0 means all)"
  },
  "rankings": {
    "0": [2, 1],
    "1": [0, 2],
    "2": [0, 1]
  }
}
"#;
    assert_eq!(text(three_neighbors(), &plain), all);
    let keys = ExportKeys::Numbers(vec![7, 3, 12]);
    let numbered = text(three_neighbors(), &Export { keys, top: 1, ..plain.clone() });
    let rows = "    \"7\": [12],\n    \"3\": [7],\n    \"12\": [7]\n  }\n}\n";
    assert!(numbered.contains("\"top_k\": 1,") && numbered.ends_with(rows), "{numbered}");
    let named = text(three_neighbors(), &Export { keys: ids(), top: 9, ..plain });
    let rows = "    \"sea\": [\"h\u{e6}\", \"the \\\"stone\\\"\\n\"],\n";
    assert!(named.contains("\"top_k\": 0,") && named.contains(rows), "{named}");
    let read: Value = serde_json::from_str(&named).unwrap();
    assert_eq!(read["rankings"]["the \"stone\"\n"], json!(["sea", "h\u{e6}"]));
}

#[test]
fn diversity_caches_have_these_bytes() {
    let folder = Folder::new("caches");
    let plain = export(&folder.join("file"), ExportFormat::DiversityCache);
    let all = r#"{
  "metadata": {
    "num_poems": 3,
    "num_sequences": 3,
    "algorithm": "farthest",
    "top_k": 3
  },
  "sequences": {
    "0": [0, 1, 2],
    "1": [1, 2, 0],
    "2": [2, 0, 1]
  }
}
"#;
    assert_eq!(text(three_sequences(), &plain), all);
    let model = Some("a \"model\"".to_owned());
    let named = text(three_sequences(), &Export { keys: ids(), top: 2, model, ..plain.clone() });
    let read: Value = serde_json::from_str(&named).unwrap();
    assert_eq!(read["metadata"]["model"], "a \"model\"");
    assert_eq!(read["metadata"]["top_k"], 2);
    assert_eq!(read["sequences"]["h\u{e6}"], json!(["h\u{e6}", "sea"]));
    // Of some starts, and of no full length.
    let items = vec![2, 0, 0, 1];
    let some = Source::Sequences { num_items: 3, length: 2, items, rule: Rule::Centroid };
    let keys = ExportKeys::Numbers(vec![1, 2, 3]);
    let some = text(some, &Export { keys, ..plain });
    assert!(some.contains("\"num_poems\": 3,\n    \"num_sequences\": 2,\n"), "{some}");
    assert!(some.ends_with("    \"3\": [3, 1],\n    \"1\": [1, 2]\n  }\n}\n"), "{some}");
}

#[test]
fn full_sequences_are_plain_numbers() {
    let folder = Folder::new("numbers");
    let export = export(&folder.join("file"), ExportFormat::SequencesBin);
    let bytes = write(three_sequences(), &export).unwrap();
    let expected: Vec<u8> =
        [3u32, 0, 1, 2, 1, 2, 0, 2, 0, 1].iter().flat_map(|n| n.to_le_bytes()).collect();
    assert_eq!(bytes, expected);
}

/// From memory and from files that were computed with one thread and with several.
#[test]
fn neither_source_nor_threads_change_a_byte() {
    let folder = Folder::new("threads");
    let npy = random(120, 6, 3);
    let items = common::reference(&npy, false, &Request::default());
    let memory = || Source::Sequences {
        num_items: 120,
        length: 120,
        items: items.clone(),
        rule: Rule::Centroid,
    };
    let formats = [ExportFormat::DiversityCache, ExportFormat::SequencesBin];
    let expected = formats.map(|format| {
        let path = folder.join(&format!("{format:?}"));
        write(memory(), &export(&path, format)).unwrap()
    });
    let read: Value = serde_json::from_slice(&expected[0]).unwrap();
    assert_eq!(read["sequences"]["17"], json!(items[17 * 120..18 * 120]));
    let mut rankings: Vec<Vec<u8>> = Vec::new();
    for threads in [1, 2, 4] {
        let options = ContextOptions {
            device: Some("cpu".into()),
            cpu: Settings { threads: Some(threads), ..Default::default() },
            ..Default::default()
        };
        let context = Context::new(&options).unwrap();
        let target =
            |name: &str| OutputFile { path: folder.join(name), overwrite: true, ids: None };
        let (sequences, neighbors) = (target("sequences"), target("neighbors"));
        let to = Destination::File(&sequences);
        let input = npy.input(false);
        context.start(&input, &Request::default(), to).unwrap().into_result().unwrap();
        let request = NeighborsRequest { input, k: 20, queries: None };
        let to = Destination::File(&neighbors);
        context.start_neighbors(&request, to).unwrap().into_result().unwrap();
        for (format, expected) in formats.into_iter().zip(&expected) {
            let path = folder.join(&format!("{format:?} {threads}"));
            let source = Source::open(&sequences.path).unwrap();
            assert!(write(source, &export(&path, format)).unwrap() == *expected, "{threads}");
        }
        let path = folder.join(&format!("rankings {threads}"));
        let source = Source::open(&neighbors.path).unwrap();
        rankings.push(write(source, &export(&path, ExportFormat::Rankings)).unwrap());
    }
    assert!(rankings.iter().all(|other| *other == rankings[0]));
}

#[test]
fn what_a_format_cannot_hold_is_refused_before_any_work() {
    let folder = Folder::new("refused");
    let plain = |format| export(&folder.join("file"), format);
    let (cache, rankings, numbers) = (
        plain(ExportFormat::DiversityCache),
        plain(ExportFormat::Rankings),
        plain(ExportFormat::SequencesBin),
    );
    let sequences = |length, items: &[u32]| Source::Sequences {
        num_items: 3,
        length,
        items: items.to_vec(),
        rule: Rule::Centroid,
    };
    let texts = |ids: &[&str]| ExportKeys::Ids(ids.iter().map(|&id| id.to_owned()).collect());
    let long = Some("x".repeat(257));
    let model = Some("m".to_owned());
    for (source, export, told) in [
        (three_neighbors(), cache.clone(), "format is diversity_cache; it is made of sequences"),
        (three_neighbors(), numbers.clone(), "format is sequences_bin; it is made of sequences"),
        (three_sequences(), rankings.clone(), "format is rankings; they are made of neighbours"),
        (sequences(2, &[0, 1, 1, 0, 2, 0]), numbers.clone(), "sequences of 2 of 3 items"),
        (sequences(3, &[0, 1, 2, 1, 0, 2]), numbers.clone(), "sequences from some items"),
        (sequences(3, &[0, 1, 2, 2, 0, 1, 1, 0, 2]), numbers.clone(), "from some items"),
        (three_sequences(), Export { top: 2, ..numbers.clone() }, "top is 2"),
        (three_sequences(), Export { keys: ids(), ..numbers.clone() }, "keys is set"),
        (three_sequences(), Export { model: model.clone(), ..numbers }, "model is \"m\""),
        (three_neighbors(), Export { model, ..rankings.clone() }, "only a diversity cache"),
        (three_sequences(), Export { model: long, ..cache.clone() }, "it may have 256 bytes"),
        (
            three_sequences(),
            Export { keys: texts(&["a", "b"]), ..cache.clone() },
            "the number of ids is 2; there must be one for each of the 3 items",
        ),
        (
            three_sequences(),
            Export { keys: texts(&["b", "a", "b"]), ..cache.clone() },
            "an id is \"b\"; two items have it",
        ),
        (
            three_sequences(),
            Export { keys: ExportKeys::Numbers(vec![5, 7, 7]), ..cache.clone() },
            "a number is 7; two items have it",
        ),
        (
            three_sequences(),
            Export { keys: ExportKeys::Numbers(vec![5]), ..cache.clone() },
            "the number of numbers is 1",
        ),
        (sequences(2, &[0, 1, 0, 2]), cache.clone(), "two rows begin with item 0"),
        (sequences(2, &[0, 3]), cache, "number 3 at place 1 is no item"),
        (
            Source::Neighbors { k: 1, indices: vec![1, 0, 9], similarities: vec![0.5; 3] },
            rankings,
            "number 9 at place 2 is no item",
        ),
    ] {
        let error = start_export(source, export).unwrap_err();
        assert!(matches!(error, Error::BadOption { .. }), "{error}");
        assert!(error.to_string().contains(told), "{error} does not say: {told}");
    }
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

/// Only a file of the same shape, and only when that is asked for.
#[test]
fn only_files_of_the_same_shape_are_replaced() {
    let folder = Folder::new("replaced");
    let path = folder.join("file");
    let refused = |source, export: &Export, told: &str| {
        let error = start_export(source, export.clone()).unwrap_err();
        assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
        assert!(error.to_string().contains(told), "{error} does not say: {told}");
    };
    let replacing = |format| {
        let plain = export(&path, format);
        let file = OutputFile { overwrite: true, ..plain.file.clone() };
        (Export { file, ..plain.clone() }, plain)
    };
    let (cache, plain_cache) = replacing(ExportFormat::DiversityCache);
    let (rankings, plain_rankings) = replacing(ExportFormat::Rankings);
    let (numbers, plain_numbers) = replacing(ExportFormat::SequencesBin);

    let bytes = write(three_sequences(), &plain_cache).unwrap();
    refused(three_sequences(), &plain_cache, "it is there already");
    refused(three_neighbors(), &rankings, "not hold rankings in the older shape");
    refused(three_sequences(), &numbers, "its size is not that");
    assert_eq!(write(three_sequences(), &cache).unwrap(), bytes);
    // As a script wrote it.
    std::fs::write(&path, "{\"metadata\": {\"num_poems\": 9},\n\"sequences\": {\"0\": []}}")
        .unwrap();
    assert_eq!(write(three_sequences(), &cache).unwrap(), bytes);

    std::fs::remove_file(&path).unwrap();
    let bytes = write(three_neighbors(), &plain_rankings).unwrap();
    refused(three_neighbors(), &plain_rankings, "it is there already");
    refused(three_sequences(), &cache, "no diversity cache");
    assert_eq!(write(three_neighbors(), &rankings).unwrap(), bytes);

    std::fs::remove_file(&path).unwrap();
    let bytes = write(three_sequences(), &plain_numbers).unwrap();
    refused(three_sequences(), &plain_numbers, "it is there already");
    assert_eq!(write(three_sequences(), &numbers).unwrap(), bytes);
    for foreign in [&bytes[..39], &[&bytes[..], b"!"].concat(), b"my notes", b""] {
        std::fs::write(&path, foreign).unwrap();
        refused(three_sequences(), &numbers, "its size is not that");
        refused(three_sequences(), &cache, "no diversity cache");
        refused(three_neighbors(), &rankings, "not hold rankings in the older shape");
        assert_eq!(std::fs::read(&path).unwrap(), foreign);
    }
    assert_eq!(folder.names(), ["file"]);
}

/// Opening looks at some rows only. What is damaged behind it ends the export, which leaves nothing
/// but what was there.
#[test]
fn damaged_rows_end_the_export() {
    let folder = Folder::new("damaged");
    let npy = random(300, 8, 5);
    let context = ContextOptions { device: Some("cpu".into()), ..Default::default() };
    let context = Context::new(&context).unwrap();
    let target = |name: &str| OutputFile { path: folder.join(name), overwrite: false, ids: None };
    let (sequences, neighbors) = (target("sequences"), target("neighbors"));
    let (input, to) = (npy.input(false), Destination::File(&sequences));
    context.start(&input, &Request::default(), to).unwrap().into_result().unwrap();
    let request = NeighborsRequest { input, k: 20, queries: None };
    let to = Destination::File(&neighbors);
    context.start_neighbors(&request, to).unwrap().into_result().unwrap();
    for (path, at, formats) in [
        (
            &sequences.path,
            299 * 600 - 8,
            &[ExportFormat::DiversityCache, ExportFormat::SequencesBin][..],
        ),
        (&neighbors.path, 299 * 40 - 8, &[ExportFormat::Rankings]),
    ] {
        let mut bytes = std::fs::read(path).unwrap();
        let place = bytes.len() - at;
        bytes[place] ^= 1;
        std::fs::write(path, bytes).unwrap();
        for &format in formats {
            let export = export(&folder.join("file"), format);
            let error = write(Source::open(path).unwrap(), &export).unwrap_err();
            assert!(matches!(error, Error::BadFile { .. }), "{error}");
            assert!(error.to_string().contains("row 1 does not fit its checksum"), "{error}");
        }
    }
    assert_eq!(folder.names(), ["neighbors", "sequences"]);
}

#[test]
fn a_cancelled_export_leaves_nothing() {
    let folder = Folder::new("cancelled");
    let n = 4000;
    for format in [ExportFormat::DiversityCache, ExportFormat::SequencesBin] {
        let items = (0..n * n).map(|place| (place / n + place % n) % n).collect();
        let source = Source::Sequences { num_items: n, length: n, items, rule: Rule::Centroid };
        let export = export(&folder.join("file"), format);
        let job = start_export(source, export).unwrap();
        while job.progress().rows_written() < 20 {
            std::thread::yield_now();
        }
        job.cancel();
        assert_eq!(job.wait(None).unwrap().as_ref(), &Err(Error::Cancelled));
        let progress = job.progress();
        assert_eq!((progress.files_done(), progress.files_total()), (0, 1));
        drop(job);
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
}
