//! What tests need beside Rust: other programs, and the library's folder for those that link it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Each program and the Debian package that brings it.
const PROGRAMS: [(&str, &str); 6] = [
    ("luajit", "luajit"),
    ("cc", "gcc"),
    ("c++", "g++"),
    ("nm", "binutils"),
    ("pkg-config", "pkg-config"),
    ("/usr/bin/python3", "python3"),
];

/// A command of the program, which is there: without it the test says what to install.
pub fn program(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Of an absolute name the folder does not matter.
    let found = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let package = PROGRAMS.iter().find(|(program, _)| *program == name).map_or(name, |it| it.1);
    assert!(
        found,
        "this test runs {name}, which is missing: `.ci/setup test` installs it on Debian and \
         Ubuntu (package {package})"
    );
    Command::new(name)
}

/// The folder of this build's libraries. What cargo copies elsewhere may be of an older build.
/// Programs that are linked there look for the name in the library, libvkd.so.0.
pub fn library_folder() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    #[cfg(unix)]
    if let Err(error) = std::os::unix::fs::symlink("libvkd.so", folder.join("libvkd.so.0")) {
        assert!(error.kind() == std::io::ErrorKind::AlreadyExists, "{error}");
    }
    folder
}

/// The shared library of this build.
pub fn library() -> PathBuf {
    library_folder().join("libvkd.so")
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
