//! How much of the matrix rows need not be read because whole tiles of items are taken: counted on
//! real sequences, for the sizes in which memory is read. `cargo bench --profile measure --bench
//! taken -- [CORPUS.npy]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;

use vkd::{ContextOptions, Request};

const SEQUENCES: u32 = 64;

/// Items, and what reads so many 16-bit contributions at once.
const TILES: [(usize, &str); 5] = [
    (8, "16 bytes: one load of an invocation"),
    (16, "32 bytes: a sector of a GPU's memory"),
    (64, "128 bytes: a cache line of most GPUs"),
    (256, "512 bytes: a load of 32 invocations"),
    (512, "1 KiB: a load of 64 invocations"),
];

fn main() {
    let psalms = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/psalms.npy").to_owned();
    let given = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    for path in [psalms].into_iter().chain(given) {
        let npy = common::npy_at(path.as_ref());
        let n = npy.num_items;
        println!("\n{path}, {n} items, {SEQUENCES} sequences");
        println!("part of a row that is taken whole, mean over all picks");
        println!("{:<40} {:>8} {:>8} {:>8}", "tile", "plain", "centred", "random");
        let starts = (0..SEQUENCES).map(|i| i * (n / SEQUENCES)).collect();
        let request = Request { starts: Some(starts), ..Request::default() };
        let options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
        let [plain, centered] =
            [false, true].map(|center| common::compute(&options, &npy, center, &request));
        for (tile, what) in TILES {
            let percent = |sequences: &[u32]| 100.0 * skipped(sequences, n as usize, tile);
            // Of a random order the last of T items comes after T / (T + 1) of all.
            let random = 100.0 / (tile as f64 + 1.0);
            let (plain, centered) = (percent(&plain), percent(&centered));
            println!("{what:<40} {plain:>7.2}% {centered:>7.2}% {random:>7.2}%");
        }
    }
}

/// The mean over sequences and picks of the tiles whose items are all taken.
fn skipped(sequences: &[u32], n: usize, tile: usize) -> f64 {
    let mut free = 0;
    let mut all = 0;
    for sequence in sequences.chunks(n) {
        let mut last = vec![0; n.div_ceil(tile)];
        for (place, &item) in sequence.iter().enumerate() {
            last[item as usize / tile] = place;
        }
        // A pick at `place` makes the row after it the first that can do without the tile.
        free += last.iter().map(|place| n - 1 - place).sum::<usize>();
        all += last.len() * (n - 1);
    }
    free as f64 / all as f64
}
