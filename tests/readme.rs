//! The examples of README.md and of the pages in docs run as printed, the links lead somewhere, and
//! the chart is that of its figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::programs::{library, library_folder, program, root};

/// The fenced blocks of `language` in `page`.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(root().join(page)).unwrap();
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|block| block.split("```").next().unwrap().into()).collect()
}

/// `text` in a file of its own.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().join("readme");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// The fenced block number `index` of `language` in README.md, in a file of its own.
fn extract(language: &str, index: usize) -> PathBuf {
    file(&format!("example{index}.{language}"), &blocks("README.md", language)[index])
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

/// The program that a C file makes.
fn compiled(source: &Path) -> PathBuf {
    let binary = source.with_extension("bin");
    let library = library_folder();
    let mut cc = program("cc");
    cc.args(["-Iinclude", "-Wall", "-Wextra", "-Werror"]).arg(source).arg("-L").arg(&library);
    output(cc.arg("-lvkd").arg(format!("-Wl,-rpath,{}", library.display())).arg("-o").arg(&binary));
    binary
}

#[test]
fn the_c_example_runs() {
    let binary = compiled(&extract("c", 0));
    assert_eq!(output(&mut Command::new(binary)), "0 2 3 1\n1 3 2 0\n2 0 3 1\n3 0 2 1\n");
}

/// The Rust example is examples/minimal.rs, without the lines about itself.
#[test]
fn the_rust_example_runs() {
    let example = std::fs::read_to_string(root().join("examples/minimal.rs")).unwrap();
    let shown = example.find("use vkd::").unwrap();
    assert_eq!(blocks("README.md", "rust"), [&example[shown..]]);

    // TARGET/PROFILE/deps: built there already, with the other programs of `cargo test`.
    let built = library_folder().parent().unwrap().join("examples/minimal");
    let text = match built.exists() {
        true => output(&mut Command::new(built)),
        false => output(&mut cargo_run_minimal()),
    };
    assert_eq!(text, "[0, 2, 3, 1]\n[1, 3, 2, 0]\n[2, 0, 3, 1]\n[3, 0, 2, 1]\n");
}

/// Where only this test was built.
fn cargo_run_minimal() -> Command {
    let profile = library_folder().parent().unwrap().to_owned();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["run", "--quiet", "--example", "minimal", "--target-dir"]);
    cargo.arg(profile.parent().unwrap());
    match profile.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => {}
        name => _ = cargo.args(["--profile", name]),
    }
    cargo
}

/// Its imports, and its lines behind what README.md shows; `cargo test` builds it.
#[test]
fn the_rust_example_of_a_file_is_one_that_builds() {
    let example = std::fs::read_to_string(root().join("examples/into_file.rs")).unwrap();
    let lines = |text: &str| -> Vec<String> { text.lines().map(|l| l.trim().into()).collect() };
    let built = lines(&example);
    let shown = lines(&blocks("docs/api.md", "rust")[0]);
    let (uses, body) = shown.split_at(shown.iter().position(|line| line.is_empty()).unwrap());
    for part in [uses, body] {
        assert!(built.windows(part.len()).any(|lines| lines == part), "{part:?}");
    }
}

#[test]
fn the_lua_example_of_rules_runs() {
    let example = file("rules.lua", &blocks("docs/rules.md", "lua")[0]);
    let text = output(program("luajit").arg(example).env("VKD_LIBRARY", library()));
    assert!(text.starts_with("1 2 5 4 3\n0 0 0.2607"), "{text}");
}

/// What takes the place of effil, all in one script; effil's own side is left out.
#[test]
fn the_examples_beside_effil_run() {
    let blocks = blocks("docs/from-effil.md", "lua");
    let ours: Vec<String> = blocks.into_iter().filter(|block| !block.contains("effil")).collect();
    assert_eq!(ours.len(), 9);
    let mut luajit = program("luajit");
    luajit.arg(file("from-effil.lua", &ours.concat())).env("VKD_LIBRARY", library());
    let text = output(&mut luajit);
    // There may be lines of progress, if it was asked for in time.
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.is_empty() && line.parse::<f64>().is_err()).collect();
    assert_eq!(lines[..3], ["1 3 4 2", "2\t4", "0 2 3 1 "], "{text}");
    assert!(lines[3].starts_with("{\"id\":\"sea\",\"similar\":[{\"id\":\"ocean\","), "{text}");
    let workers = ["true\t2", "1 3 4 2", "3 1 4 2", "2 4 3 1", "4 1 3 2", "nil\toption timeout"];
    assert_eq!(lines[4..10], workers, "{text}");
    assert_eq!(lines[10..], ["nil\tVKD_ERROR_FILE_MISMATCH"], "{text}");
}

/// What takes the place of the older interface, all in one script.
#[test]
fn the_examples_for_existing_scripts_run() {
    let example = file("existing-scripts.lua", &blocks("docs/existing-scripts.md", "lua").concat());
    let text = output(program("luajit").arg(example).env("VKD_LIBRARY", library()));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["1 3 4 2", "2", "4\t4\t3"], "{text}");
    assert!(lines[3].starts_with("{\"id\":\"sea\",\"similar\":[{\"id\":\"ocean\","), "{text}");
    let last = ["\"0\": [0, 2, 3, 1]", "\"1\": [2, 3, 4]", "2\tfire\t1", "1 2"];
    assert_eq!(lines[lines.len() - 4..], last, "{text}");
}

#[test]
fn the_examples_of_embeddings_from_files_run() {
    let lua = file("embedding-files.lua", &blocks("docs/embedding-files.md", "lua").concat());
    let text = output(program("luajit").arg(lua).env("VKD_LIBRARY", library()));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["4\t3\tf32\t4", "sea stone fire ocean", "stone\t4"], "{text}");
    assert!(lines[3].ends_with("VKD_ERROR_NO_SUCH_ID"), "{text}");
    assert!(lines[4].contains(" at line 2, byte 2: item 1 (0-based) has 2 dimensions"), "{text}");

    let source = file("embedding-files.c", &blocks("docs/embedding-files.md", "c")[0]);
    let words = file("words.txt", "sea 1 0 0\nfire 0 0.2 1\n");
    let text = output(Command::new(compiled(&source)).arg(words));
    assert_eq!(text, "2 items of 3 dimensions\nsea\n");
}

#[test]
fn the_chart_is_that_of_its_figures() {
    output(program("/usr/bin/python3").args(["benches/chart.py", "--check"]));
}

#[test]
fn links_lead_to_files_that_are_there() {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|page| root().join(page));
    let is_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    for page in docs.filter(is_page).chain(pages) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
            let there = link.contains("://") || page.parent().unwrap().join(link).exists();
            assert!(there || link.is_empty(), "{}: {link}", page.display());
        }
    }
}
