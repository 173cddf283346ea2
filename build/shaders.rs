//! The kernels: GLSL to SPIR-V (shaderc), and the Rust table of what was built.
//!
//! `KERNELS` is the one list of them. For each variant OUT_DIR gets `FILE.VARIANT.spv`, and
//! `kernels.rs`, which `src/engine/vulkan/kernels/table.rs` includes, gets a constant.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A GLSL file and the variants that are built of it.
struct Kernel {
    /// The file, shaders/FILE.comp.
    file: &'static str,
    /// Buffers that it binds, beside the slabs of the matrix.
    bindings: u32,
    /// How many slabs it reads the matrix from, a variant for each, in increasing order: a matrix
    /// may be spread over so many bindings, which follow the others.
    slabs: &'static [u32],
    variants: &'static [Variant],
    /// For tests and benchmarks only.
    internal: bool,
}

/// How a kernel is compiled.
struct Variant {
    /// "plain" is not in the constant's name.
    name: &'static str,
    definitions: &'static [(&'static str, &'static str)],
    /// Which bindings are texel buffers to read, and which to read and write, by bit.
    texels: u32,
    storage_texels: u32,
}

const NO_SLABS: &[u32] = &[];
const SLABS: &[u32] = &[1, 4, 16];

/// Scores and picks; the slabs follow.
const SEQUENCE_BINDINGS: u32 = 2;

/// Whether subgroup arithmetic may be used, and whether the scores and the slabs are texel buffers.
const SEQUENCE_VARIANTS: &[Variant] = &[
    Variant {
        name: "texels",
        definitions: &[("SUBGROUPS", "1"), ("TEXELS", "1")],
        texels: !0 << SEQUENCE_BINDINGS,
        storage_texels: 1,
    },
    buffers("subgroup", &[("SUBGROUPS", "1"), ("TEXELS", "0")]),
    buffers("shared", &[("SUBGROUPS", "0"), ("TEXELS", "0")]),
];

/// For GPUs only, and for software drivers only.
const REGISTER_VARIANTS: &[Variant] = SEQUENCE_VARIANTS.split_at(1).1;
const SOFTWARE_VARIANTS: &[Variant] = SEQUENCE_VARIANTS.split_at(1).0;

/// How they multiply (shaders/tile.glsl), and whether the rows are texel buffers.
const TILE_VARIANTS: &[Variant] = &[
    buffers("wide", &[("MULTIPLY", "0"), ("TEXELS", "0")]),
    Variant {
        name: "texels",
        definitions: &[("MULTIPLY", "0"), ("TEXELS", "1")],
        texels: 0b11,
        storage_texels: 0,
    },
    buffers("biased", &[("MULTIPLY", "1"), ("TEXELS", "0")]),
    buffers("dot16", &[("MULTIPLY", "2"), ("TEXELS", "0")]),
    buffers("dot8", &[("MULTIPLY", "3"), ("TEXELS", "0")]),
];

/// Whether the rows and the centroids are texel buffers.
const DIRECT_VARIANTS: &[Variant] = &[
    buffers("plain", &[("TEXELS", "0")]),
    Variant { name: "texels", definitions: &[("TEXELS", "1")], texels: 0b1, storage_texels: 0b10 },
];

const KERNELS: &[Kernel] = &[
    kernel("matrix", 5, TILE_VARIANTS),
    kernel("rows", 4, TILE_VARIANTS),
    kernel("dots", 3, TILE_VARIANTS),
    kernel("nearest", 3, &[buffers("plain", &[])]),
    sequences("sequences_buffer", SEQUENCE_VARIANTS),
    sequences("sequences_registers", REGISTER_VARIANTS),
    sequences("sequences_software", SOFTWARE_VARIANTS),
    Kernel { internal: true, ..kernel("direct_method", 4, DIRECT_VARIANTS) },
];

const fn kernel(file: &'static str, bindings: u32, variants: &'static [Variant]) -> Kernel {
    Kernel { file, bindings, slabs: NO_SLABS, variants, internal: false }
}

