//! `vkd doctor` as its users run it: on this machine as it is, and with drivers that are broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(unix)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::Folder;
use serde_json::Value;

/// A driver's JSON file that names this library.
fn manifest(folder: &Folder, library: &str) -> PathBuf {
    let icd = format!("{{\"library_path\": \"{library}\", \"api_version\": \"1.1.0\"}}");
    let text = format!("{{\"file_format_version\": \"1.0.0\", \"ICD\": {icd}}}");
    folder.text("driver.json", &text)
}

/// A shared library of this C source, linked with `with`.
fn library(folder: &Folder, name: &str, source: &str, with: &[&Path]) -> PathBuf {
    let (c, library) = (folder.text(&format!("{name}.c"), source), folder.path(name));
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-Wl,--no-as-needed", "-o"]).arg(&library).arg(c).args(with);
    assert!(cc.status().unwrap().success(), "cc is needed for this test");
    library
}

/// The command, with the tests' folder of compiled kernels.
fn vkd(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vkd"));
    command.arg("doctor").args(arguments);
    for variable in ["VKD_DEVICE", "VKD_MEMORY_LIMIT", "VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        command.env_remove(variable);
    }
    if std::env::var_os("VKD_PIPELINE_CACHE").is_none() {
        command.env("VKD_PIPELINE_CACHE", env!("CARGO_TARGET_TMPDIR"));
    }
    command
}

struct Said {
    code: i32,
    text: String,
}

fn said(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().unwrap();
    // One line, and only where something is wrong.
    let error = String::from_utf8(stderr).unwrap();
    let code = status.code().unwrap();
    assert_eq!(error.lines().count(), usize::from(code != 0), "{error}");
    assert!(error.is_empty() || error.contains("wrong"), "{error}");
    Said { code, text: String::from_utf8(stdout).unwrap() }
}

impl Said {
    /// The only line of this level.
    fn line(&self, level: &str) -> &str {
        let mut lines = self.text.lines().filter(|line| line.trim_start().starts_with(level));
        let line = lines.next().unwrap_or_else(|| panic!("no {level}: {}", self.text));
        assert_eq!(lines.next(), None, "{}", self.text);
        line
    }

    fn has_no_wrong(&self) {
        assert!(self.code == 0 && !self.text.contains("WRONG"), "{}", self.text);
    }
}

fn with_driver(path: &Path) -> Said {
    said(vkd(&["--no-test"]).env("VK_DRIVER_FILES", path))
}

/// The tests have llvmpipe at least.
#[test]
fn this_machine_is_right_and_every_device_gives_the_right_bits() {
    let found = said(&mut vkd(&[]));
    found.has_no_wrong();
    let titles = ["vkd", "Vulkan loader", "Drivers", "GPUs of this machine", "Vulkan devices"];
    for title in titles.into_iter().chain(["Compiled kernels", "Memory of the host", "Self-test"]) {
        assert!(found.text.lines().any(|line| line == title), "{title}: {}", found.text);
    }
    let right = found.text.matches("golden cases right to the bit").count();
    assert!(right >= 2, "{}", found.text);
    assert!(found.text.contains("libvulkan.so"), "{}", found.text);
}

