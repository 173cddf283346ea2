//! Vector instructions: which level the machine has, and the few operations the kernels need of it.
//!
//! The kernels are written once over `Simd`; pulp checks the level at run time and makes the calls
//! safe. A level is a type here, so a kernel is compiled once for every level and chosen once per
//! run. No other file knows of instruction sets.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod dispatch;
mod level;
mod operations;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use dispatch::dispatch;
pub use level::Level;
pub(super) use operations::{HalfLine, Line, OnSimd, Simd, INTERLEAVED, LINE};
