//! The examples of docs/command.md do what they say, in a folder with the files that they name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(unix)]

mod common;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Ended, Folder};

#[test]
fn the_examples_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/command.md")).unwrap();
    let folder = Folder::new();
    folder.poems();
    folder.random("corpus.npy", 150, 8);
    folder.text("queries.json", "[[1, 0, 0], [0, 0, 1]]");
    let blocks: Vec<&str> =
        page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 4);
    let programs = Path::new(env!("CARGO_BIN_EXE_vkd")).parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap();
    let path = env::join_paths([programs].into_iter().chain(env::split_paths(&path))).unwrap();
    for block in blocks {
        let mut shell = Command::new("sh");
        shell.args(["-euc", block]).current_dir(folder.path("")).env("PATH", &path);
        shell.env("VKD_DEVICE", "cpu");
        let ended = Ended::of(shell.output().unwrap());
        assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{block}");
    }
    for name in ["site/similar/sea.json", "poems.safetensors", "diversity_cache.json"] {
        assert!(folder.path(name).is_file(), "{name}");
    }
    assert!(folder.path("other-site/different/0.json").is_file());
}