#[test]
fn json_has_the_same_findings() {
    let found = said(&mut vkd(&["--json", "--no-test"]));
    let json: Value = serde_json::from_str(&found.text).unwrap();
    assert_eq!((found.code, &json["wrong"]), (0, &0.into()));
    let blocks = json["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 7);
    for finding in blocks.iter().flat_map(|block| block["findings"].as_array().unwrap()) {
        assert!(finding["level"].is_string() && finding["text"].is_string(), "{finding}");
    }
    let device = &json["devices"][0];
    for key in ["memory_bytes", "max_binding_bytes", "subgroup_size", "shared_bytes"] {
        assert!(device[key].as_u64().unwrap() > 0, "{key}: {device}");
    }
    assert_eq!(device["uuid"].as_str().unwrap().len(), 32);
}

#[test]
fn a_driver_whose_library_is_missing_is_wrong() {
    let folder = Folder::new();
    let path = with_driver(&manifest(&folder, "/usr/lib/libvulkan_radeon_not_there.so"));
    assert_eq!(path.code, 1);
    let line = path.line("WRONG");
    assert!(line.contains("/usr/lib/libvulkan_radeon_not_there.so is not there"), "{line}");
    assert!(line.contains("driver.json") && line.contains("mesa-vulkan-drivers"), "{line}");
    // By name alone the dynamic linker tells.
    let name = with_driver(&manifest(&folder, "libGLX_nvidia_not_there.so.0"));
    let line = name.line("WRONG");
    assert!(line.contains("libGLX_nvidia_not_there.so.0: cannot open shared object"), "{line}");
    assert!(name.code == 1 && line.contains("libegl1"), "{line}");
}

#[test]
fn what_a_drivers_library_needs_is_named() {
    let folder = Folder::new();
    let needed = library(&folder, "libLLVM-99.so", "int needed(void) { return 1; }", &[]);
    let source = "int needed(void); int vk_icdGetInstanceProcAddr(void) { return needed(); }";
    let driver = library(&folder, "driver.so", source, &[&needed]);
    std::fs::remove_file(needed).unwrap();
    let found = with_driver(&manifest(&folder, driver.to_str().unwrap()));
    let line = found.line("WRONG");
    assert!(line.contains("does not load") && line.contains("libLLVM-99.so"), "{line}");
    assert!(found.code == 1 && line.contains("apt install mesa-vulkan-drivers"), "{line}");
}

#[test]
fn a_driver_that_crashes_is_a_finding() {
    let folder = Folder::new();
    let source = "#include <stdlib.h>\n__attribute__((constructor)) void f(void) { abort(); }";
    let driver = library(&folder, "driver.so", source, &[]);
    let found = with_driver(&manifest(&folder, driver.to_str().unwrap()));
    assert_eq!(found.code, 1);
    assert!(found.text.contains("driver.so crashes (signal: 6"), "{}", found.text);
    // The rest is looked at all the same.
    assert!(found.text.contains("Memory of the host"), "{}", found.text);
}

#[test]
fn files_that_are_no_drivers_are_wrong() {
    let folder = Folder::new();
    for (text, says) in [("{}", "it names no library"), ("", "no JSON")] {
        let found = with_driver(&folder.text("driver.json", text));
        let line = found.line("WRONG");
        assert!(found.code == 1 && line.contains(says) && line.contains("dpkg -S"), "{line}");
    }
    let found = with_driver(&folder.path("nothing.json"));
    let line = found.line("WRONG");
    assert!(line.contains("nothing.json, which is not there"), "{line}");
    assert!(found.code == 1 && line.contains("unset VK_DRIVER_FILES"), "{line}");
}

#[test]
fn no_driver_and_no_gpu_are_not_wrong() {
    let folder = Folder::new();
    let found = with_driver(&folder.path(""));
    found.has_no_wrong();
    assert!(found.text.contains("apt install mesa-vulkan-drivers"), "{}", found.text);
    assert!(found.text.contains("the CPU engine is used"), "{}", found.text);
}

#[test]
fn a_loader_that_a_variable_names_must_load() {
    let found = said(vkd(&["--no-test"]).env("VKD_VULKAN_LIBRARY", "/none/libvulkan.so"));
    let line = found.line("WRONG");
    assert!(found.code == 1 && line.contains("/none/libvulkan.so"), "{line}");
}

#[test]
fn a_cache_that_cannot_be_made_is_wrong() {
    let folder = Folder::new();
    let file = folder.text("file", "");
    let mut command = vkd(&["--no-test"]);
    let found = said(command.env("VKD_PIPELINE_CACHE", file.join("below")));
    let line = found.line("WRONG");
    assert!(found.code == 1 && line.contains("it cannot be made"), "{line}");
    assert!(line.contains("set VKD_PIPELINE_CACHE"), "{line}");
    let off = said(vkd(&["--no-test"]).env("VKD_PIPELINE_CACHE", "off"));
    off.has_no_wrong();
}

#[test]
fn absurd_limits_of_memory_are_wrong() {
    for (limit, says) in [("1000", "too little for any run"), ("2 apples", "VKD_MEMORY_LIMIT")] {
        let found = said(vkd(&["--no-test"]).env("VKD_MEMORY_LIMIT", limit));
        let line = found.line("WRONG");
        assert!(found.code == 1 && line.contains(says), "{line}");
    }
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let mut child =
        vkd(&["--no-test"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
