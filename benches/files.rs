//! How fast embeddings are read from files: JSON in the lengths of numbers that programs write,
//! GloVe, and safetensors of the same. `cargo bench --profile measure --bench files`
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use vkd::embeddings::{Embeddings, OpenOptions, SaveAs};
use vkd::store::OutputFile;

const ITEMS: u32 = 20_000;
const DIM: u32 = 768;

/// Prints the best of three runs.
fn measure(what: &str, path: &Path) -> Embeddings {
    let bytes = std::fs::metadata(path).unwrap().len() as f64;
    let open = || Embeddings::open(path, &OpenOptions::default()).unwrap();
    let seconds = (0..3).map(|_| {
        let begin = Instant::now();
        drop(open());
        begin.elapsed().as_secs_f64()
    });
    let best = seconds.fold(f64::INFINITY, f64::min);
    println!(
        "{what:28} {:7.1} MB {:8.3} s {:7.0} MB/s {:6.1} million values/s",
        bytes / 1e6,
        best,
        bytes / 1e6 / best,
        f64::from(ITEMS) * f64::from(DIM) / 1e6 / best
    );
    open()
}

/// A text with every value as `show` writes it.
fn text(begin: &str, between: &str, end: &str, show: fn(f32) -> String) -> String {
    let (mut text, mut state) = (String::new(), 1_u64);
    for item in 0..ITEMS {
        text += &begin.replace('#', &item.to_string());
        for dimension in 0..DIM {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            let value = (state >> 40) as f32 / (1_u64 << 24) as f32 * 0.2 - 0.1;
            let between = if dimension > 0 { between } else { "" };
            write!(text, "{between}{}", show(value)).unwrap();
        }
        text += end;
    }
    text
}

fn main() {
    let folder = std::env::temp_dir().join(format!("vkd-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("file");
    let line = "{\"id\":\"poem #\",\"embedding\":[";
    let short = |value: f32| value.to_string();
    // As Python writes an f32 that became an f64.
    let long = |value: f32| f64::from(value).to_string();
    for (what, text) in [
        ("JSON Lines, f32 digits", text(line, ",", "]}\n", short)),
        ("JSON Lines, f64 digits", text(line, ", ", "]}\n", long)),
        ("GloVe, 5 digits", text("poem# ", " ", "\n", |value| format!("{value:.5}"))),
    ] {
        std::fs::write(&path, text).unwrap();
        let found = measure(what, &path);
        let saved = folder.join("saved");
        let target = OutputFile { path: saved.clone(), overwrite: true, ids: None };
        found.write(&target, SaveAs::Safetensors).unwrap();
        measure("  the same as safetensors", &saved);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
