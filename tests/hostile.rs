//! Hostile callers from C: a program that tests/c/hostile.py writes from the header calls every
//! function with what no caller should pass, under the address sanitizer. What is allowed and what
//! is left out stands in tests/c/hostile_tables.py.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use common::programs::{library_folder, program, root};

/// A folder of its own for each test, gone at its end.
struct Folder(PathBuf);

impl Folder {
    /// One that every user may enter: some cases are those of a user without rights.
    fn new(name: &str) -> Folder {
        let name = format!("vkd-hostile-{}-{name}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir(&folder.0).unwrap();
        std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o777)).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the generator writes of a header, or why it does not.
fn generated(header: &Path) -> Result<Vec<u8>, String> {
    let mut python = program("/usr/bin/python3");
    python.arg(root().join("tests/c/hostile.py")).arg(header);
    let output = python.output().unwrap();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

fn compiled(folder: &Path) -> PathBuf {
    let (libraries, binary) = (library_folder(), folder.join("hostile"));
    let source = folder.join("hostile.c");
    std::fs::write(&source, generated(&root().join("include/vkd.h")).unwrap()).unwrap();
    let mut cc = program("cc");
    cc.args(["-std=c11", "-g", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Itests/c"]);
    cc.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]);
    cc.arg(&source).arg("-o").arg(&binary).arg("-L").arg(&libraries);
    cc.args(["-lvkd", "-lpthread"]).arg(format!("-Wl,-rpath,{}", libraries.display()));
    let output = cc.current_dir(root()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{text}\nThis needs gcc's address sanitizer (Debian: libasan8, which comes with gcc)"
    );
    binary
}

/// The program with what makes it the same everywhere. A gigabyte is the most that may be asked
/// for: what counts claim beyond that must be refused before it is looked at.
fn hostile(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    let asan = "handle_abort=1:allocator_may_return_null=1:max_allocation_size_mb=2000";
    command.env("ASAN_OPTIONS", asan).env("VKD_DEVICE", "cpu").env("VKD_THREADS", "1");
    command.env("VKD_MEMORY_LIMIT", "1G").env("VKD_VULKAN_LIBRARY", "/nonexistent");
    command.env_remove("LD_LIBRARY_PATH").env_remove("VKD_VALIDATION");
    command
}

/// Runs the cases of one function; returns their number.
fn run(binary: &Path, folder: &Path, name: &str) -> Result<u32, String> {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let output = hostile(binary).arg(&folder).arg(name).output().unwrap();
    let [said, printed] = [output.stdout, output.stderr].map(|text| {
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().take(40).collect::<Vec<_>>().join("\n")
    });
    let last = said.lines().last().unwrap_or_default();
    let cases = last.split(' ').nth(1).and_then(|number| number.parse().ok());
    match cases {
        // The library prints nothing.
        Some(cases) if output.status.success() && printed.is_empty() => Ok(cases),
        _ => Err(format!("{name}, {}:\n{said}\n{printed}", output.status)),
    }
}

#[test]
fn every_function_withstands_every_call() {
    let folder = Folder::new("calls");
    let binary = compiled(&folder.0);
    let list = Command::new(&binary).arg("--list").output().unwrap().stdout;
    let list = String::from_utf8(list).unwrap();
    let (names, done) = (Mutex::new(list.lines()), Mutex::new((0, Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| loop {
                let Some(name) = names.lock().unwrap().next() else { return };
                let result = run(&binary, &folder.0, name);
                let (cases, failures) = &mut *done.lock().unwrap();
                match result {
                    Ok(more) => *cases += more,
                    Err(failure) => failures.push(failure),
                }
            });
        }
    });
    let (cases, failures) = done.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(cases > 250_000, "{cases}");
}

/// A header that grows must not outrun the generator.
#[test]
fn what_is_new_in_the_header_must_be_told() {
    let folder = Folder::new("header");
    let header = std::fs::read_to_string(root().join("include/vkd.h")).unwrap();
    let path = folder.0.join("vkd.h");
    let refused = |from: &str, to: &str| {
        assert!(header.contains(from), "{from}");
        std::fs::write(&path, header.replacen(from, to, 1)).unwrap();
        generated(&path).unwrap_err()
    };
    let count = "int32_t vkd_device_count(";
    let text = refused(count, &format!("int32_t vkd_new(uint32_t *out_new);\n\n{count}"));
    assert!(text.contains("the function vkd_new is new"), "{text}");
    let text = refused(&format!("{count}uint32_t *out_count);"), "");
    assert!(text.contains("the function vkd_device_count is gone"), "{text}");
    let text = refused("uint32_t k,", "uint32_t fresh,");
    assert!(text.contains("the parameter fresh of vkd_neighbors_compute is new"), "{text}");
    let text = refused("uint32_t *out_count);", "uint32_t *out_fresh);");
    assert!(text.contains("the output out_fresh of vkd_device_count is new"), "{text}");
    let text = refused("  uint32_t num_picks;", "  uint32_t num_picks;\n  uint32_t fresh;");
    assert!(text.contains("in vkd_verify_options, the field fresh is new"), "{text}");
    let text = refused("} vkd_verify_options;", "} vkd_fresh_options;");
    assert!(text.contains("the struct vkd_fresh_options is new"), "{text}");
}
