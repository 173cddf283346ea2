//! Compiled kernels on the disk: written once, read again, replaced when damaged, and never in the
//! way of a run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{compute, random, reference, vulkan};
use vkd::engine::vulkan::{PipelineCache, Settings};
use vkd::Request;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("vkd-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn run(pipeline_cache: PipelineCache) {
    let corpus = random(67, 5, 1);
    let expected = reference(&corpus, false, &Request::default());
    let options = vulkan(Settings { pipeline_cache, ..Settings::default() });
    assert!(compute(&options, &corpus, false, &Request::default()) == expected);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn it_is_written_once_and_replaced_when_damaged() {
    let folder = folder("kernel-cache");
    // A folder that is not there yet, below another one.
    let place = PipelineCache::At(folder.join("deep"));
    run(place.clone());
    let there = files(&folder.join("deep"));
    let [file] = there.as_slice() else { panic!("{there:?}") };
    let whole = fs::read(file).unwrap();
    let written = fs::metadata(file).unwrap().modified().unwrap();
    run(place.clone());
    assert_eq!(fs::metadata(file).unwrap().modified().unwrap(), written, "written again");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    let damaged = [
        Vec::new(),
        whole[..20].to_vec(),
        flipped(0),
        flipped(13),
        flipped(whole.len() - 1),
        vec![7; 5000],
    ];
    for bytes in damaged {
        fs::write(file, &bytes).unwrap();
        run(place.clone());
        assert_eq!(fs::read(file).unwrap(), whole, "{} bytes were not replaced", bytes.len());
    }
    assert_eq!(files(&folder.join("deep")).len(), 1, "something was left behind");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn off_is_off_and_a_place_that_cannot_be_written_does_no_harm() {
    run(PipelineCache::Off);
    let folder = folder("no-kernel-cache");
    fs::write(&folder, "a file, no folder").unwrap();
    run(PipelineCache::At(folder.join("below")));
    run(PipelineCache::At(folder.clone()));
    assert_eq!(fs::read_to_string(&folder).unwrap(), "a file, no folder");
    fs::remove_file(folder).unwrap();
}
