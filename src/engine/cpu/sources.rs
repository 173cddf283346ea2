//! How the rows come that picks add: from a matrix of all of them, kept from when they are first
//! needed, computed for each step, or waiting for the items that need them. A plan takes the way
//! that costs least of those that there is memory for; no way changes a bit.
//!
//! A way costs the time of its multiply-adds and of the bytes that it moves, at rates measured on
//! the machines that docs/performance.md names. What counts is how the rates compare, and that
//! differs little between processors: `benches/large.rs` shows how far from the best the choice is.

use super::demand::{self, padded_items, Layout, ROWS_OF_PASS};
use super::tiles::VALUES;
use super::workers::Workers;
use super::{matrix, merge, product, rules, slot};
use crate::corpus::Shape;
use crate::engine::lru::Lru;
use crate::engine::{common_picks, Needs, RowSource};
use crate::memory::Bytes;
use crate::plan::PlanShape;

/// Sequences that go in step, at most: with 16 the multiply-adds of a step already take longer than
/// to read the corpus.
const MOST_IN_STEP: u32 = 64;

/// A way to get rows, with what it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) source: RowSource,
    /// How the run is laid out, but for a matrix.
    pub(super) layout: Layout,
    host_bytes: Bytes,
    multiply_adds: f64,
    /// Seconds of one thread, about.
    seconds: f64,
}

/// Seconds of a multiply-add: of the matrix, where all rows are multiplied with all, and of rows on
/// demand, many at once or one alone.
const SECONDS_OF_MATRIX: f64 = 1.0 / 68e9;
const SECONDS_OF_MANY: f64 = 1.0 / 51e9;
const SECONDS_OF_ONE: f64 = 1.0 / 16e9;

/// Seconds of a byte: of the matrix as it is made, of its rows as picks add them, of rows that are
/// kept as they are made, and of those with what is known of the items.
const SECONDS_OF_NEW_BYTE: f64 = 1.0 / 7.4e9;
const SECONDS_OF_ROW_BYTE: f64 = 1.0 / 13e9;
const SECONDS_OF_NEW_KEPT_BYTE: f64 = 1.0 / 3.5e9;
const SECONDS_OF_KEPT_BYTE: f64 = 1.0 / 20e9;

/// Seconds of a byte that the caches hold.
const SECONDS_OF_NEAR_BYTE: f64 = 1.0 / 60e9;

/// Seconds of a byte of the prepared rows, as a step streams them: from memory, and from the
/// last-level cache where they are at most so many.
const SECONDS_OF_STREAM: f64 = 1.0 / 17e9;
const SECONDS_OF_CACHED_STREAM: f64 = 1.0 / 39e9;
const CACHED_BYTES: f64 = 16e6;

/// Seconds of a step beside all that; where rows wait for their items, for each item, too. There
/// the first steps, while no item has waited yet, cost as much as so many passes of the corpus.
const SECONDS_OF_STEP: f64 = 7e-6;
const SECONDS_OF_ITEM: f64 = 4.7e-9;
const FIRST_PASSES: f64 = 8.0;

/// Rows that are computed for each that is needed, where some are guessed; guesses of the first
/// steps are worst.
const COMPUTED_OF_NEEDED: f64 = 1.6;
const COMPUTED_AT_FIRST: f64 = 7.0;

/// Rows that are kept for one sequence, which needs none twice: what was guessed has time to be
/// right.
const KEPT_FOR_ONE: u32 = 8 * ROWS_OF_PASS;

/// A run.
#[derive(Clone, Copy)]
struct Run<'a> {
    shape: Shape,
    plan: &'a PlanShape,
    workers: Workers,
}

