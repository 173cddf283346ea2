//! The C ABI through real C programs: linked with the shared and with the static library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where this build's libraries are: cargo copies them from there to target/release only on `cargo build`.
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn run(command: &mut Command) -> Output {
    // Cargo's own search path could find an older library before the one linked here.
    let output = command.env_remove("LD_LIBRARY_PATH").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    output
}

/// Compiles tests/c/NAME.c against the shared or the static library.
fn program(name: &str, shared: bool) -> PathBuf {
    let folder = libraries().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    // Tests run side by side: each compiles its own.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Relaxed);
    let kind = if shared { "shared" } else { "static" };
    let binary = folder.join(format!("{name}-{kind}-{count}"));
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-Iinclude"]);
    cc.arg(format!("tests/c/{name}.c")).arg("-o").arg(&binary).current_dir(root());
    let libraries = libraries();
    if shared {
        cc.arg("-L")
            .arg(&libraries)
            .arg("-lvkd")
            .arg(format!("-Wl,-rpath,{}", libraries.display()));
    } else {
        cc.arg(libraries.join("libvkd.a"));
    }
    run(cc.args(["-lm", "-lpthread", "-ldl", "-lgcc_s"]));
    binary
}

fn sequences(program: &Path, device: &str, file: &str, center: bool) -> Vec<u32> {
    rows(program, device, file, center, None)
}

/// Sequences, or the k nearest of each item.
fn rows(program: &Path, device: &str, file: &str, center: bool, k: Option<u32>) -> Vec<u32> {
    let out = program.with_extension(format!("{device}.{}.{center}", file.replace('/', "_")));
    let mut command = Command::new(program);
    command.arg(root().join("tests/golden").join(file)).arg(&out).env("VKD_DEVICE", device);
    command.arg(if center { "center" } else { "plain" });
    if let Some(k) = k {
        command.arg(k.to_string());
    }
    run(&mut command);
    let bytes = std::fs::read(&out).unwrap();
    std::fs::remove_file(&out).unwrap();
    bytes.chunks_exact(4).map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
fn golden_cases_from_c() {
    let (shared, fixed) = (program("main_job", true), program("main_job", false));
    for case in common::golden() {
        for center in [false, true] {
            if case.expects_error(center) {
                continue;
            }
            // The reference's Psalms are tested from Rust; here they would only cost a minute.
            let large = case.npy.num_items > 2000;
            let devices = ["llvmpipe", "cpu", "reference"];
            for device in &devices[..if large { 2 } else { 3 }] {
                for program in [&shared, &fixed] {
                    if large && program == &fixed && (center || device == &"llvmpipe") {
                        continue;
                    }
                    let got = sequences(program, device, &case.name, center);
                    case.check_rows(center, &got, &format!("C, {device}, {program:?}"));
                }
            }
        }
    }
}

#[test]
fn golden_neighbors_from_c() {
    let program = program("main_job", true);
    let mut checked = 0;
    for case in common::golden() {
        for (center, device) in [(false, "cpu"), (true, "cpu"), (false, "llvmpipe")] {
            for (k, expected) in case.neighbor_hashes(center).into_iter().filter(|&(k, _)| k > 1) {
                let found = rows(&program, device, &case.name, center, Some(k - 1));
                let found = common::with_itself(&found, k);
                assert_eq!(common::sha256(&found), expected, "{}, k {k}, {device}", case.name);
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn neighbors_and_sites_from_c() {
    for (shared, device) in [(true, "cpu"), (false, "reference"), (true, "llvmpipe")] {
        let program = program("neighbors", shared);
        let folder = program.with_extension("folder");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        run(Command::new(&program).arg(&folder).env("VKD_DEVICE", device));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn bad_input_from_c() {
    for shared in [true, false] {
        let program = program("bad_input", shared);
        run(Command::new(&program).env("VKD_DEVICE", "reference"));
        run(Command::new(&program).env("VKD_DEVICE", "cpu"));
        run(Command::new(&program).arg("vulkan").env("VKD_DEVICE", "llvmpipe"));
    }
}

#[test]
fn files_of_results_from_c() {
    for (shared, device) in [(true, "cpu"), (false, "reference"), (true, "llvmpipe")] {
        let program = program("results", shared);
        let path = program.with_extension("safetensors");
        let _ = std::fs::remove_file(&path);
        run(Command::new(&program).arg(&path).env("VKD_DEVICE", device));
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn missing_loader_missing_driver_and_bad_variables_have_their_own_errors() {
    let program = program("main_job", true);
    let fails = |variables: &[(&str, &str)]| {
        let mut command = Command::new(&program);
        command
            .args(["--leak", "1"])
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("VKD_VALIDATION")
            .env("VKD_DEVICE", "vulkan");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let text = fails(&[("VKD_VULKAN_LIBRARY", "/nonexistent/libvulkan.so")]);
    assert!(text.contains("no Vulkan loader could be opened"), "{text}");
    let text = fails(&[("VKD_DEVICE", "cpu"), ("VKD_THREADS", "many")]);
    assert!(text.contains("VKD_THREADS is many"), "{text}");
    let text = fails(&[("VKD_DEVICE", "cpu"), ("VKD_MEMORY_LIMIT", "lots")]);
    assert!(text.contains("VKD_MEMORY_LIMIT is lots"), "{text}");
    let none = "/nonexistent/driver.json";
    let text = fails(&[("VK_ICD_FILENAMES", none), ("VK_DRIVER_FILES", none)]);
    assert!(text.contains("it offers no device"), "{text}");
}

#[test]
fn the_header_compiles_as_c_and_as_cpp() {
    let flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-Iinclude"];
    let cases = [("cc", "c99", "c"), ("cc", "c11", "c"), ("c++", "c++17", "c++")];
    for (compiler, standard, language) in cases {
        let mut command = Command::new(compiler);
        command.args(flags).arg(format!("-std={standard}")).args(["-x", language]);
        run(command.arg("tests/c/header_compile.c").current_dir(root()));
    }
}

#[test]
fn only_vkd_symbols_are_exported() {
    let library = libraries().join("libvkd.so");
    let output = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    let text = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert!(names.contains(&"vkd_batch_compute"));
    let foreign: Vec<_> = names.iter().filter(|name| !name.starts_with("vkd_")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}
