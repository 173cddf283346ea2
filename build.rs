//! Build steps: GLSL kernels to SPIR-V and their Rust table (build/shaders.rs), the C headers
//! (cbindgen) and the LuaJIT cdef. Whether there is a shader compiler build/shaderc-find says, and
//! build/shaderc-link links it: this program could not be linked otherwise.
//!
//! Everything is written to OUT_DIR. `tests/header.rs` compares the committed headers and cdef with
//! the fresh ones (`make header` rewrites them).

// A build step stops by panicking.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "build/shaders.rs"]
mod shaders;

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo:rerun-if-changed=build.rs");
    for file in ["shaders", "compile", "committed"] {
        println!("cargo:rerun-if-changed=build/{file}.rs");
    }
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed=cbindgen_compat.toml");
    println!("cargo:rerun-if-changed=src/ffi");
    shaders::build(&out);
    write_header(&out);
    write_compat_header(&out);
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // A closing Lua state dlcloses the library; thread-local destructors would then run in
        // unmapped code.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // cargo-c gives the name itself, the same one, from Cargo.toml's library version.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libvkd.so.0");
    }
}

fn write_header(out: &Path) {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml is valid");
    let header = out.join("vkd.h");
    match cbindgen::Builder::new().with_crate(root).with_config(config).generate() {
        Ok(bindings) => {
            bindings.write_to_file(&header);
        }
        // rustc reports syntax errors of the sources better than cbindgen does.
        Err(cbindgen::Error::ParseSyntaxError { .. }) => return,
        Err(error) => panic!("cbindgen: {error}"),
    }
    let header = fs::read_to_string(header).expect("the header was just written");
    fs::write(out.join("cdef.lua"), lua_cdef(&header)).expect("OUT_DIR is writable");
}

/// The header of the older interface, which vkd.h and the cdef know nothing of.
fn write_compat_header(out: &Path) {
    let config = cbindgen::Config::from_file("cbindgen_compat.toml").expect("the file is valid");
    // Its modules are read, too.
    let builder = cbindgen::Builder::new().with_src("src/ffi/compat/mod.rs");
    match builder.with_config(config).generate() {
        Ok(bindings) => {
            bindings.write_to_file(out.join("vkd_compat.h"));
        }
        Err(cbindgen::Error::ParseSyntaxError { .. }) => {}
        Err(error) => panic!("cbindgen: {error}"),
    }
}

/// The declarations of the header for LuaJIT's `ffi.cdef`, which knows no preprocessor.
fn lua_cdef(header: &str) -> String {
    let mut cdef = String::from(
        "-- Generated from include/vkd.h. Do not edit: run `make header`.\n\
         -- luacheck: ignore\nreturn [[\n",
    );
    let (mut comment, mut cplusplus) = (false, false);
    for line in header.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("/*") {
            comment = true;
        }
        let directive = trimmed.starts_with('#');
        if directive {
            cplusplus = trimmed.starts_with("#ifdef __cplusplus");
        }
        if !comment && !directive && !cplusplus && !trimmed.is_empty() {
            cdef.push_str(line);
            cdef.push('\n');
        }
        if trimmed.ends_with("*/") {
            comment = false;
        }
    }
    cdef.push_str("]]\n");
    cdef
}
