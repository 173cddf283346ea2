//! The C ABI through real C programs: linked with the shared and with the static library of this
//! build of the tests, which are never older than what the tests were built of. The library that
//! ships is tested from Lua, by tests/c/leak, tests/install and tests/shipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use common::programs::{library, library_folder, program, root};
use serde_json::Value;

fn run(command: &mut Command) -> Output {
    // Cargo's own search path could find an older library before the one linked here.
    let output = command.env_remove("LD_LIBRARY_PATH").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    output
}

/// Compiles tests/c/NAME.c against the shared or the static library.
fn compiled(name: &str, shared: bool) -> PathBuf {
    let libraries = library_folder();
    let folder = libraries.join("c");
    std::fs::create_dir_all(&folder).unwrap();
    // Tests run side by side: each compiles its own.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Relaxed);
    let kind = if shared { "shared" } else { "static" };
    let binary = folder.join(format!("{name}-{kind}-{count}"));
    let mut cc = program("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-Iinclude"]);
    cc.arg(format!("tests/c/{name}.c")).arg("-o").arg(&binary).current_dir(root());
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
    let (shared, fixed) = (compiled("main_job", true), compiled("main_job", false));
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

fn numbers(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}

/// A committed case of the rules as rules.c reads it, and how many numbers it gives.
fn line_of(case: &Value, num_items: u32) -> (String, usize) {
    let rule = case["rule"].as_str().unwrap();
    let rule = vkd::Rule::NAMES.iter().position(|name| *name == rule).unwrap();
    let (lambda, center) = (case["lambda"].as_f64().unwrap_or(-1.0), case["center"] == true);
    let length = case["length"].as_u64().unwrap() as usize;
    let heads: Vec<Vec<u32>> =
        case["heads"].as_array().map_or(vec![], |heads| heads.iter().map(numbers).collect());
    let (count, head, items) = match (heads.first(), case["starts"].is_array()) {
        (Some(head), _) => (heads.len(), head.len(), heads.concat()),
        (None, true) => (numbers(&case["starts"]).len(), 0, numbers(&case["starts"])),
        (None, false) => (0, 0, vec![]),
    };
    let items: Vec<String> = items.iter().map(u32::to_string).collect();
    let center = u32::from(center);
    let line = format!("{rule} {lambda} {center} {length} {count} {head} {}\n", items.join(" "));
    (line, length * if count == 0 { num_items as usize } else { count })
}

/// All cases of rules.json, at once and as jobs: items and values have the committed hashes. What
/// is tested is the way through C: other devices do every fourth.
#[test]
fn rules_heads_and_values_from_c() {
    let program = compiled("rules", true);
    let text = std::fs::read_to_string(root().join("tests/golden/rules.json")).unwrap();
    let mut cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    // Those of the Psalms stand there twice.
    let mut seen = HashSet::new();
    cases.retain(|case| seen.insert(case.to_string()));
    let mut files: Vec<&str> = cases.iter().map(|case| case["file"].as_str().unwrap()).collect();
    files.dedup();
    let (rows, lines, out) = (
        program.with_extension("rows"),
        program.with_extension("in"),
        program.with_extension("out"),
    );
    let mut checked = 0;
    for file in files {
        let npy = match file {
            "psalms.npy" => common::npy_at(&root().join("examples/data/psalms.npy")),
            name => common::npy(name),
        };
        let bytes: Vec<u8> = npy.values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        std::fs::write(&rows, bytes).unwrap();
        for (device, step) in [("reference", 4), ("cpu", 1), ("llvmpipe", 4)] {
            let these = cases.iter().filter(|case| case["file"] == file).step_by(step);
            let these: Vec<&Value> = these.collect();
            let told: Vec<(String, usize)> =
                these.iter().map(|case| line_of(case, npy.num_items)).collect();
            std::fs::write(&lines, told.iter().map(|told| &*told.0).collect::<String>()).unwrap();
            let mut command = Command::new(&program);
            command.arg(&rows).args([npy.num_items, npy.dim].map(|number| number.to_string()));
            command.arg(&out).stdin(std::fs::File::open(&lines).unwrap());
            run(command.env("VKD_DEVICE", device));
            let bytes = std::fs::read(&out).unwrap();
            let all: Vec<u32> = bytes
                .chunks_exact(4)
                .map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            let mut rest = &all[..];
            for (case, (_, places)) in these.iter().zip(&told) {
                for key in ["items_sha256", "values_sha256"] {
                    let (part, after) = rest.split_at(*places);
                    assert_eq!(common::sha256(part), case[key], "{device}: {case}");
                    rest = after;
                }
                checked += 1;
            }
            assert!(rest.is_empty(), "{device}, {file}");
        }
    }
    assert!((288 + 2 * 72..288 + 3 * 72).contains(&checked), "{checked}");
}

