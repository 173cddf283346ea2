//! Parsed embeddings take no more memory than 1.5 times the result, mapped ones next to none. One
//! test in a process of its own, because the system counts the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]
#![cfg(target_os = "linux")]

mod common;

use std::fmt::Write;
use std::path::Path;

use common::embeddings::{bytes_of, npy_of, Folder};
use vkd::embeddings::{Embeddings, OpenOptions};

const ITEMS: usize = 60_000;
const DIM: usize = 256;

/// A line of /proc/self/status in bytes.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// The most memory that opening takes, and the bytes of the values.
fn used(path: &Path) -> f64 {
    // Resets the system's high-water mark.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    let found = Embeddings::open(path, &OpenOptions::default()).unwrap();
    let used = status("VmHWM:").saturating_sub(before);
    assert_eq!(found.shape(), vkd::Shape::new(ITEMS as u32, DIM as u32));
    let (used, result) = (used as f64, (ITEMS * DIM * 4) as f64);
    println!("{}: {:.2} of the result", path.display(), used / result);
    used / result
}

/// A value of an embedding.
fn value(item: usize, dimension: usize) -> f32 {
    ((item * 31 + dimension * 17) % 1009) as f32 / 1009.0 - 0.5
}

/// Items as text, each between `before` and `behind`, with `between` two values.
fn text(before: fn(usize) -> String, between: &str, behind: &str) -> String {
    let mut text = String::new();
    for item in 0..ITEMS {
        text += &before(item);
        for dimension in 0..DIM {
            let between = if dimension > 0 { between } else { "" };
            write!(text, "{between}{}", value(item, dimension)).unwrap();
        }
        text += behind;
    }
    text
}

#[test]
fn no_file_takes_more_memory_than_it_must() {
    let folder = Folder::new();
    let lines = text(|item| format!("{{\"id\":\"{item}\",\"embedding\":["), ", ", "]}\n");
    // Other bytes of the file than those of values: what comes first tells little of all.
    let list =
        format!("{{\"metadata\":{{}},\"embeddings\":[{}]}}", lines.trim().replace('\n', ","));
    let words = text(|item| format!("word{item} "), " ", "\n");
    let parsed =
        [folder.file("lines", &lines), folder.file("list", &list), folder.file("words", &words)];
    drop((lines, list, words));
    for path in &parsed {
        assert!(used(path) < 1.5);
    }
    let values: Vec<f32> = (0..ITEMS * DIM).map(|at| value(at / DIM, at % DIM)).collect();
    let npy = npy_of("<f4", "False", &format!("({ITEMS}, {DIM})"), &bytes_of("f4", &values));
    let mapped = folder.file("npy", &npy);
    drop(npy);
    assert!(used(&mapped) < 0.05);
}
