//! Looks whether the shader compiler can be linked, before vkd's build script tries to, and adds
//! the libraries that the crate shaderc leaves out.
//!
//! That crate links libshaderc alone. Debian's and Ubuntu's holds neither glslang nor SPIRV-Tools:
//! their archives must come along. Only a crate can bring them: a build script has no link
//! arguments of its own, and an override in `.cargo/config.toml` does not reach the crates that
//! depend on vkd.

// A build script stops by panicking where cargo's own promises are broken.
#![allow(clippy::expect_used)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use vkd_shaderc_find::{library, stop, Library, VARIABLES};

/// What libshaderc may lack. Later distributions have fewer of them.
const COMPANIONS: [&str; 10] = [
    "SPIRV",
    "glslang",
    "MachineIndependent",
    "GenericCodeGen",
    "OSDependent",
    "OGLCompiler",
    "HLSL",
    "glslang-default-resource-limits",
    "SPIRV-Tools-opt",
    "SPIRV-Tools",
];

/// A program that needs the library.
const PROBE: &str = "extern \"C\" { fn shaderc_compiler_initialize() -> *mut u8; }
fn main() { assert!(!unsafe { shaderc_compiler_initialize() }.is_null()); }
";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for variable in VARIABLES {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    if env::var_os("CARGO_FEATURE_FROM_SOURCE").is_some() {
        return;
    }
    let linked = old_override().and_then(|()| library()).and_then(|library| link(&library));
    if let Err(why) = linked {
        stop(&why);
    }
}

/// With an override of how shaderc is linked, the companions would be linked twice.
fn old_override() -> Result<(), String> {
    let file = Path::new("../../.cargo/config.toml");
    match std::fs::read_to_string(file) {
        Ok(text) if text.contains(".shaderc]") => {
            let file = file.canonicalize().unwrap_or(file.into());
            Err(format!("{} says how to link shaderc: remove that", file.display()))
        }
        _ => Ok(()),
    }
}

/// Has the companions linked where libshaderc alone is not enough.
fn link(library: &Library) -> Result<(), String> {
    println!("cargo:rerun-if-changed={}", library.file.display());
    if links(library, &[]).is_ok() {
        return Ok(());
    }
    let there = |name: &&str| library.folder.join(format!("lib{name}.a")).exists();
    // Whole, for linkers meet them before shaderc or after it, as it happens.
    let whole = |name| format!("static:-bundle,+whole-archive={name}");
    let companions: Vec<String> = COMPANIONS.into_iter().filter(there).map(whole).collect();
    links(library, &companions)
        .map_err(|error| format!("{} does not link: {error}", library.file.display()))?;
    println!("cargo:rustc-link-search=native={}", library.folder.display());
    for companion in companions {
        println!("cargo:rustc-link-lib={companion}");
    }
    Ok(())
}

/// Whether a program that calls the library links; else what the linker says.
fn links(library: &Library, companions: &[String]) -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let (source, program) = (out.join("probe.rs"), out.join("probe"));
    std::fs::write(&source, PROBE).expect("OUT_DIR is writable");
    let mut rustc = Command::new(env::var_os("RUSTC").expect("cargo sets RUSTC"));
    rustc.arg("--edition=2021").arg(&source).arg("-o").arg(&program);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    rustc.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    rustc.arg("-L").arg(&library.folder).args(["-l", library.link]);
    rustc.args(companions.iter().flat_map(|companion| ["-l", companion]));
    match (cfg!(target_os = "macos"), cfg!(target_env = "msvc")) {
        (true, _) => _ = rustc.args(["-l", "c++"]),
        (_, true) => {}
        _ => _ = rustc.args(["-l", "stdc++"]),
    }
    let output = rustc.output().map_err(|error| format!("{rustc:?}: {error}"))?;
    let _ = std::fs::remove_file(program); // 13 MB
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let telling = ["cannot find", "unable to find", "undefined", "error"];
    let line = telling.iter().find_map(|word| text.lines().find(|line| line.contains(word)));
    Err(line.unwrap_or("the linker does not say why").trim().chars().take(200).collect())
}
