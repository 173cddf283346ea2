//! The kernel that finds the nearest items of a query (nearest.comp): its shape on a device.

use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::pipeline::{Constant, Recipe};
use crate::engine::vulkan::kernels::table;
use crate::error::{Error, Result};

/// Candidates that are ordered by comparing each with each.
const RANKED: u32 = 256;

/// Lanes that search a row on a GPU.
const GPU_LANES: u32 = 256;

/// Counters that the kernel keeps in shared memory where there are 24 KiB of it, and where there
/// are only the 16 KiB that every device has.
const COUNTERS: u32 = 4096;
const FEW_COUNTERS: u32 = 2048;

/// The kernel that searches.
pub(crate) fn recipe(device: &Device, num_items: u32) -> Result<Recipe> {
    let NearestShape { lanes, digit_bits } = choose(device, num_items)?;
    let constant = |(id, value)| Constant { id, value };
    let constants = [(0, lanes), (1, digit_bits), (2, RANKED)].map(constant);
    Ok(Recipe::plain(table::NEAREST, constants.to_vec(), 6))
}

/// The shape of the kernel that searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NearestShape {
    lanes: u32,
    /// Of a digit of the sort: as many as leave every lane its counters.
    digit_bits: u32,
}

fn choose(device: &Device, num_items: u32) -> Result<NearestShape> {
    let limits = device.limits();
    let counters = if limits.max_shared_bytes >= 24 << 10 { COUNTERS } else { FEW_COUNTERS };
    let most = 1 << limits.max_lanes.min(counters / 4).ilog2();
    let shape = |lanes: u32| NearestShape { lanes, digit_bits: (counters / lanes).ilog2() };
    if !limits.software {
        return Ok(shape(GPU_LANES.min(most)));
    }
    // The fewest lanes whose loops stay within the budget.
    let budget = match device.info().loop_budget {
        0 => u64::MAX,
        budget => budget.into(),
    };
    let mut lanes = device.info().subgroup_size.next_power_of_two().min(most);
    while rounds(shape(lanes), num_items) > budget {
        if lanes == most {
            return Err(Error::TooManyRounds {
                what: "the search in one row",
                needed: rounds(shape(lanes), num_items),
                allowed: budget,
                device: device.info().name.clone(),
            });
        }
        lanes *= 2;
    }
    Ok(shape(lanes))
}

/// Loop rounds of one invocation of nearest.comp at the most; each loop counts one more for its
/// end.
fn rounds(shape: NearestShape, num_items: u32) -> u64 {
    let share = |count: u32| u64::from(count.div_ceil(shape.lanes)) + 1;
    let scan = u64::from(shape.lanes.ilog2()) + 1;
    let bins = 3 * share(2048) + scan;
    let ranked = share(num_items) + share(RANKED) * (u64::from(RANKED) + 1);
    let passes = u64::from(32u32.div_ceil(shape.digit_bits)) + 1;
    let pass = 3 * ((1 << shape.digit_bits) + 1) + 2 * share(num_items) + scan;
    let sorted = 3 * share(num_items) + scan + passes * pass;
    share(num_items) + bins + ranked.max(sorted)
}
