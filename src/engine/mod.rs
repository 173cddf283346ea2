//! Engines compute what a plan asks for; all of them give the same bits.
//!
//! `interface` is all the rest of the library knows of them, with `device`, `rows` (where finished
//! rows go) and `neighbors` (what is asked of a search). `reference` is the contract in the
//! plainest loops, the oracle of every test: it shares no arithmetic with the others. `cpu` is the
//! built-in engine for processors, `vulkan` runs GLSL kernels on a Vulkan device, `several` splits
//! a run over some of them. `kept` is the matrix that one run leaves to the next,
//! `common_picks` estimates how many rows of a matrix a run adds.

mod common_picks;
pub mod cpu;
mod device;
mod interface;
mod kept;
mod lru;
pub mod neighbors;
pub mod reference;
mod rows;
mod several;
pub mod vulkan;

pub use device::{DeviceInfo, DeviceKind};
pub use interface::{Engine, Needs, Planner, RowSource};
pub use rows::{
    MemoryNeighbors, MemorySequences, MemorySimilarities, Pairs, PutDots, PutNeighbors,
    PutSequences,
};
pub use several::Several;
