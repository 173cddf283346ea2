//! The SPIR-V of every kernel variant, built from shaders/ by build.rs.

/// A kernel variant: its SPIR-V and how many storage buffers it binds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kernel {
    pub(super) name: &'static str,
    pub(super) spirv: &'static [u8],
    pub(super) bindings: u32,
}

macro_rules! kernel {
    ($file:literal, $bindings:expr) => {
        Kernel {
            name: $file,
            spirv: include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".spv")),
            bindings: $bindings,
        }
    };
}

/// Scores, picks and starts; the matrix follows.
pub(super) const SEQUENCE_BINDINGS: u32 = 3;

pub(super) const MATRIX: Kernel = kernel!("matrix.plain", 5);
pub(super) const DIRECT_METHOD: Kernel = kernel!("direct_method.baseline", 4);

/// A sequence kernel for a matrix of up to 1, 4 or 16 slabs.
type BySlabs = [(u32, Kernel); 3];

pub(super) const BUFFER_SUBGROUP: BySlabs = [
    (1, kernel!("sequences_buffer.subgroup_1", 4)),
    (4, kernel!("sequences_buffer.subgroup_4", 7)),
    (16, kernel!("sequences_buffer.subgroup_16", 19)),
];
pub(super) const BUFFER_SHARED: BySlabs = [
    (1, kernel!("sequences_buffer.shared_1", 4)),
    (4, kernel!("sequences_buffer.shared_4", 7)),
    (16, kernel!("sequences_buffer.shared_16", 19)),
];
pub(super) const REGISTERS_SUBGROUP: BySlabs = [
    (1, kernel!("sequences_registers.subgroup_1", 4)),
    (4, kernel!("sequences_registers.subgroup_4", 7)),
    (16, kernel!("sequences_registers.subgroup_16", 19)),
];
pub(super) const REGISTERS_SHARED: BySlabs = [
    (1, kernel!("sequences_registers.shared_1", 4)),
    (4, kernel!("sequences_registers.shared_4", 7)),
    (16, kernel!("sequences_registers.shared_16", 19)),
];

/// The most slabs any variant takes.
pub(super) const MAX_SLABS: u32 = 16;
