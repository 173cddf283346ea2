//! `vkd neighbors` and `vkd similarity` give what the library gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;

use common::{cpu, golden, lines, open, printed, refusal, to, Folder};
use serde_json::Value;
use vkd::context::{Destination, NeighborsRequest};
use vkd::engine::Pairs;
use vkd::Elements;

#[test]
fn neighbors_are_printed_a_line_each() {
    let corpus = golden("odd_257x7.npy");
    let embeddings = open(&corpus);
    let search = NeighborsRequest { input: embeddings.input(), k: 5, queries: None };
    let expected = cpu().neighbors(&search).unwrap();
    assert_eq!(printed(args!["neighbors", corpus, "-k", "5"]), lines(&expected.indices, 5));
    let values: Vec<f32> = expected.similarities().collect();
    let out = printed(args!["neighbors", corpus, "-k", "5", "--json"]);
    for (number, line) in out.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        let found = row["similarities"].as_array().unwrap().iter();
        let found: Vec<f32> = found.map(|value| value.as_f64().unwrap() as f32).collect();
        assert_eq!(found, values[number * 5..][..5]);
    }
    assert!(refusal(2, args!["neighbors", corpus, "-k", "50"]).contains("-o"));
    assert_eq!(printed(args!["neighbors", corpus, "-k", "50", "-o", "-"]).lines().count(), 257);
}

#[test]
fn queries_have_ids_of_items_as_their_neighbours() {
    let folder = Folder::new();
    let (poems, queries) = (folder.poems(), folder.text("queries.json", "[[1, 0, 0], [0, 0, 2]]"));
    let line = args!["neighbors", poems, "-k", "1", "--queries", queries];
    assert_eq!(printed(line), "sea\n42\n");
    let wrong = folder.text("wrong.json", "[[1, 0], [0, 2]]");
    let said = refusal(1, args!["neighbors", poems, "-k", "1", "--queries", wrong]);
    assert!(said.contains("2 dimensions, the items 3"), "{said}");
    assert!(refusal(1, args!["neighbors", poems, "-k", "5"]).contains("only 4 other items"));
}

#[test]
fn a_file_of_neighbours_is_the_librarys_to_the_byte() {
    let folder = Folder::new();
    let (poems, ours, theirs) = (folder.poems(), folder.path("ours"), folder.path("theirs"));
    let embeddings = open(&poems);
    let search = NeighborsRequest { input: embeddings.input(), k: 3, queries: None };
    let mut file = to(&theirs);
    file.ids = embeddings.ids().cloned();
    cpu().start_neighbors(&search, Destination::File(&file)).unwrap().into_result().unwrap();
    for _ in 0..2 {
        assert_eq!(printed(args!["neighbors", poems, "-k", "3", "-o", ours]), "");
        assert!(fs::read(&ours).unwrap() == fs::read(&theirs).unwrap());
    }
}

#[test]
fn similarities_are_a_matrix_in_text_or_npy() {
    let (folder, corpus) = (Folder::new(), golden("odd_257x7.npy"));
    let expected = cpu().similarity(&open(&corpus).input(), Pairs::All).unwrap();
    let npy = folder.path("all.npy");
    assert_eq!(printed(args!["similarity", corpus, "-o", npy]), "");
    let written = open(&npy);
    let Elements::F32(values) = written.elements() else { panic!("no floats") };
    assert_eq!(values, expected);
    let text = |values: &[f32], columns: usize| -> String {
        let row =
            |row: &[f32]| row.iter().map(f32::to_string).collect::<Vec<_>>().join("\t") + "\n";
        values.chunks(columns).map(row).collect()
    };
    assert_eq!(printed(args!["similarity", corpus, "-o", "-"]), text(&expected, 257));
    assert!(refusal(2, args!["similarity", corpus]).contains("257 rows of 257"));
    // An npy file is never replaced.
    assert!(refusal(1, args!["similarity", corpus, "-o", npy]).contains("is not replaced"));
}

#[test]
fn similarities_between_two_files_are_those_within_one() {
    let folder = Folder::new();
    let poems = folder.poems();
    let within = cpu().similarity(&open(&poems).input(), Pairs::All).unwrap();
    let two = folder.text("two.json", "[[-0.9, 0.1, 0.2], [1, 0, 0.1]]");
    // Rows are the two, which are the dog and the sea.
    let out = printed(args!["similarity", two, poems]);
    let rows: Vec<Vec<f32>> = out
        .lines()
        .map(|row| row.split('\t').map(|number| number.parse().unwrap()).collect())
        .collect();
    assert_eq!(rows, [&within[15..20], &within[..5]]);
}
