//! A segment: some items, what every sequence of a group knows of them, and their part of the rows
//! that are kept.

use std::sync::Mutex;

use super::super::rules::{Candidates, Cheapest, Mmr, Span};
use super::super::segments::{self, ITEMS};
use super::super::simd::{HalfLine, Line, Simd, LINE};
use super::layout::Layout;
use super::products::{self, Part};
use super::wanted::Wanted;
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::memory::{filled, zeroed_of, Bytes};
use crate::rule::Rule;

/// Items of all segments, with what pads the last one.
pub(in super::super) fn padded_items(num_items: u32) -> u64 {
    u64::from(num_items).next_multiple_of(STEP)
}

/// Values of a line: segments are padded to whole ones.
const STEP: u64 = 2 * LINE as u64;

/// Bytes of all segments beside what they know.
pub(super) fn bytes(shape: Shape) -> Bytes {
    Bytes::of::<Mutex<Segment<'_, Mmr>>>(segments::count(shape.num_items) as u64)
}

/// Bytes of all segments for one sequence, beside what is known of the items: its candidates, of
/// which those of mmr are the largest, with what the allocator takes for them, and what is found.
pub(super) fn bytes_of_each(shape: Shape) -> Bytes {
    let segments = segments::count(shape.num_items) as u64;
    Bytes::of::<Mmr>(segments) + Bytes::of::<[usize; 2]>(segments) + Bytes::of::<Cheapest>(segments)
}

/// Bytes of a [`Scratch`].
pub(super) fn scratch_bytes(group: u32) -> Bytes {
    Bytes::of::<i16>(ITEMS.into()) * u64::from(group)
}

/// Rows that are not kept, of one segment.
pub(super) struct Scratch(Vec<Line>);

impl Scratch {
    pub(super) fn new(layout: Layout) -> Result<Scratch> {
        let rows = if layout.kept_rows == 0 { layout.group } else { 0 };
        let lines = u64::from(rows) * u64::from(ITEMS) / STEP;
        zeroed_of(lines, "the rows of a step").map(Scratch)
    }
}

/// Some items.
pub(super) struct Segment<'a, C> {
    first: u32,
    span: Span,
    /// What each sequence knows of them.
    candidates: Vec<C>,
    /// Their part of the rows that are kept, slot after slot.
    kept: &'a mut [Line],
    /// The cheapest of them for each sequence.
    pub(super) found: Vec<Cheapest>,
}

impl<'a, C: Candidates> Segment<'a, C> {
    /// A segment of `of` items, which keeps rows in the first part of `kept`: of that it leaves
    /// what is left.
    pub(super) fn new(
        rule: Rule,
        of: u32,
        number: usize,
        layout: Layout,
        kept: &mut &'a mut [Line],
    ) -> Result<Segment<'a, C>> {
        let first = segments::first(number);
        let num_items = segments::size(number, of);
        let span = Span { stride: padded_items(num_items) as usize, num_items, of };
        let lines = span.stride / STEP as usize * layout.kept_rows as usize;
        let (own, left) = std::mem::take(kept).split_at_mut(lines);
        *kept = left;
        let none = Cheapest { item: 0, cost: i32::MAX };
        let candidates: Result<Vec<C>> = (0..layout.group).map(|_| C::new(rule, span)).collect();
        Ok(Segment {
            first,
            span,
            candidates: candidates?,
            kept: own,
            found: filled(layout.group as usize, none, "what a segment finds")?,
        })
    }

    /// Back to where nothing is picked.
    pub(super) fn clear(&mut self) {
        self.candidates.iter_mut().for_each(C::clear);
    }

    /// Takes an item of the segment out, for one sequence.
    pub(super) fn take(&mut self, sequence: usize, item: u32) {
        self.candidates[sequence].take(item - self.first);
    }

    /// Adds the wanted rows, and finds the cheapest item for each sequence.
    pub(super) fn step<S: Simd>(
        &mut self,
        simd: S,
        corpus: &Corpus,
        rule: Rule,
        wanted: &Wanted,
        scratch: &mut Scratch,
    ) {
        let rows = if self.kept.is_empty() { &mut *scratch.0 } else { &mut *self.kept };
        let Span { stride, num_items, .. } = self.span;
        let part = Part { first: self.first, count: num_items as usize, stride };
        let weighing = rule.weighing();
        let values: &mut [i16] = bytemuck::cast_slice_mut(rows);
        simd.vectorize(
            #[inline(always)]
            || products::compute(simd, corpus, weighing, wanted, part, values),
        );
        let lines = stride / STEP as usize;
        let places = self.found.iter_mut().zip(&mut self.candidates).zip(wanted.slots());
        for ((found, candidates), &slot) in places {
            let row = &rows[slot as usize * lines..][..lines];
            let row: &[HalfLine] = bytemuck::cast_slice(row);
            // Nothing has to be asked for: the row was just computed, or comes with its neighbours.
            let Cheapest { item, cost } = candidates.step(simd, row, row);
            *found = Cheapest { item: self.first + item, cost };
        }
    }
}
