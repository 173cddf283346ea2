//! The floor that runs are compared with: how fast the device reads its memory.

use serde_json::{json, Value};
use vkd::engine::vulkan::{Settings, VulkanEngine};
use vkd::engine::{DeviceInfo, DeviceKind};
use vkd::{Bytes, MemoryState};

use super::reads::read_bandwidth;
use crate::doctor::probe::uuid;

/// The buffer that the processor reads: larger than caches.
const BUFFER: u64 = 1 << 30;

/// A bandwidth, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bandwidth {
    /// Bytes per second.
    pub(crate) rate: f64,
    pub(crate) source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Plain reads of a buffer of so many bytes.
    Measured { buffer_bytes: u64 },
    /// By the option --bandwidth.
    Given,
}

impl Bandwidth {
    /// The one that is given, else a measured one; or why there is none.
    pub(crate) fn of(info: &DeviceInfo, given: Option<f64>) -> Result<Bandwidth, String> {
        if let Some(gigabytes) = given {
            return Ok(Bandwidth { rate: gigabytes * 1e9, source: Source::Given });
        }
        match info.kind {
            DeviceKind::Several => Err("several devices have no common bandwidth".into()),
            DeviceKind::Cpu | DeviceKind::Reference => Bandwidth::of_processor(),
            _ => Bandwidth::of_vulkan(info),
        }
    }

    fn of_vulkan(info: &DeviceInfo) -> Result<Bandwidth, String> {
        let engine = VulkanEngine::new(&uuid(&info.uuid), &Settings::default());
        let reads = engine.and_then(|mut engine| engine.measure_reads());
        let reads = reads.map_err(|error| error.to_string())?;
        let source = Source::Measured { buffer_bytes: reads.buffer_bytes };
        Ok(Bandwidth { rate: reads.rate(), source })
    }

    fn of_processor() -> Result<Bandwidth, String> {
        let available = MemoryState::now().available.map_or(BUFFER, Bytes::get);
        let buffer_bytes = BUFFER.min(available / 4);
        if buffer_bytes < BUFFER / 32 {
            return Err("too little memory is free to measure it".into());
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let rate = read_bandwidth(buffer_bytes as usize, threads) * 1e9;
        Ok(Bandwidth { rate, source: Source::Measured { buffer_bytes } })
    }

    /// Where it comes from, in words.
    pub(crate) fn origin(&self) -> String {
        match self.source {
            Source::Given => "given by --bandwidth".into(),
            Source::Measured { buffer_bytes } => {
                format!("measured by plain reads of {} MB", buffer_bytes / 1_000_000)
            }
        }
    }

    pub(crate) fn json(&self) -> Value {
        let buffer = match self.source {
            Source::Measured { buffer_bytes } => Some(buffer_bytes),
            Source::Given => None,
        };
        json!({
            "bytes_per_second": self.rate,
            "measured": buffer.is_some(),
            "buffer_bytes": buffer,
        })
    }
}
