//! Engines compute what a plan asks for; all of them give the same bits.
//!
//! `reference` is the contract in the plainest loops, the oracle of every test. `cpu` is the built-in engine
//! for processors, `vulkan` runs GLSL kernels on a Vulkan device, `several` splits a run over some of them.
//! `Engine` is all the rest of the library knows of them.

pub mod cpu;
pub mod neighbors;
pub mod reference;
mod rows;
mod several;
pub mod vulkan;

pub use rows::{
    count_pairs, DotRows, MemoryNeighbors, MemoryRows, MemorySimilarities, NeighborRows, Rows,
};

pub use several::Several;

use crate::corpus::Corpus;
use crate::error::Result;
use crate::plan::Plan;
use crate::progress::Progress;
use neighbors::{Neighbors, Query, QueryShape};

/// What kind of machinery a device is, in the order in which one is chosen by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// A graphics card with its own memory.
    DiscreteGpu,
    /// A GPU that shares the processor's memory.
    IntegratedGpu,
    /// A GPU seen through a virtual machine.
    VirtualGpu,
    /// The built-in CPU engine: needs no driver.
    Cpu,
    /// A Vulkan driver that runs on the processor (llvmpipe, SwiftShader).
    SoftwareVulkan,
    /// Anything else that speaks Vulkan.
    OtherVulkan,
    /// The built-in reference engine: plain loops, slow, needs no driver.
    Reference,
    /// Some of these at once.
    Several,
}

/// A device as shown to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Name, as the driver gives it.
    pub name: String,
    /// Driver name and version.
    pub driver: String,
    /// Kind of device.
    pub kind: DeviceKind,
    /// The device's UUID; zero for the reference engine.
    pub uuid: [u8; 16],
    /// Bytes of the largest memory heap the engine can use; 0 where unknown.
    pub memory_bytes: u64,
    /// The most bytes one buffer binding may span; a larger matrix is split over several.
    pub max_binding_bytes: u64,
    /// Lanes of a subgroup; 1 for the reference engine.
    pub subgroup_size: u32,
    /// Loop rounds that one dispatch may spend per lane; 0: no limit.
    pub loop_budget: u32,
}

/// Computes sequences, neighbours and similarities. One call at a time.
pub trait Engine: Send {
    /// The device it works on.
    fn info(&self) -> &DeviceInfo;

    /// What a run of `plan` over a corpus of this size takes, or why this device cannot do it.
    fn needs(&self, num_items: u32, dim: u32, plan: &Plan) -> Result<Needs>;

    /// Computes the planned sequences of `corpus`, with one pick at least, and puts them into `rows`. Every
    /// sequence begins with its head; each further item is the untaken one with the lowest score, on equal
    /// scores the lowest number.
    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn Rows,
        progress: &Progress,
    ) -> Result<()>;

    /// What a search of this shape takes, or why this device cannot do it.
    fn search_needs(&self, shape: &QueryShape) -> Result<Needs>;

    /// Finds the nearest items of every query (see [`neighbors`]) and puts them into `rows`.
    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn NeighborRows,
        progress: &Progress,
    ) -> Result<()>;

    /// What [`Engine::dots`] takes.
    fn dots_needs(&self, num_items: u32, dim: u32) -> Result<Needs>;

    /// Puts the dot products of every item with all items into `rows`; with `upper` at least those with later items.
    fn dots(
        &mut self,
        corpus: &Corpus,
        upper: bool,
        rows: &dyn DotRows,
        progress: &Progress,
    ) -> Result<()>;

    /// [`Engine::neighbors`] into memory.
    fn neighbors_in_memory(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        progress: &Progress,
    ) -> Result<Neighbors> {
        let rows = MemoryNeighbors::new(query.rows(corpus).num_items(), query.k)?;
        self.neighbors(corpus, query, &rows, progress)?;
        Ok(rows.into_neighbors())
    }

    /// [`Engine::sequences`] into memory.
    fn sequences_in_memory(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        progress: &Progress,
    ) -> Result<Vec<u32>> {
        let rows = MemoryRows::new(plan)?;
        self.sequences(corpus, plan, &rows, progress)?;
        Ok(rows.into_values())
    }
}

/// What a run takes, beside the prepared corpus and the sequences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The most bytes of the host's memory that the engine holds at once.
    pub host_bytes: u64,
    /// The most bytes of the device's memory that it holds at once; 0 for the built-in engines. All counts here are
    /// sums over several engines, as if each did the whole run, but for `held_rows`, which is the lowest.
    pub device_bytes: u64,
    /// Groups of sequences or queries that are computed side by side, one after the other; finished ones are
    /// kept after each.
    pub batches: u64,
    /// Submissions to the device, at least; 0 for the built-in engines.
    pub dispatches: u64,
    /// Rows of the contribution matrix that the engine holds at once. Fewer than there are items: the others
    /// are computed when they are needed, and a run takes longer. 0 where there is no matrix.
    pub held_rows: u64,
}
