//! The built-in engine: the processor's threads and vector instructions, no driver.
//!
//! `simd` is the one place that knows instruction sets, `workers` the threads that use them
//! (`settings` says how), `pages` the memory of the matrix, `product` the dot products. On them
//! stand `matrix` (contributions or similarities, the source of rows), `rules` (what a sequence
//! knows of the candidates), `merge` (sequences with equal futures share their rest), `sequences`
//! (the picks, with `slot`), `neighbors` (with `nearest`) and
//! `dots` (plain rows of products). `engine` offers it all to the library. Plain safe Rust
//! throughout; data flows in the order of these names.

mod demand;
mod dots;
mod engine;
mod lazy;
mod lockstep;
mod matrix;
mod merge;
mod nearest;
mod neighbors;
mod pages;
#[cfg(feature = "internals")]
mod peak;
mod product;
mod rules;
mod sequences;
mod settings;
mod simd;
mod slot;
mod sources;
mod task;
mod tiles;
mod track;
mod workers;

pub use engine::{default_device_info, CpuEngine};
#[cfg(feature = "internals")]
pub use peak::multiply_adds_per_second;
pub use settings::Settings;
pub use simd::Level;
