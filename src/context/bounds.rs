//! What a run takes, and whether there is memory for it.

use crate::corpus::Shape;
use crate::engine::Needs;
use crate::error::{Error, Result};
use crate::memory;

/// What a run takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunPlan {
    /// What the engine takes.
    pub engine: Needs,
    /// Bytes of the prepared rows and weights, on the host during the whole run.
    pub corpus_bytes: u64,
    /// Bytes of the result: in memory, or in the file. 0 for a site, whose files depend on its ids
    /// and metadata.
    pub output_bytes: u64,
    /// Bytes of the host's memory at the most: prepared rows, engine, and what of the result is in
    /// memory.
    pub host_bytes: u64,
    /// Rows of the result: sequences, or those of neighbours or similarities.
    pub rows: u64,
    /// Steps of the work: picks, or dot products.
    pub steps: u64,
}

/// What bounds the host's memory of a run.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    limit: Option<u64>,
    /// Who has the memory, for messages.
    device: String,
}

impl Bounds {
    /// `limit`: the most bytes that a run may take, if less than there is.
    pub(super) fn new(limit: Option<u64>, device: String) -> Bounds {
        Bounds { limit, device }
    }

    /// Completes a plan whose `host_bytes` are those of the result alone; refuses what does not
    /// fit.
    pub(super) fn check(&self, plan: RunPlan) -> Result<RunPlan> {
        // Beyond 2^64 bytes the sum need not be exact: there is no such memory.
        let needed = plan.host_bytes.saturating_add(plan.corpus_bytes);
        let needed = needed.saturating_add(plan.engine.host_bytes);
        let free = memory::available_bytes().unwrap_or(u64::MAX);
        let available = self.limit.unwrap_or(free).min(free);
        if needed > available {
            let device = self.device.clone();
            return Err(Error::TooLarge { what: "the run", needed, available, device });
        }
        Ok(RunPlan { host_bytes: needed, ..plan })
    }
}

/// Bytes of prepared rows and weights.
pub(super) fn corpus_bytes(shape: Shape) -> u64 {
    shape.values().saturating_mul(2).saturating_add(u64::from(shape.num_items) * 2)
}
