//! The built-in engine: the processor's threads and vector instructions, no driver.
//!
//! `simd` is the one place that knows instruction sets, `workers` the threads that use them
//! (`settings` says how), with `lockstep` for work in steps. `product` and `tiles` are the dot
//! products: of all rows with all, and of all with a few. `rules` is what a sequence knows of the
//! candidates, `track` how far it is.
//!
//! Sequences come three ways, and `sources` chooses: from a `matrix` (the picks are in `sequences`,
//! with `slot`; those with equal futures share their rest, `merge`; the matrix may be kept for the
//! next run), from rows on `demand`, or with rows that wait (`lazy`). `neighbors` (with
//! `nearest`) and `dots` are the other kinds of work. `engine` offers it all to the library. Plain
//! safe Rust throughout.

mod demand;
mod dots;
mod engine;
mod lazy;
mod lockstep;
mod matrix;
mod merge;
mod nearest;
mod neighbors;
#[cfg(feature = "internals")]
mod peak;
mod product;
mod rules;
mod segments;
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
