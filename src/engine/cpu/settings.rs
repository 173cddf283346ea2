//! What can be set of the CPU engine.

use super::simd::Level;
use crate::engine::RowSource;

/// Settings of the CPU engine; the default is the fastest. All settings give the same bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// How many threads, in a context also for the preparation of embeddings; `None` or 0: what
    /// `VKD_THREADS` says, else one per processor.
    pub threads: Option<u32>,
    /// Vector instructions; a level that the machine lacks falls back to plain loops.
    pub level: Option<Level>,
    /// Let sequences of the rule centroid whose picked sets have become equal share the rest; by
    /// default where that pays, of long ones.
    pub share_equal_sets: Option<bool>,
    /// How the rows come that picks add; by default what costs least.
    pub rows: Option<RowSource>,
}
