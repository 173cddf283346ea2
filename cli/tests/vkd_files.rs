//! `vkd info`, `verify`, `export` and `convert`: what becomes of files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use common::{ended, golden, open, printed, refusal, sequences, to, vkd, Folder};
use serde_json::Value;
use vkd::context::start_export;
use vkd::embeddings::SaveAs;
use vkd::engine::PutSequences;
use vkd::export::{Export, ExportFormat, ExportKeys, Source};
use vkd::plan::Plan;
use vkd::sequence::Sequence;
use vkd::store::{Begun, SequencesFile, SequencesWriter};
use vkd::verify::{coverage, verify, CoverageSample, Sample};
use vkd::{Request, Rule};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn info_says_what_embeddings_are() {
    let folder = Folder::new();
    let found = json(&printed(args!["info", golden("half_1000x48.npy"), "--json"]));
    let expected = r#"{"kind":"embeddings","format":"npy","items":1000,"dim":48,"type":"f16",
        "ids":false}"#;
    assert_eq!(found, json(expected));
    let found = json(&printed(args!["info", folder.poems(), "--json"]));
    assert_eq!((&found["format"], &found["first_ids"][1]), (&"JSON".into(), &"sky".into()));
    let text = printed(args!["info", folder.poems()]);
    assert!(text.contains("first ids  sea, sky, cat\n"), "{text}");
    fs::write(folder.path("raw"), [0_u8; 48]).unwrap();
    let raw = args!["info", folder.path("raw"), "--raw", "f64", "--dim", "3", "--json"];
    let found = json(&printed(raw));
    assert_eq!((&found["items"], &found["type"]), (&2.into(), &"f64".into()));
}

#[test]
fn info_says_what_results_are() {
    let folder = Folder::new();
    let (poems, results) = (folder.poems(), folder.path("results"));
    let line = ["--rule", "mmr", "--length", "4", "--starts", "0,1"];
    let mut command = vkd(args!["order", poems, "-o", results]);
    command.args(line);
    ended(command).printed();
    let found = json(&printed(args!["info", results, "--json"]));
    let file = SequencesFile::open(&results).unwrap();
    let expected = serde_json::json!({
        "kind": "sequences", "rule": "mmr", "lambda": 0.5, "count": 2, "length": 4, "head": 1,
        "values": false, "items": 5, "centered": false, "fingerprint": file.meta().fingerprint,
        "version": file.meta().version, "ids": true, "first_ids": ["sea", "sky", "cat"],
        "complete": true,
    });
    // Windows writes no mapped file.
    drop(file);
    assert_eq!(found, expected);
    printed(args!["neighbors", poems, "-k", "2", "-o", folder.path("near")]);
    let found = json(&printed(args!["info", folder.path("near"), "--json"]));
    assert_eq!((&found["kind"], &found["k"]), (&"neighbors".into(), &2.into()));
    // Damaged results are no embeddings.
    let mut bytes = fs::read(&results).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&results, bytes).unwrap();
    assert!(refusal(1, args!["info", results]).contains("is damaged"));
    let site = folder.path("site");
    assert!(refusal(1, args!["site", results, "-o", site]).contains("is damaged"));
    assert!(!site.exists());
}

#[test]
fn verify_gives_the_numbers_of_the_library() {
    let (folder, corpus) = (Folder::new(), golden("odd_257x7.npy"));
    let results = folder.path("results");
    printed(args!["order", corpus, "-o", results]);
    let line = ["--rows", "3", "--first", "20", "--sequences", "4", "--picks", "9", "--json"];
    let mut command = vkd(args!["verify", results, corpus]);
    command.args(line);
    let found = json(&ended(command).printed());
    let (file, embeddings) = (SequencesFile::open(&results).unwrap(), open(&corpus));
    let (elements, shape) = (embeddings.elements(), embeddings.shape());
    let sample = Sample { sequences: 4, picks: 9 };
    let regrets = verify(&file, elements, shape, sample).unwrap();
    let sample = CoverageSample { rows: 3, first: 20 };
    let covered = coverage(&file, elements, shape, sample).unwrap();
    assert_eq!(found["worst_regret"], regrets.worst_regret);
    assert_eq!(found["mean_regret"], regrets.mean_regret);
    assert_eq!(found["covering_radius"], covered.covering_radius);
    assert_eq!(found["spread"], covered.spread.unwrap());
    assert_eq!(found["fingerprint"], file.meta().fingerprint);
    assert_eq!((&found["covering_rows"], &found["picks_sampled"]), (&3.into(), &36.into()));
    let text = printed(args!["verify", results, corpus]);
    assert!(text.contains("covering radius    0.393380\n"), "{text}");
}

