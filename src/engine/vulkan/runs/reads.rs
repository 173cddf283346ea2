//! How fast the device reads its memory: the floor of every run, measured as plainly as it can be.
//!
//! The buffer is larger than caches are, and holds numbers in no order, which no hardware
//! compresses. Every invocation adds up its part again and again; the total is compared with that
//! of the host, so that a time in which less was read is not taken for a fast device.

use std::time::Duration;

use super::tools::Tools;
use crate::engine::vulkan::gpu::memory::Buffer;
use crate::engine::vulkan::gpu::pacing;
use crate::engine::vulkan::gpu::pipeline::{Constant, Dispatch, Recipe, Workgroups};
use crate::engine::vulkan::kernels::table;
use crate::error::{Error, Result};
use crate::memory::zeroed;

/// The largest buffer that is read.
const MOST: u64 = 1 << 30;
/// The smallest one that says something.
const LEAST: u64 = 32 << 20;
/// Written at once, again and again: it makes the buffer's contents.
const BLOCK: u64 = 16 << 20;
/// Invocations of a workgroup.
const LANES: u32 = 64;
/// Invocations of all workgroups: as many as a large GPU holds, and fewer for a processor.
const GPU_INVOCATIONS: u64 = 1 << 18;
const SOFTWARE_INVOCATIONS: u64 = 1 << 13;
/// Bytes of an invocation in one round of its loop.
const LOOP_BYTES: u64 = 4 * 16;
/// Measurements of which the best counts.
const TRIES: u32 = 5;

/// What was read, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reads {
    /// Bytes of the buffer.
    pub buffer_bytes: u64,
    /// Bytes of the best measurement, which read the buffer several times.
    pub bytes: u64,
    /// Seconds of that.
    pub seconds: f64,
}

impl Reads {
    /// Bytes per second.
    pub fn rate(&self) -> f64 {
        self.bytes as f64 / self.seconds
    }
}

/// How the buffer is read.
struct Shape {
    bytes: u64,
    groups: u32,
    /// Rounds of an invocation's loop.
    loops: u32,
}

impl Shape {
    fn new(tools: &Tools) -> Result<Shape> {
        let limits = tools.device.limits();
        let invocations = if limits.software { SOFTWARE_INVOCATIONS } else { GPU_INVOCATIONS };
        // A fourth of what is free: the device may be another's, too.
        let available = tools.device.usable_bytes(tools.settings).get();
        let texels = if limits.software { limits.max_texels } else { u64::MAX };
        let bindable = limits.max_binding_bytes.min(texels.saturating_mul(16));
        let most = MOST.min(available / 4).min(bindable);
        let bytes = most / BLOCK * BLOCK;
        if bytes < LEAST {
            let (what, device) = ("a buffer to measure reads", tools.device.info().name.clone());
            return Err(Error::TooLarge { what, needed: LEAST, available: most, device });
        }
        let loops = (bytes / LOOP_BYTES / invocations) as u32;
        Ok(Shape { bytes, groups: invocations as u32 / LANES, loops })
    }

    fn dispatch(&self, passes: u32) -> Dispatch {
        Dispatch { push: vec![self.loops, passes], groups: Workgroups::row(self.groups) }
    }
}

pub(crate) fn measure(mut tools: Tools) -> Result<Reads> {
    let shape = Shape::new(&tools)?;
    let mut words = Buffer::on_device(tools.device, "words to read", shape.bytes)?;
    let sum = fill(&mut tools, &mut words)?;
    let mut total = Buffer::shared(tools.device, "the total", 16)?;
    let kernel = match tools.device.limits().software {
        true => table::READS_TEXELS,
        false => table::READS,
    };
    let recipe = Recipe::plain(kernel, vec![Constant { id: 0, value: LANES }], 2);
    let kernel = tools.pipelines.get(&recipe)?.bind(&[&words, &total])?;
    let most = match tools.device.info().loop_budget {
        0 => u32::MAX,
        budget => (budget / (shape.loops + 1)).max(1),
    };
    let target = pacing::target(tools.settings);
    let mut once = |passes: u32| -> Result<Duration> {
        total.write(tools.commands, |to| to.fill(0))?;
        let took = tools.commands.dispatch(&kernel, &shape.dispatch(passes))?;
        check(&mut tools, &mut total, sum.wrapping_mul(passes))?;
        Ok(took)
    };
    // Some drivers compile at the first dispatch; and a device may have to wake up.
    once(1)?;
    let mut passes = 1;
    while passes < most && once(passes)? < target {
        passes = passes.saturating_mul(2).min(most);
    }
    let mut best = Duration::MAX;
    for _ in 0..TRIES {
        best = best.min(once(passes)?);
    }
    let bytes = shape.bytes * u64::from(passes);
    Ok(Reads { buffer_bytes: shape.bytes, bytes, seconds: best.as_secs_f64() })
}

/// Fills the buffer; returns the sum of all its words.
fn fill(tools: &mut Tools, words: &mut Buffer) -> Result<u32> {
    let mut block: Vec<u8> = zeroed(BLOCK as usize, "words to read")?;
    let (mut state, mut sum) = (1u32, 0u32);
    for word in block.chunks_exact_mut(4) {
        // A generator of 32 bits (Marsaglia 2003: xorshift).
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        sum = sum.wrapping_add(state);
        word.copy_from_slice(&state.to_ne_bytes());
    }
    let blocks = words.bytes() / BLOCK;
    for number in 0..blocks {
        let range = number * BLOCK..(number + 1) * BLOCK;
        words.write_at(tools.commands, range, |to| to.copy_from_slice(&block))?;
    }
    Ok(sum.wrapping_mul(blocks as u32))
}

/// Refuses a measurement that did not read everything.
fn check(tools: &mut Tools, total: &mut Buffer, expected: u32) -> Result<()> {
    let word = |bytes: &[u8]| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let found = total.read_at(tools.commands, 0..4, word)?;
    if found == expected {
        return Ok(());
    }
    let device = tools.device.info().name.clone();
    let missing = "its sum of what it read is wrong, so its reads cannot be measured".into();
    Err(Error::Unsupported { device, missing })
}
