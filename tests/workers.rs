//! Eight Lua states in one process, and two processes at once, read one file of results: no lock,
//! no copy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]
#![cfg(target_os = "linux")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::programs::{library, program, root};
use common::Npy;
use vkd::context::Destination;
use vkd::store::OutputFile;
use vkd::{Context, ContextOptions, Request};

const ITEMS: u32 = 3997;

/// A full file of 3,997 x 3,997 (32 MB): large beside what a reader may take of its own, and
/// computed in seconds. Points on a circle.
fn results(path: &Path) {
    let point = |i: u32| [(f64::from(i) * 0.37).cos() as f32, (f64::from(i) * 0.37).sin() as f32];
    let npy = Npy { num_items: ITEMS, dim: 2, values: (0..ITEMS).flat_map(point).collect() };
    let options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
    let target = OutputFile { path: path.to_owned(), overwrite: true, ids: None };
    let context = Context::new(&options).unwrap();
    let job =
        context.start(&npy.input(false), &Request::default(), Destination::File(&target)).unwrap();
    job.wait(None).unwrap().as_ref().as_ref().unwrap();
}

fn compiled(folder: &Path) -> PathBuf {
    let binary = folder.join("workers");
    let flags = program("pkg-config").args(["--cflags", "--libs", "luajit"]).output().unwrap();
    let flags = String::from_utf8(flags.stdout).unwrap();
    let mut cc = program("cc");
    cc.args(["-std=gnu99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-o"]).arg(&binary);
    cc.arg(root().join("tests/c/workers.c")).args(flags.split_whitespace()).arg("-lpthread");
    assert!(cc.status().unwrap().success(), "{cc:?}");
    binary
}

#[test]
fn eight_lua_states_read_one_file_without_copies() {
    let library = library();
    let folder = library.parent().unwrap().join("workers-test");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("results");
    results(&file);
    let program = compiled(&folder);
    let start = || {
        Command::new(&program)
            .arg(root().join("lua"))
            .arg(&file)
            .args([ITEMS.to_string(), ITEMS.to_string()])
            .env("VKD_LIBRARY", &library)
            .env_remove("LD_LIBRARY_PATH")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    // Two processes at once, eight states each.
    for process in [start(), start()] {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let grown: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        println!("eight readers of 32 MB: {grown} bytes of their own");
        assert!(grown < 10e6, "{grown} bytes");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