/// The way of a run: what is forced, else the cheapest that fits, else the smallest.
pub(super) fn choose(
    shape: Shape,
    plan: &PlanShape,
    workers: Workers,
    forced: Option<RowSource>,
) -> Way {
    let run = Run { shape, plan, workers };
    let ways = [Some(run.matrix()), Some(run.cache()), Some(run.direct()), run.lazy()];
    let wanted = |way: &Way| forced.is_none_or(|forced| forced == way.source);
    let mut best: Option<Way> = None;
    for way in ways.into_iter().flatten().filter(wanted) {
        let better = best.is_none_or(|best| {
            match (way.host_bytes.fit(plan.room), best.host_bytes.fit(plan.room)) {
                (true, true) => way.seconds < best.seconds,
                (false, false) => way.host_bytes < best.host_bytes,
                (fits, _) => fits,
            }
        });
        if better {
            best = Some(way);
        }
    }
    // What is forced cannot be: rows that wait, where costs fall.
    best.unwrap_or_else(|| run.direct())
}

impl Way {
    pub(super) fn needs(&self, shape: Shape, plan: &PlanShape, workers: Workers) -> Needs {
        let n = u64::from(shape.num_items);
        let (side_by_side, held_rows) = match self.source {
            RowSource::Matrix => {
                let slots = slot::count(plan.rule, matrix::stride(shape.num_items));
                ((workers.num_threads * slots) as u64, n)
            }
            _ => (self.layout.group.into(), self.layout.kept_rows.into()),
        };
        Needs {
            host_bytes: self.host_bytes,
            groups: u64::from(plan.count).div_ceil(side_by_side),
            held_rows,
            row_source: Some(self.source),
            multiply_adds: self.multiply_adds as u64,
            ..Needs::default()
        }
    }
}

