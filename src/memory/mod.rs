//! Memory: how much this process may take, counts of bytes, and vectors that may be refused.
//!
//! `bytes` is the type of every size that is planned, `allocate` makes what grows with the input,
//! `pages` what is largest.
//! What may be taken is the least of what the system has free, what the control groups leave
//! (`group`), what the limits of the process leave (`process`, with `heaps`, which keeps the C
//! library from wasting that), and what the user allows (`VKD_MEMORY_LIMIT`).

mod allocate;
mod bytes;
mod group;
mod heaps;
mod pages;
mod process;

use std::path::Path;

pub(crate) use allocate::{
    collected, copied, filled, is_limited, require_spare, reserve, room, take, would_starve,
    zeroed, zeroed_of,
};
pub use bytes::Bytes;
pub(crate) use pages::Pages;

use allocate::SPARE;

use crate::environment;
use crate::error::{Error, Result};

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
            groups: group::rest(Path::new("/")),
            process: process::rest().map(|rest| rest.less(SPARE)),
            allowed: limit(),
            available: available_bytes(),
        }
    }
}

/// Bytes that are free for this process: what the system can give without swapping, and what
/// control groups and limits leave. `None` where the system does not tell.
pub(crate) fn available_bytes() -> Option<Bytes> {
    let root = Path::new("/");
    let system = meminfo(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    let process = process::rest().map(|rest| rest.less(SPARE));
    let limits = [group::rest(root), process].into_iter().flatten();
    Some(limits.fold(system, Bytes::min))
}

/// Refuses `what`, which takes `needed` bytes of this machine, where they are not there, or are
/// more than the user allows.
pub(crate) fn require(what: &'static str, needed: Bytes) -> Result<()> {
    let free = available_bytes().unwrap_or(Bytes::UNCOUNTABLE);
    let available = limit()?.unwrap_or(free).min(free);
    match needed.fit(available) {
        true => Ok(()),
        false => {
            let (needed, available) = (needed.get(), available.get());
            Err(Error::TooLarge { what, needed, available, device: "this machine".into() })
        }
    }
}

/// The variable of the limit.
const LIMIT: &str = "VKD_MEMORY_LIMIT";

/// The limit that `VKD_MEMORY_LIMIT` sets: a number of bytes, or one with K, M, G or T behind it
/// (powers of 1,024).
pub(crate) fn limit() -> Result<Option<Bytes>> {
    let Some(text) = environment::text(LIMIT)? else { return Ok(None) };
    match text.parse() {
        Ok(limit) => Ok(Some(limit)),
        Err(_) => Err(Error::BadOption {
            option: LIMIT,
            got: text,
            allowed: "set it to a number of bytes from 1, such as 3000000000, 500M or 2G".into(),
        }),
    }
}

/// `MemAvailable` of /proc/meminfo.
fn meminfo(text: &str) -> Option<Bytes> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(Bytes::new(line.split_whitespace().next()?.parse().ok()?) * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_system_writes() {
        let text = "MemTotal:       24676512 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(meminfo(text), Some(Bytes::new(20_480_000_000)));
        assert_eq!(meminfo("MemTotal: 3 kB"), None);
    }
}
