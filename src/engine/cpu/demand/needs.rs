//! What a run without a matrix takes.

use super::super::rules;
use super::ahead::Ahead;
use super::layout::Layout;
use super::segment;
use super::wanted;
use crate::corpus::Shape;
use crate::engine::lru::Lru;
use crate::memory::Bytes;
use crate::plan::PlanShape;

/// Bytes that a run with `num_threads` threads takes.
pub(in super::super) fn bytes(
    layout: Layout,
    shape: Shape,
    plan: &PlanShape,
    num_threads: usize,
) -> Bytes {
    let Layout { group, kept_rows } = layout;
    let queries = wanted::bytes(shape.dim) * u64::from(layout.rows_at_once());
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
    let of_each = tracks + Ahead::bytes() + segment::bytes_of_each(shape);
    let segments = segment::bytes(shape) + of_each * u64::from(group);
    known + kept + lists + scratch + queries + segments
}
