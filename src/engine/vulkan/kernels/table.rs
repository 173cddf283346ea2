//! The SPIR-V of every kernel variant, built from shaders/ by build.rs.

/// A kernel variant: its SPIR-V, how many buffers it binds, and which of them (by bit) as texels to
/// read, or as texels to read and write.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) spirv: &'static [u8],
    pub(crate) bindings: u32,
    pub(crate) texels: u32,
    pub(crate) storage_texels: u32,
}

macro_rules! kernel {
    ($file:literal, $bindings:expr) => {
        kernel!($file, $bindings, 0, 0)
    };
    ($file:literal, $bindings:expr, $texels:expr, $storage_texels:expr) => {
        Kernel {
            name: $file,
            spirv: include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".spv")),
            bindings: $bindings,
            texels: $texels,
            storage_texels: $storage_texels,
        }
    };
}

/// Scores and picks; the matrix follows.
const SEQUENCE_BINDINGS: u32 = 2;

/// The bindings behind these, as bits.
const SLAB_BITS: u32 = !0 << SEQUENCE_BINDINGS;

pub(crate) const MATRIX_WIDE: Kernel = kernel!("matrix.wide", 5);
pub(crate) const MATRIX_TEXELS: Kernel = kernel!("matrix.texels", 5, 0b11, 0);
pub(crate) const MATRIX_BIASED: Kernel = kernel!("matrix.biased", 5);
pub(crate) const MATRIX_DOT16: Kernel = kernel!("matrix.dot16", 5);
pub(crate) const MATRIX_DOT8: Kernel = kernel!("matrix.dot8", 5);
pub(crate) const DOTS_WIDE: Kernel = kernel!("dots.wide", 3);
pub(crate) const DOTS_TEXELS: Kernel = kernel!("dots.texels", 3, 0b11, 0);
pub(crate) const DOTS_BIASED: Kernel = kernel!("dots.biased", 3);
pub(crate) const DOTS_DOT16: Kernel = kernel!("dots.dot16", 3);
pub(crate) const DOTS_DOT8: Kernel = kernel!("dots.dot8", 3);
pub(crate) const ROWS_WIDE: Kernel = kernel!("rows.wide", 4);
pub(crate) const ROWS_TEXELS: Kernel = kernel!("rows.texels", 4, 0b11, 0);
pub(crate) const ROWS_BIASED: Kernel = kernel!("rows.biased", 4);
pub(crate) const ROWS_DOT16: Kernel = kernel!("rows.dot16", 4);
pub(crate) const ROWS_DOT8: Kernel = kernel!("rows.dot8", 4);
pub(crate) const NEAREST: Kernel = kernel!("nearest.plain", 3);
pub(crate) const DIRECT_METHOD: Kernel = kernel!("direct_method.plain", 4);
pub(crate) const DIRECT_METHOD_TEXELS: Kernel = kernel!("direct_method.texels", 4, 0b1, 0b10);

/// A sequence kernel for a matrix of up to 1, 4 or 16 slabs.
type BySlabs = [(u32, Kernel); 3];

pub(crate) const BUFFER_TEXELS: BySlabs = [
    (1, kernel!("sequences_buffer.texels_1", 3, SLAB_BITS & 0x7, 1)),
    (4, kernel!("sequences_buffer.texels_4", 6, SLAB_BITS & 0x3f, 1)),
    (16, kernel!("sequences_buffer.texels_16", 18, SLAB_BITS & 0x3ffff, 1)),
];
pub(crate) const BUFFER_SUBGROUP: BySlabs = [
    (1, kernel!("sequences_buffer.subgroup_1", 3)),
    (4, kernel!("sequences_buffer.subgroup_4", 6)),
    (16, kernel!("sequences_buffer.subgroup_16", 18)),
];
pub(crate) const BUFFER_SHARED: BySlabs = [
    (1, kernel!("sequences_buffer.shared_1", 3)),
    (4, kernel!("sequences_buffer.shared_4", 6)),
    (16, kernel!("sequences_buffer.shared_16", 18)),
];
pub(crate) const SOFTWARE: BySlabs = [
    (1, kernel!("sequences_software.texels_1", 3, SLAB_BITS & 0x7, 1)),
    (4, kernel!("sequences_software.texels_4", 6, SLAB_BITS & 0x3f, 1)),
    (16, kernel!("sequences_software.texels_16", 18, SLAB_BITS & 0x3ffff, 1)),
];
pub(crate) const REGISTERS_SUBGROUP: BySlabs = [
    (1, kernel!("sequences_registers.subgroup_1", 3)),
    (4, kernel!("sequences_registers.subgroup_4", 6)),
    (16, kernel!("sequences_registers.subgroup_16", 18)),
];
pub(crate) const REGISTERS_SHARED: BySlabs = [
    (1, kernel!("sequences_registers.shared_1", 3)),
    (4, kernel!("sequences_registers.shared_4", 6)),
    (16, kernel!("sequences_registers.shared_16", 18)),
];

/// The most slabs of a matrix that a variant takes, and that `bindings` bindings allow. 0: not even one.
pub(crate) fn max_slabs(bindings: u32) -> u32 {
    let fits = |(_, kernel): &&(u32, Kernel)| kernel.bindings <= bindings;
    BUFFER_SHARED.iter().rev().find(fits).map_or(0, |(slabs, _)| *slabs)
}

/// Bindings of the kernel that has the most beside the slabs: the matrix's.
pub(crate) const LEAST_BINDINGS: u32 = MATRIX_WIDE.bindings;
