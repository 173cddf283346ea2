//! A crate that depends on vkd by path builds and runs, with and without the shader compiler; where
//! there is no compiler, cargo says at once what can be done.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::programs::{library_folder, root};

/// A crate of its own in target/dependent, whose manifest ends with `dependencies`.
fn package(name: &str, dependencies: &str) -> PathBuf {
    let folder = folder().join(name);
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest =
        format!("[package]\nname = \"{name}\"\nedition = \"2021\"\n[workspace]\n{dependencies}\n");
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root().join("examples/minimal.rs"), folder.join("src/main.rs")).unwrap();
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    folder
}

/// A folder in this build's target folder, in which TARGET/PROFILE/deps has the programs of the
/// tests.
fn folder() -> PathBuf {
    library_folder().ancestors().nth(2).unwrap().join("dependent")
}

/// What the crates here build. Not the folder of this build: cargo gives a crate that is a shared
/// library as well one file name, whatever its features and profile, so the programs of all later
/// tests would be linked with the library as it is built here, slow and without internals.
fn built() -> PathBuf {
    folder().join("built")
}

fn cargo(package: &Path, target: &Path, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(package).args(arguments).arg("--offline").arg("--target-dir").arg(target);
    cargo
}

fn text(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(error)
}

/// A crate that depends on vkd, with these features.
fn dependent(name: &str, features: &str) -> PathBuf {
    package(name, &format!("[dependencies]\nvkd = {{ path = {:?}{features} }}", root()))
}

/// The shader compiler is at work in vkd's build script, which is built, linked and run.
#[test]
#[cfg_attr(not(feature = "compile-shaders"), ignore = "there may be no shader compiler")]
fn a_crate_that_depends_on_vkd_compiles() {
    let package = dependent("with-compiler", "");
    let output = cargo(&package, &built(), &["check", "--quiet"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_crate_that_depends_on_vkd_without_its_shader_compiler_runs() {
    let package = dependent("without-compiler", ", default-features = false");
    let output = cargo(&package, &built(), &["run", "--quiet"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let rows = String::from_utf8(output.stdout).unwrap();
    assert_eq!(rows, "[0, 2, 3, 1]\n[1, 3, 2, 0]\n[2, 0, 3, 1]\n[3, 0, 2, 1]\n");
    let tree = ["tree", "--offline", "--edges", "all", "--prefix", "none"];
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    let output = cargo.current_dir(package).args(tree).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(!text(&output).contains("shaderc"), "{}", text(&output));
}

/// Two ways out, in three lines.
fn names_both_ways(output: &Output, why: &str) {
    let text = text(output);
    assert!(!output.status.success(), "{text}");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("error: vkd-")).collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains(why), "{text}");
    assert!(lines[1].contains("libshaderc-dev"), "{text}");
    assert!(lines[2].contains("--no-default-features"), "{text}");
}

/// shaderc would be built from source, for a quarter of an hour. All is built anew, in a folder of
/// its own: another variable would have everything in the shared one built anew.
#[test]
#[cfg(unix)]
#[cfg_attr(not(feature = "compile-shaders"), ignore = "what shaderc needs may not be there")]
fn without_a_shader_compiler_the_build_ends_before_shaderc_is_built() {
    use std::os::unix::fs::PermissionsExt;

    let package = dependent("no-compiler", "");
    let (built, empty) = (package.join("target"), package.join("empty"));
    let cmake = package.join("bin/cmake");
    let _ = std::fs::remove_dir_all(&built);
    let _ = std::fs::remove_dir_all(&empty);
    std::fs::create_dir_all(&empty).unwrap();
    std::fs::create_dir_all(cmake.parent().unwrap()).unwrap();
    let script = format!("#!/bin/sh\ntouch '{}'\n", empty.join("cmake-ran").display());
    std::fs::write(&cmake, script).unwrap();
    std::fs::set_permissions(&cmake, std::fs::Permissions::from_mode(0o755)).unwrap();

    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", cmake.parent().unwrap().display());
    let mut cargo = cargo(&package, &built, &["check", "--jobs", "1"]);
    let output = cargo.env("SHADERC_LIB_DIR", &empty).env("PATH", path).output().unwrap();
    names_both_ways(&output, &format!("libshaderc is not in {}", empty.display()));
    assert!(!empty.join("cmake-ran").exists(), "{}", text(&output));
}

#[test]
#[cfg(all(unix, feature = "compile-shaders"))]
fn a_shader_compiler_that_does_not_link_is_named() {
    let link = root().join("build/shaderc-link");
    let package =
        package("not-linked", &format!("[dependencies]\nvkd-shaderc-link = {{ path = {link:?} }}"));
    let folder = package.join("lib");
    std::fs::create_dir_all(&folder).unwrap();
    let archive = folder.join("libshaderc_combined.a");
    std::fs::write(&archive, "!<arch>\n").unwrap();
    let mut cargo = cargo(&package, &package.join("target"), &["build"]);
    let output = cargo.env("SHADERC_LIB_DIR", &folder).output().unwrap();
    names_both_ways(&output, &format!("{} does not link", archive.display()));
    assert!(text(&output).contains("shaderc_compiler_initialize"), "{}", text(&output));
}