#[test]
fn golden_neighbors_from_c() {
    let program = compiled("main_job", true);
    let mut checked = 0;
    for case in common::golden() {
        for (center, device) in [(false, "cpu"), (true, "cpu"), (false, "llvmpipe")] {
            for (k, expected) in case.neighbor_hashes(center) {
                let found = rows(&program, device, &case.name, center, Some(k));
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
        let program = compiled("neighbors", shared);
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
        let program = compiled("bad_input", shared);
        run(Command::new(&program).env("VKD_DEVICE", "reference"));
        run(Command::new(&program).env("VKD_DEVICE", "cpu"));
        run(Command::new(&program).arg("vulkan").env("VKD_DEVICE", "llvmpipe"));
    }
}

#[test]
fn files_of_results_from_c() {
    for (shared, device) in [(true, "cpu"), (false, "reference"), (true, "llvmpipe")] {
        let program = compiled("results", shared);
        let path = program.with_extension("safetensors");
        let _ = std::fs::remove_file(&path);
        run(Command::new(&program).arg(&path).env("VKD_DEVICE", device));
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn ids_in_files_from_c() {
    for (shared, device) in [(true, "cpu"), (false, "reference")] {
        let program = compiled("ids", shared);
        let paths = ["ids_sequences", "ids_neighbors"].map(|name| program.with_extension(name));
        paths.iter().for_each(|path| drop(std::fs::remove_file(path)));
        run(Command::new(&program).args(&paths).env("VKD_DEVICE", device));
        paths.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
}

#[test]
fn runs_in_parts_from_c() {
    for (shared, device) in [(true, "cpu"), (false, "reference")] {
        let program = compiled("merge", shared);
        let folder = program.with_extension("folder");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        run(Command::new(&program).arg(&folder).env("VKD_DEVICE", device));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn embeddings_from_files_from_c() {
    for (shared, device) in [(true, "cpu"), (false, "reference"), (true, "llvmpipe")] {
        let program = compiled("embeddings", shared);
        let folder = program.with_extension("folder");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        run(Command::new(&program).arg(&folder).env("VKD_DEVICE", device));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// The older interface, with the shared library and with the archive.
#[test]
fn the_older_interface_from_c() {
    for (shared, device) in [(true, "cpu"), (false, "reference"), (true, "llvmpipe")] {
        let program = compiled("compat", shared);
        let folder = program.with_extension("folder");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        let mut command = Command::new(&program);
        let output = run(command.arg(&folder).env("VKD_DEVICE", device).env_remove("VKC_DEBUG"));
        assert!(output.stdout.is_empty(), "{output:?}");
        // Each line tells of a call that had to fail.
        let lines = String::from_utf8(output.stderr).unwrap();
        assert!(lines.lines().count() > 20, "{lines}");
        let families = ["[VKC] ", "[VKD] ", "[VKS] "];
        let is_told = |line: &str| families.iter().any(|family| line.starts_with(family));
        assert!(lines.lines().all(is_told), "{lines}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// A context and a job at work when the process forks: see fork.c.
#[cfg(unix)]
#[test]
fn a_fork_is_noticed_from_c() {
    let program = compiled("fork", true);
    for device in ["cpu", "llvmpipe", "cpu + llvmpipe"] {
        let path = program.with_extension("safetensors");
        let _ = std::fs::remove_file(&path);
        let mut command = Command::new(&program);
        command.arg(&path).env("VKD_DEVICE", device);
        run(command.args(device.contains("llvmpipe").then_some("vulkan")));
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn missing_loader_missing_driver_and_bad_variables_have_their_own_errors() {
    let program = compiled("main_job", true);
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
    let no_driver = [("VK_ICD_FILENAMES", none), ("VK_DRIVER_FILES", none)];
    let text = fails(&no_driver);
    assert!(text.contains("it offers no device"), "{text}");
    // A name that is wrong anyhow is refused as such, with the reason why there is no more.
    let text = fails(&[no_driver[0], no_driver[1], ("VKD_DEVICE", "cppu")]);
    for part in ["VKD_DEVICE is \"cppu\"", "0: CPU (", "1: reference", "offers no device"] {
        assert!(text.contains(part), "{text}");
    }
    for odd in ["+", "cpu+", " + cpu", "cpu ++ cpu", "cppu", "Voodoo 2", "4097", "vulkan:77", "-1"]
    {
        let text = fails(&[("VKD_DEVICE", odd)]);
        let name = format!("VKD_DEVICE is \"{}\"", odd.trim());
        for part in [name.as_str(), ": CPU (", ": reference"] {
            assert!(text.contains(part), "{odd}: {text}");
        }
    }
}

/// Variables that are no UTF-8 are refused by their names; empty and blank ones say nothing.
#[cfg(unix)]
#[test]
fn odd_bytes_in_variables() {
    use std::os::unix::ffi::OsStrExt;
    let program = compiled("main_job", true);
    let run = |name: &str, value: &[u8]| {
        let mut command = Command::new(&program);
        command.args(["--leak", "1"]).env_remove("LD_LIBRARY_PATH").env("VKD_DEVICE", "cpu");
        let value = std::ffi::OsStr::from_bytes(value);
        let output = command.env(name, value).output().unwrap();
        output.status.success().then_some(()).ok_or(String::from_utf8(output.stderr).unwrap())
    };
    for name in ["VKD_DEVICE", "VKD_MEMORY_LIMIT", "VKD_THREADS"] {
        let text = run(name, b"2\xff").unwrap_err();
        assert!(text.contains(&format!("{name} is \"2\\xFF\"")), "{text}");
        assert!(text.contains("UTF-8"), "{text}");
        for nothing in ["", " \t"] {
            assert_eq!(run(name, nothing.as_bytes()), Ok(()), "{name}");
        }
    }
    // Paths may be any bytes.
    let folder = std::env::temp_dir().join(format!("vkd-bytes-{}", std::process::id()));
    let odd = folder.join(std::ffi::OsStr::from_bytes(b"kernels\xff"));
    let folder_bytes = odd.as_os_str().as_bytes().to_vec();
    let mut command = Command::new(&program);
    command.args(["--leak", "1"]).env_remove("LD_LIBRARY_PATH").env("VKD_DEVICE", "llvmpipe");
    command.env("VKD_PIPELINE_CACHE", std::ffi::OsStr::from_bytes(&folder_bytes));
    assert!(command.status().unwrap().success());
    assert!(odd.is_dir());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_header_compiles_as_c_and_as_cpp() {
    let flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-Iinclude"];
    let cases = [("cc", "c99", "c"), ("cc", "c11", "c"), ("c++", "c++17", "c++")];
    for (compiler, standard, language) in cases {
        let mut command = program(compiler);
        command.args(flags).arg(format!("-std={standard}")).args(["-x", language]);
        run(command.arg("tests/c/header_compile.c").current_dir(root()));
    }
}

/// The ABI only grows: a name that is gone from the list breaks programs. `VKD_BLESS=1` writes it.
#[test]
fn the_exported_symbols_are_those_of_the_list() {
    let output = run(program("nm").args(["-D", "--defined-only"]).arg(library()));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    names.sort_unstable();
    let ours = ["vkd_", "vkc_", "vks_"];
    let is_ours = |name: &str| ours.iter().any(|begin| name.starts_with(begin));
    let foreign: Vec<_> = names.iter().filter(|name| !is_ours(name)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let list = root().join("tests/symbols.txt");
    if std::env::var_os("VKD_BLESS").is_some() {
        std::fs::write(&list, names.join("\n") + "\n").unwrap();
    }
    let listed = std::fs::read_to_string(&list).unwrap();
    let listed: Vec<&str> = listed.lines().collect();
    let gone: Vec<_> = listed.iter().filter(|name| !names.contains(name)).collect();
    let new: Vec<_> = names.iter().filter(|name| !listed.contains(name)).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "gone: {gone:?}, new: {new:?}; VKD_BLESS=1 cargo test --test c_abi symbols writes the list"
    );
}