impl Run<'_> {
    /// Items, in floating point: what they are multiplied to may not fit 64 bits.
    fn items(&self) -> f64 {
        self.shape.num_items.into()
    }

    /// Multiply-adds of a row.
    fn row(&self) -> f64 {
        self.items() * f64::from(self.shape.dim)
    }

    /// Bytes that a row and what is known of the items are, of each pick.
    fn bytes_of_pick(&self) -> f64 {
        self.items() * (2.0 + 2.0 * rules::item_bytes(self.plan.rule) as f64)
    }

    /// Seconds of all prepared rows passing by.
    fn seconds_of_pass(&self) -> f64 {
        let bytes = 2.0 * self.row();
        match bytes <= CACHED_BYTES {
            true => bytes * SECONDS_OF_CACHED_STREAM,
            false => bytes * SECONDS_OF_STREAM,
        }
    }

    fn matrix(&self) -> Way {
        let Run { shape, plan, workers } = *self;
        let (n, threads) = (u64::from(shape.num_items), workers.num_threads);
        let stride = matrix::stride(shape.num_items);
        let bytes = Bytes::of::<i16>(stride as u64) * n;
        let slots = slot::bytes(plan, stride, threads);
        let shared = match merge::shares(plan, shape.num_items, Some(true)) {
            true => merge::most_bytes(plan, threads),
            false => Bytes::ZERO,
        };
        let host_bytes = bytes + product::packed_bytes(shape).max(slots + shared);
        let multiply_adds = self.row() * self.items() / 2.0;
        let seconds = multiply_adds * SECONDS_OF_MATRIX
            + self.items() * self.items() * 2.0 * SECONDS_OF_NEW_BYTE
            + common_picks::rows(self.plan) * self.items() * 2.0 * SECONDS_OF_ROW_BYTE;
        let layout = Layout { group: 0, kept_rows: 0 };
        Way { source: RowSource::Matrix, layout, host_bytes, multiply_adds, seconds }
    }

    /// Rows that are kept, and some computed before they are needed.
    fn cache(&self) -> Way {
        let Run { shape, plan, workers } = *self;
        let (all, different) = (
            common_picks::rows(self.plan).min(self.items()),
            common_picks::different_rows(self.shape, self.plan),
        );
        // Twice as many as are likely to differ: more would only lie there.
        let wanted = match plan.count {
            1 => all.min(KEPT_FOR_ONE.into()),
            _ => all.min(2.0 * different + f64::from(ROWS_OF_PASS)),
        } as u32;
        let least = self.fitting(|group| {
            let kept_rows = group.max(ROWS_OF_PASS).min(shape.num_items);
            Layout { group, kept_rows }
        });
        let row = Bytes::of::<i16>(padded_items(shape.num_items)) + Lru::bytes(0, 1);
        let left = plan.room.less(demand::bytes(least, shape, plan, workers.num_threads));
        let more = left.times(row).min(u64::from(wanted.saturating_sub(least.kept_rows))) as u32;
        let layout = Layout { kept_rows: least.kept_rows + more, ..least };
        // What there is no room for is computed as often as it is needed.
        let held = f64::from(layout.kept_rows) / if plan.count == 1 { 1.0 } else { different };
        let again = (1.0 - held).max(0.0) * (common_picks::rows(self.plan) - different);
        let first = (COMPUTED_OF_NEEDED * different + COMPUTED_AT_FIRST).min(self.items());
        let computed = first + again;
        let passes = computed / f64::from(ROWS_OF_PASS);
        let new_bytes = computed.min(layout.kept_rows.into()) * self.items() * 2.0;
        let seconds_of_byte = match different * self.items() * 2.0 <= CACHED_BYTES {
            true => SECONDS_OF_NEAR_BYTE,
            false => SECONDS_OF_KEPT_BYTE,
        };
        let kept = new_bytes * SECONDS_OF_NEW_KEPT_BYTE
            + common_picks::rows(self.plan) * self.bytes_of_pick() * seconds_of_byte;
        let way = self.on_demand(RowSource::Cache, layout, computed, passes);
        Way { seconds: way.seconds + kept, ..way }
    }

    /// Rows that are computed for each step anew.
    fn direct(&self) -> Way {
        let layout = self.fitting(|group| Layout { group, kept_rows: 0 });
        self.on_demand(RowSource::Direct, layout, common_picks::rows(self.plan), f64::INFINITY)
    }

    /// One sequence after the other, whose rows wait for their items.
    fn lazy(&self) -> Option<Way> {
        let Run { shape, plan, .. } = *self;
        if !super::lazy::can(plan.rule) {
            return None;
        }
        let multiply_adds = self.row() * common_picks::rows(self.plan);
        let seconds = f64::from(plan.count) * FIRST_PASSES * self.seconds_of_pass()
            + common_picks::rows(self.plan) * (self.items() * SECONDS_OF_ITEM + SECONDS_OF_STEP);
        let layout = Layout { group: 1, kept_rows: 0 };
        let host_bytes = super::lazy::bytes(shape, plan);
        let source = RowSource::Lazy;
        Some(Way { source, layout, host_bytes, multiply_adds, seconds })
    }

    /// The layout with the largest group that there is memory for.
    fn fitting(&self, layout: impl Fn(u32) -> Layout) -> Layout {
        let Run { shape, plan, workers } = *self;
        let mut group = plan.count.min(MOST_IN_STEP);
        while group > 1
            && !demand::bytes(layout(group), shape, plan, workers.num_threads).fit(plan.room)
        {
            group /= 2;
        }
        layout(group)
    }

    /// A way that computes `rows` rows while the corpus passes by `passes` times, or in each step.
    fn on_demand(&self, source: RowSource, layout: Layout, rows: f64, passes: f64) -> Way {
        let Run { shape, plan, workers } = *self;
        let steps = f64::from(common_picks::rows_of_each(self.plan))
            * f64::from(plan.count.div_ceil(layout.group));
        let multiply_adds = self.row() * rows;
        // Rows are multiplied in whole lines, and sequences know the items of one segment.
        let lines = (f64::from(shape.dim) / VALUES as f64).ceil() * VALUES as f64;
        let multiplied_in_lines = self.items() * lines * rows;
        let known = common_picks::rows(self.plan) * self.bytes_of_pick() * SECONDS_OF_NEAR_BYTE;
        let passes = passes.min(steps);
        // A row alone does not use what is loaded of the corpus often enough.
        let alone = (passes / rows).min(1.0) * (SECONDS_OF_ONE - SECONDS_OF_MANY);
        let multiplied = multiplied_in_lines * (SECONDS_OF_MANY + alone) + known;
        let seconds = multiplied.max(passes * self.seconds_of_pass()) + steps * SECONDS_OF_STEP;
        let host_bytes = demand::bytes(layout, shape, plan, workers.num_threads);
        Way { source, layout, host_bytes, multiply_adds, seconds }
    }
}
