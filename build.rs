//! Build steps: GLSL kernels to SPIR-V (shaderc), the C header (cbindgen) and the LuaJIT cdef.
//!
//! Everything is written to OUT_DIR. `src/engine/vulkan/kernels.rs` embeds the SPIR-V;
//! `tests/header.rs` compares the committed header and cdef with the fresh ones (`make header`
//! rewrites them). A shader error ends the build with its file and line.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)] // a build step stops by panicking

use std::fs;
use std::path::{Path, PathBuf};

/// A kernel's GLSL file and the preprocessor definitions of every variant that is built of it.
struct Kernel {
    name: &'static str,
    variants: &'static [Variant],
}

type Variant = (&'static str, &'static [(&'static str, &'static str)]);

/// Whether subgroup arithmetic may be used, over how many bindings the matrix may be spread, and
/// whether these are texel buffers.
const SEQUENCE_VARIANTS: &[Variant] = &[
    ("texels_1", &[("SUBGROUPS", "1"), ("SLABS", "1"), ("TEXELS", "1")]),
    ("texels_4", &[("SUBGROUPS", "1"), ("SLABS", "4"), ("TEXELS", "1")]),
    ("texels_16", &[("SUBGROUPS", "1"), ("SLABS", "16"), ("TEXELS", "1")]),
    ("subgroup_1", &[("SUBGROUPS", "1"), ("SLABS", "1"), ("TEXELS", "0")]),
    ("subgroup_4", &[("SUBGROUPS", "1"), ("SLABS", "4"), ("TEXELS", "0")]),
    ("subgroup_16", &[("SUBGROUPS", "1"), ("SLABS", "16"), ("TEXELS", "0")]),
    ("shared_1", &[("SUBGROUPS", "0"), ("SLABS", "1"), ("TEXELS", "0")]),
    ("shared_4", &[("SUBGROUPS", "0"), ("SLABS", "4"), ("TEXELS", "0")]),
    ("shared_16", &[("SUBGROUPS", "0"), ("SLABS", "16"), ("TEXELS", "0")]),
];

/// For GPUs only, and for software drivers only.
const REGISTER_VARIANTS: &[Variant] = SEQUENCE_VARIANTS.split_at(3).1;
const SOFTWARE_VARIANTS: &[Variant] = SEQUENCE_VARIANTS.split_at(3).0;

/// How they multiply (shaders/tile.glsl), and whether the rows are texel buffers.
const TILE_VARIANTS: &[Variant] = &[
    ("wide", &[("MULTIPLY", "0"), ("TEXELS", "0")]),
    ("texels", &[("MULTIPLY", "0"), ("TEXELS", "1")]),
    ("biased", &[("MULTIPLY", "1"), ("TEXELS", "0")]),
    ("dot16", &[("MULTIPLY", "2"), ("TEXELS", "0")]),
    ("dot8", &[("MULTIPLY", "3"), ("TEXELS", "0")]),
];

const TEXEL_VARIANTS: &[Variant] = &[("plain", &[("TEXELS", "0")]), ("texels", &[("TEXELS", "1")])];

const KERNELS: &[Kernel] = &[
    Kernel { name: "matrix", variants: TILE_VARIANTS },
    Kernel { name: "rows", variants: TILE_VARIANTS },
    Kernel { name: "dots", variants: TILE_VARIANTS },
    Kernel { name: "nearest", variants: &[("plain", &[])] },
    Kernel { name: "sequences_buffer", variants: SEQUENCE_VARIANTS },
    Kernel { name: "sequences_registers", variants: REGISTER_VARIANTS },
    Kernel { name: "sequences_software", variants: SOFTWARE_VARIANTS },
    Kernel { name: "direct_method", variants: TEXEL_VARIANTS },
];

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed=shaders");
    println!("cargo:rerun-if-changed=src/ffi");
    compile_shaders(&out);
    write_header(&out);
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // A closing Lua state dlcloses the library; thread-local destructors would then run in
        // unmapped code.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // cargo-c gives the name itself, the same one, from Cargo.toml's library version.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libvkd.so.0");
    }
}

fn compile_shaders(out: &Path) {
    let compiler = shaderc::Compiler::new().expect("a shaderc compiler");
    let mut failed = false;
    for kernel in KERNELS {
        for (variant, definitions) in kernel.variants {
            match compile(&compiler, kernel.name, definitions) {
                Ok(spirv) => {
                    let file = out.join(format!("{}.{variant}.spv", kernel.name));
                    fs::write(file, spirv).expect("OUT_DIR is writable");
                }
                Err(error) => {
                    // The text holds file:line of every message.
                    eprintln!("{error}");
                    failed = true;
                }
            }
        }
    }
    assert!(!failed, "a shader does not compile, see above");
}

fn compile(
    compiler: &shaderc::Compiler,
    name: &str,
    definitions: &[(&str, &str)],
) -> Result<Vec<u8>, String> {
    let path = format!("shaders/{name}.comp");
    let source = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut options = shaderc::CompileOptions::new().map_err(|error| error.to_string())?;
    options.set_target_env(shaderc::TargetEnv::Vulkan, shaderc::EnvVersion::Vulkan1_1 as u32);
    options.set_optimization_level(shaderc::OptimizationLevel::Performance);
    options.set_warnings_as_errors();
    options.set_include_callback(|include, _, _, _| {
        let path = format!("shaders/{include}");
        let content = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        Ok(shaderc::ResolvedInclude { resolved_name: path, content })
    });
    for (key, value) in definitions {
        options.add_macro_definition(key, Some(value));
    }
    let kind = shaderc::ShaderKind::Compute;
    compiler
        .compile_into_spirv(&source, kind, &path, "main", Some(&options))
        .map(|artifact| artifact.as_binary_u8().to_vec())
        .map_err(|error| error.to_string())
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
    fs::write(out.join("vkd_cdef.lua"), lua_cdef(&header)).expect("OUT_DIR is writable");
}

/// The declarations of the header for LuaJIT's `ffi.cdef`, which knows no preprocessor.
fn lua_cdef(header: &str) -> String {
    let mut cdef = String::from(
        "-- Generated from include/vkd.h. Do not edit: run `make header`.\n-- luacheck: ignore\nreturn [[\n",
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