const fn sequences(file: &'static str, variants: &'static [Variant]) -> Kernel {
    Kernel { slabs: SLABS, ..kernel(file, SEQUENCE_BINDINGS, variants) }
}

/// A variant without texel buffers.
const fn buffers(
    name: &'static str,
    definitions: &'static [(&'static str, &'static str)],
) -> Variant {
    Variant { name, definitions, texels: 0, storage_texels: 0 }
}

/// Compiles all kernels into `out` and writes their table there. A shader error ends the build with
/// its file and line.
pub(crate) fn build(out: &Path) {
    println!("cargo:rerun-if-changed=shaders");
    let internals = std::env::var_os("CARGO_FEATURE_INTERNALS").is_some();
    let compiler =
        Compiler { compiler: shaderc::Compiler::new().expect("a shaderc compiler"), out };
    let mut table = String::new();
    let mut failed = false;
    for kernel in KERNELS.iter().filter(|kernel| internals || !kernel.internal) {
        for variant in kernel.variants {
            match compiler.constant(kernel, variant) {
                Ok(constant) => table += &constant,
                Err(error) => {
                    // The text holds file:line of every message.
                    eprintln!("{error}");
                    failed = true;
                }
            }
        }
    }
    assert!(!failed, "a shader does not compile, see above");
    fs::write(out.join("kernels.rs"), table).expect("OUT_DIR is writable");
}

struct Compiler<'a> {
    compiler: shaderc::Compiler,
    out: &'a Path,
}

impl Compiler<'_> {
    /// Compiles a variant, and returns the declaration of its constant: a kernel, or one for each
    /// number of slabs.
    fn constant(&self, kernel: &Kernel, variant: &Variant) -> Result<String, String> {
        let mut name = kernel.file.to_uppercase();
        if variant.name != "plain" {
            name = format!("{name}_{}", variant.name.to_uppercase());
        }
        if kernel.slabs.is_empty() {
            let value = self.value(kernel, variant, None)?;
            return Ok(format!("pub(crate) const {name}: Kernel = {value};\n"));
        }
        let mut values = String::new();
        for &slabs in kernel.slabs {
            let kernel = self.value(kernel, variant, Some(slabs))?;
            let _ = writeln!(values, "    SlabVariant {{ slabs: {slabs}, kernel: {kernel} }},");
        }
        let count = kernel.slabs.len();
        Ok(format!("pub(crate) const {name}: [SlabVariant; {count}] = [\n{values}];\n"))
    }

    /// Compiles a variant and returns the Rust expression of it.
    fn value(
        &self,
        kernel: &Kernel,
        variant: &Variant,
        slabs: Option<u32>,
    ) -> Result<String, String> {
        let mut name = format!("{}.{}", kernel.file, variant.name);
        let mut definitions: Vec<(&str, String)> =
            variant.definitions.iter().map(|&(key, value)| (key, value.to_owned())).collect();
        if let Some(slabs) = slabs {
            name = format!("{name}_{slabs}");
            definitions.push(("SLABS", slabs.to_string()));
        }
        let spirv = self.spirv(kernel.file, &definitions)?;
        fs::write(self.out.join(format!("{name}.spv")), spirv).expect("OUT_DIR is writable");
        let bindings = kernel.bindings + slabs.unwrap_or(0);
        let mask = (1 << bindings) - 1;
        let (texels, storage_texels) = (variant.texels & mask, variant.storage_texels & mask);
        Ok(format!(
            "Kernel {{ name: {name:?}, \
             spirv: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.spv\")), \
             bindings: {bindings}, texels: {texels:#b}, storage_texels: {storage_texels:#b} }}"
        ))
    }

    fn spirv(&self, file: &str, definitions: &[(&str, String)]) -> Result<Vec<u8>, String> {
        let path = format!("shaders/{file}.comp");
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
        self.compiler
            .compile_into_spirv(&source, kind, &path, "main", Some(&options))
            .map(|artifact| artifact.as_binary_u8().to_vec())
            .map_err(|error| error.to_string())
    }
}
