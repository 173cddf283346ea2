//! The examples of README.md run as printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::programs::{library, library_folder, program, root};

/// The fenced block number `index` of `language`, written to a file of its own.
fn extract(language: &str, index: usize) -> PathBuf {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let block =
        readme.split(&format!("```{language}\n")).nth(index + 1).expect("the block is there");
    let folder = std::env::current_exe().unwrap().parent().unwrap().join("readme");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("example{index}.{language}"));
    std::fs::write(&file, block.split("```").next().unwrap()).unwrap();
    file
}

fn output(command: &mut Command) -> String {
    let output = command.current_dir(root()).env_remove("LD_LIBRARY_PATH").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Item 2 and 3 of the four are far from the first two, which are nearly the same.
#[test]
fn the_luajit_example_runs() {
    let mut luajit = program("luajit");
    let text = output(luajit.arg(extract("lua", 0)).env("VKD_LIBRARY", library()));
    assert_eq!(text, "1 3 4 2\n2 4 3 1\n3 1 4 2\n4 1 3 2\n");
}

#[test]
fn the_example_with_a_file_runs() {
    let mut luajit = program("luajit");
    luajit.arg(extract("lua", 1)).env("VKD_LIBRARY", library());
    let text = output(&mut luajit);
    let lines: Vec<&str> = text.lines().collect();
    // The lines before are the progress, if it was asked for in time.
    assert_eq!(lines[lines.len() - 2..], ["12\t4\t4\t2\t0", "true"]);
}

#[test]
fn the_example_of_a_site_runs() {
    let mut luajit = program("luajit");
    luajit.arg(extract("lua", 2)).env("VKD_LIBRARY", library());
    let page = "{\"id\":\"sea\",\"similar\":[{\"id\":\"ocean\",\"similarity\":0.9938";
    let text = output(&mut luajit);
    assert!(text.starts_with(&format!("2\t3\t0.994\n{page}")), "{text}");
}

#[test]
fn the_c_example_runs() {
    let source = extract("c", 0);
    let binary = source.with_extension("bin");
    let library = library_folder();
    let mut cc = program("cc");
    cc.args(["-Iinclude", "-Wall", "-Wextra", "-Werror"]).arg(&source).arg("-L").arg(&library);
    output(cc.arg("-lvkd").arg(format!("-Wl,-rpath,{}", library.display())).arg("-o").arg(&binary));
    assert_eq!(output(&mut Command::new(binary)), "0 2 3 1\n1 3 2 0\n2 0 3 1\n3 0 2 1\n");
}