#[test]
fn verify_finds_what_is_wrong() {
    let (folder, corpus) = (Folder::new(), golden("odd_257x7.npy"));
    let (results, near) = (folder.path("results"), folder.path("near"));
    printed(args!["order", corpus, "-o", results]);
    printed(args!["neighbors", corpus, "-k", "3", "-o", near]);
    let right = printed(args!["verify", near, corpus, "--json"]);
    assert_eq!(json(&right)["rows_checked"], 257);
    let other = folder.random("other.npy", 257, 7);
    for file in [&results, &near] {
        let said = refusal(1, args!["verify", file, other]);
        assert!(said.contains("its fingerprint is"), "{said}");
        let said = refusal(1, args!["verify", file, golden("half_1000x48.npy")]);
        assert!(said.contains("its number of items is 257"), "{said}");
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() - 100;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
        assert!(refusal(1, args!["verify", file, corpus]).contains("checksum"));
    }
    assert!(refusal(1, args!["verify", corpus, corpus]).contains("give results that vkd wrote"));
}

#[test]
fn other_ids_are_found() {
    let folder = Folder::new();
    let (poems, results) = (folder.poems(), folder.path("results"));
    printed(args!["order", poems, "-o", results]);
    printed(args!["verify", results, poems]);
    let ids = folder.text("ids", "sea\nsky\nCAT\ndog\n42\n");
    let said = refusal(1, args!["verify", results, poems, "--ids", ids]);
    assert!(said.contains("its id is \"cat\" at item 2"), "{said}");
}

/// A file whose picks are those of another rule, but whose checksums are right.
#[test]
fn wrong_picks_are_found() {
    let (folder, corpus) = (Folder::new(), golden("odd_257x7.npy"));
    let (right, wrong) = (folder.path("right"), folder.path("wrong"));
    printed(args!["order", corpus, "-o", right]);
    let chain = Request { rule: Rule::Chain, ..Request::default() };
    let rows = sequences(&corpus, &chain).items;
    let meta = SequencesFile::open(&right).unwrap().meta().clone();
    let plan = Plan::new(&Request::default(), 257).unwrap();
    let begun = SequencesWriter::begin(&to(&wrong), &meta, &plan).unwrap();
    let Begun::Open(writer, rest) = begun else { panic!("{begun:?}") };
    for (row, items) in rows.chunks(257).enumerate() {
        writer.put(row, Sequence { items, values: &[] }).unwrap();
    }
    writer.finish(rest).unwrap();
    let said = refusal(1, args!["verify", wrong, corpus]);
    assert!(said.contains("has wrong picks, such as place"), "{said}");
    printed(args!["verify", right, corpus]);
    printed(args!["verify", wrong, corpus, "--most-regret", "2"]);
}

fn export(results: &Path, path: &Path, format: ExportFormat, keys: ExportKeys, top: u32) {
    let export = Export { file: to(path), format, keys, top, model: None };
    start_export(Source::open(results).unwrap(), export).unwrap().into_result().unwrap();
}

#[test]
fn exports_are_those_of_the_library() {
    let folder = Folder::new();
    let (poems, results, near) = (folder.poems(), folder.path("results"), folder.path("near"));
    printed(args!["order", poems, "-o", results]);
    printed(args!["neighbors", poems, "-k", "3", "-o", near]);
    let ids = ["sea", "sky", "cat", "dog", "42"].map(String::from).to_vec();
    let cases = [
        (&results, "sequences_bin", ExportFormat::SequencesBin, ExportKeys::Items, 0),
        (&results, "diversity_cache", ExportFormat::DiversityCache, ExportKeys::Ids(ids), 2),
        (&near, "rankings", ExportFormat::Rankings, ExportKeys::Items, 0),
    ];
    for (from, name, format, keys, top) in cases {
        let (ours, theirs) = (folder.path(name), folder.path("theirs").with_extension(name));
        let mut line = args!["export", from, "-o", ours, "--format", name].to_vec();
        if keys != ExportKeys::Items {
            line.extend(args!["--keys", "id", "--top", "2"]);
        }
        assert_eq!(printed(line.clone()), "");
        export(from, &theirs, format, keys, top);
        assert_eq!(fs::read(&ours).unwrap(), fs::read(&theirs).unwrap(), "{name}");
        assert!(refusal(1, line.clone()).contains("--overwrite is not given"), "{name}");
        line.push("--overwrite".into());
        assert_eq!(printed(line), "");
    }
    assert!(refusal(1, args!["export", near, "-o", folder.path("x"), "--format", "sequences_bin"])
        .contains("rankings are of neighbours"));
}

#[test]
fn converted_files_are_those_of_the_library() {
    let folder = Folder::new();
    let poems = folder.poems();
    for (name, format) in [("npy", SaveAs::Npy), ("safetensors", SaveAs::Safetensors)] {
        let (ours, theirs) = (folder.path("ours").with_extension(name), folder.path(name));
        assert_eq!(printed(args!["convert", poems, "-o", ours]), "");
        open(&poems).write(&to(&theirs), format).unwrap();
        let bytes = fs::read(&ours).unwrap();
        assert!(bytes == fs::read(&theirs).unwrap());
        let mut command = vkd(args!["convert", poems, "-o", "-", "--to", name]);
        assert!(command.output().unwrap().stdout == bytes, "{name}");
    }
    let said = refusal(2, args!["convert", poems, "-o", folder.path("poems.txt")]);
    assert!(said.contains("say --to npy"), "{said}");
    let line = args!["convert", poems, "-o", folder.path("ours.safetensors"), "--overwrite"];
    assert_eq!(printed(line), "");
}
