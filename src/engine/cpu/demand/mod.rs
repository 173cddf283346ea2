//! Sequences whose rows are computed when they are needed, without a matrix.
//!
//! A group of sequences goes in step, each adding one row in every step. The corpus is cut into
//! segments of 1,024 items. For one segment at a time a thread computes what the rows of the step
//! hold for its items (`products`), adds that to what the sequences know of them, and finds the
//! cheapest for each (`segment`). Who does the last segment compares what all of them found, makes
//! the picks and says which rows the next step needs (`wanted`, `group`): so the corpus streams by
//! once for all sequences of the group. Rows that are needed once more may be kept, the least
//! recently used ones go first. `run` has the threads.

mod group;
mod products;
mod run;
mod segment;
mod wanted;

pub(super) use run::compute;
pub(super) use segment::padded_items;

use super::rules;
use crate::corpus::Shape;
use crate::engine::lru::Lru;
use crate::memory::Bytes;
use crate::plan::PlanShape;
use segment::Segment;

/// How a run is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Sequences that go in step.
    pub(super) group: u32,
    /// Rows that are kept, none or at least as many as a group needs in a step.
    pub(super) kept_rows: u32,
}

impl Layout {
    /// Bytes that a run with `num_threads` threads takes.
    pub(super) fn bytes(self, shape: Shape, plan: &PlanShape, num_threads: usize) -> Bytes {
        let Layout { group, kept_rows } = self;
        let items = segment::padded_items(shape.num_items);
        let known = Bytes::new(rules::item_bytes(plan.rule) as u64) * items * u64::from(group);
        let kept = Bytes::of::<i16>(items) * u64::from(kept_rows);
        let lists = match kept_rows {
            0 => Bytes::ZERO,
            _ => Lru::bytes(shape.num_items, kept_rows),
        };
        let scratch = match kept_rows {
            0 => segment::scratch_bytes(group) * num_threads as u64,
            _ => Bytes::ZERO,
        };
        // The items of a sequence, and as many of its head.
        let tracks = plan.row_bytes() + Bytes::of::<u32>(plan.length.into());
        let of_each = tracks + wanted::bytes(shape.dim) + Segment::<()>::found_bytes(shape);
        known + kept + lists + scratch + of_each * u64::from(group)
    }
}
