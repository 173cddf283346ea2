//! `vkd site` writes what the library writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use common::{cpu, open, printed, refusal, Folder};
use vkd::context::{start_site_write, NeighborsRequest};
use vkd::site::{Site, Source};
use vkd::{Request, Rule};

/// The files of a folder with their contents.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entry = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|it| entry(it.unwrap())).collect();
    all.sort();
    all
}

fn site_of(folder: &Folder, poems: &Path, name: &str) -> Site {
    let embeddings = open(poems);
    Site {
        directory: Some(folder.path("theirs").join(name)),
        rankings: Some(folder.path("theirs").join(name).with_extension("json")),
        ids: Some(embeddings.ids().unwrap().iter().map(String::from).collect()),
        ..Site::default()
    }
}

#[test]
fn one_line_makes_the_pages_of_similar_and_different_items() {
    let folder = Folder::new();
    let (poems, ours) = (folder.poems(), folder.path("ours"));
    let embeddings = open(&poems);
    let search = NeighborsRequest { input: embeddings.input(), k: 2, queries: None };
    cpu().site(&search, site_of(&folder, &poems, "similar")).unwrap();
    let rule = Rule::Chain;
    let request = Request { length: 3, rule, ..Request::default() };
    let found = cpu().sequences(&embeddings.input(), &request).unwrap();
    let source = Source::Sequences { num_items: 5, length: 3, items: found.items, rule };
    start_site_write(source, site_of(&folder, &poems, "journey")).unwrap().into_result().unwrap();
    let line = args!["site", poems, "-o", ours, "-k", "2", "--rule", "chain", "--rankings"];
    assert_eq!(printed(line), "");
    for list in ["similar", "journey"] {
        let theirs = folder.path("theirs").join(list);
        assert_eq!(files(&ours.join(list)), files(&theirs));
        assert_eq!(files(&theirs).len(), 5);
        let rankings = |folder: &Path| fs::read(folder.join(list).with_extension("json")).unwrap();
        assert_eq!(rankings(&ours), rankings(&folder.path("theirs")));
    }
}

#[test]
fn without_options_pages_have_ten_entries_or_all() {
    let folder = Folder::new();
    let (poems, corpus) = (folder.poems(), folder.random("corpus.npy", 20, 3));
    printed(args!["site", poems, "-o", folder.path("few")]);
    let page = fs::read_to_string(folder.path("few/similar/sea.json")).unwrap();
    assert_eq!(page.matches("similarity").count(), 4);
    printed(args!["site", corpus, "-o", folder.path("ten"), "--only", "similar"]);
    let page = fs::read_to_string(folder.path("ten/similar/19.json")).unwrap();
    assert_eq!(page.matches("similarity").count(), 10);
    assert!(!folder.path("ten/different").exists());
}

#[test]
fn results_that_are_there_become_the_same_pages() {
    let folder = Folder::new();
    let (poems, results) = (folder.poems(), folder.path("results"));
    printed(args!["order", poems, "-o", results, "--length", "3"]);
    printed(args!["site", results, "-o", folder.path("a")]);
    printed(args!["site", poems, "-o", folder.path("b"), "-k", "2", "--only", "sequences"]);
    assert_eq!(files(&folder.path("a/different")), files(&folder.path("b/different")));
    assert_eq!(files(&folder.path("a/different")).len(), 5);
}

#[test]
fn metadata_go_into_the_pages() {
    let folder = Folder::new();
    let (poems, ours) = (folder.poems(), folder.path("ours"));
    let metadata = folder.text("titles", "1\n2\n{\"title\":\"Cat\"}\n4\n5\n");
    printed(args!["site", poems, "-o", ours, "--metadata", metadata]);
    let page = fs::read_to_string(ours.join("different/cat.json")).unwrap();
    assert!(page.contains("\"metadata\":{\"title\":\"Cat\"}"), "{page}");
    folder.text("titles", "1\n2\n");
    let line = args!["site", poems, "-o", folder.path("no"), "--metadata", metadata];
    assert!(refusal(1, line).contains("metadata"));
    assert!(!folder.path("no").exists());
}
