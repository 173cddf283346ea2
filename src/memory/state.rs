//! What bounds the memory of this process, each bound by itself, for those who tell users.

use super::allocate::SPARE;
use super::bytes::Bytes;
use super::{available_bytes, group, limit, meminfo, process};
use crate::error::Result;

/// Memory that this process may take, and what bounds it. `None`: not bounded, or not told.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryState {
    /// What the system can give without swapping.
    pub system: Option<Bytes>,
    /// What the control groups of this process leave it.
    pub groups: Option<Bytes>,
    /// What the limits of the process leave it (`ulimit -v`, `ulimit -d`).
    pub process: Option<Bytes>,
    /// The most of a run that `VKD_MEMORY_LIMIT` allows, or why it says nothing that can be read.
    pub allowed: Result<Option<Bytes>>,
    /// The least of the first three: what a run may take, unless it is allowed less.
    pub available: Option<Bytes>,
}

impl MemoryState {
    /// As it is now.
    pub fn now() -> MemoryState {
        let system = std::fs::read_to_string("/proc/meminfo").ok();
        MemoryState {
            system: system.as_deref().and_then(meminfo),
            groups: group::rest("/".as_ref()),
            process: process::rest().map(|rest| rest.less(SPARE)),
            allowed: limit(),
            available: available_bytes(),
        }
    }
}
