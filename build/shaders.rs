//! The kernels: GLSL to SPIR-V, and the Rust table of what was built.
//!
//! `KERNELS` is the one list of them. For each variant OUT_DIR gets `FILE.VARIANT.spv`, and
//! `kernels.rs`, which `src/engine/vulkan/kernels/table.rs` includes, gets a constant. The code is
//! compiled (build/compile.rs), or without the feature `compile-shaders` that of shaders/spirv
//! (build/committed.rs). `sources.txt` has a hash of all that the code is made of, by which the
//! committed code is known to be of these sources.

use std::fmt::Write;
use std::fs;
use std::path::Path;

#[cfg(not(feature = "compile-shaders"))]
#[path = "committed.rs"]
mod committed;
#[cfg(feature = "compile-shaders")]
#[path = "compile.rs"]
mod compile;

#[cfg(not(feature = "compile-shaders"))]
use committed::Committed as Code;
#[cfg(feature = "compile-shaders")]
use compile::Compiler as Code;

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

/// Whether the words are a texel buffer.
const READS_VARIANTS: &[Variant] = &[
    buffers("plain", &[("TEXELS", "0")]),
    Variant { name: "texels", definitions: &[("TEXELS", "1")], texels: 0b1, storage_texels: 0 },
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
    kernel("reads", 2, READS_VARIANTS),
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

/// One SPIR-V file: a kernel's source with these definitions.
pub(crate) struct Unit {
    /// FILE.VARIANT or FILE.VARIANT_SLABS.
    name: String,
    file: &'static str,
    definitions: Vec<(&'static str, String)>,
}

impl Unit {
    fn new(kernel: &Kernel, variant: &Variant, slabs: Option<u32>) -> Self {
        let mut name = format!("{}.{}", kernel.file, variant.name);
        let mut definitions: Vec<_> =
            variant.definitions.iter().map(|&(key, value)| (key, value.to_owned())).collect();
        if let Some(slabs) = slabs {
            name = format!("{name}_{slabs}");
            definitions.push(("SLABS", slabs.to_string()));
        }
        Self { name, file: kernel.file, definitions }
    }
}

/// Writes the code of all kernels into `out`, and their table. An error in a shader ends the build
/// with its file and line.
pub(crate) fn build(out: &Path) {
    println!("cargo:rerun-if-changed=shaders");
    let internals = std::env::var_os("CARGO_FEATURE_INTERNALS").is_some();
    let hash = sources();
    fs::write(out.join("sources.txt"), format!("{hash}\n")).expect("OUT_DIR is writable");
    let code = match Code::new(&hash) {
        Ok(code) => code,
        Err(error) => return println!("cargo::error={error}"),
    };
    // What an earlier build left may have another name by now.
    for entry in fs::read_dir(out).expect("OUT_DIR is readable").flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "spv") {
            fs::remove_file(entry.path()).expect("OUT_DIR is writable");
        }
    }
    let tables = Tables { code, out };
    let mut table = String::new();
    let mut failed = false;
    for kernel in KERNELS.iter().filter(|kernel| internals || !kernel.internal) {
        for variant in kernel.variants {
            match tables.constant(kernel, variant) {
                Ok(constant) => table += &constant,
                Err(error) => {
                    // The text holds file:line of every message.
                    eprintln!("{error}");
                    failed = true;
                }
            }
        }
    }
    assert!(!failed, "the code of a shader is missing, see above");
    fs::write(out.join("kernels.rs"), table).expect("OUT_DIR is writable");
}

/// A hash (FNV-1a) of all shaders, and of the definitions of each unit.
fn sources() -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        // A checkout may have other line ends.
        for byte in text.bytes().filter(|&byte| byte != b'\r').chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    };
    let folder = fs::read_dir("shaders").expect("the folder shaders is readable");
    let files = folder.map(|entry| entry.expect("the folder shaders is readable").path());
    let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
    files.sort();
    for file in files {
        add(&file.file_name().expect("files have names").to_string_lossy());
        add(&fs::read_to_string(&file).expect("shaders are text"));
    }
    for kernel in KERNELS {
        for variant in kernel.variants {
            add(&format!("{} {:?}", kernel.file, variant.definitions));
            add(&format!("{} {:?}", variant.name, kernel.slabs));
        }
    }
    format!("{hash:016x}")
}

struct Tables<'a> {
    code: Code,
    out: &'a Path,
}

impl Tables<'_> {
    /// The declaration of a variant's constant: a kernel, or one for each number of slabs.
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

    /// Writes a variant's code and returns the Rust expression of it.
    fn value(
        &self,
        kernel: &Kernel,
        variant: &Variant,
        slabs: Option<u32>,
    ) -> Result<String, String> {
        let unit = Unit::new(kernel, variant, slabs);
        let name = &unit.name;
        let spirv = self.code.spirv(&unit)?;
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
}
