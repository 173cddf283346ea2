//! The rows that a step needs: which of them are kept, which are to be computed, and from what.

use super::super::simd::Line;
use super::super::tiles::{fill_query, lines, Query};
use super::layout::Layout;
use crate::corpus::Corpus;
use crate::engine::lru::{Lru, Missing};
use crate::error::Result;
use crate::memory::{room, zeroed_of, Bytes};

/// Bytes for each sequence of a group.
pub(super) fn bytes(dim: u32) -> Bytes {
    let lists = Bytes::of::<u32>(2) + Bytes::of::<Missing>(1) + Bytes::of::<u16>(1);
    Bytes::of::<Line>(lines(dim) as u64) + lists
}

/// The rows of a step.
pub(super) struct Wanted {
    /// Where rows are kept: which.
    kept: Option<Lru>,
    items: Vec<u32>,
    slots: Vec<u32>,
    missing: Vec<Missing>,
    /// The prepared rows of the missing, each padded with zeros to whole lines, and their weights.
    queries: Vec<Line>,
    weights: Vec<u16>,
    lines: usize,
}

impl Wanted {
    pub(super) fn new(corpus: &Corpus, layout: Layout) -> Result<Wanted> {
        let (Layout { group, kept_rows }, what) = (layout, "the rows of a step");
        let lines = lines(corpus.dim());
        let kept = match kept_rows {
            0 => None,
            rows => Some(Lru::new(corpus.num_items(), rows)?),
        };
        let count = group as usize;
        Ok(Wanted {
            kept,
            items: room(count, what)?,
            slots: room(count, what)?,
            missing: room(count, what)?,
            queries: zeroed_of(lines as u64 * u64::from(group), what)?,
            weights: room(count, what)?,
            lines,
        })
    }

    /// Asks for the rows of these items, one for each sequence.
    pub(super) fn want(&mut self, corpus: &Corpus, items: impl Iterator<Item = u32>) {
        self.items.clear();
        self.items.extend(items);
        match &mut self.kept {
            Some(kept) => kept.fetch(&self.items, &mut self.slots, &mut self.missing),
            None => self.want_all(),
        }
        self.weights.clear();
        let queries = self.queries.chunks_exact_mut(self.lines);
        for (one, query) in self.missing.iter().zip(queries) {
            fill_query(corpus, one.item, query);
            self.weights.push(corpus.weights()[one.item as usize]);
        }
    }

    /// Nothing is kept: a place for each different item.
    fn want_all(&mut self) {
        self.slots.clear();
        self.missing.clear();
        for &item in &self.items {
            let found = self.missing.iter().find(|one| one.item == item).map(|one| one.slot);
            let slot = found.unwrap_or(self.missing.len() as u32);
            if found.is_none() {
                self.missing.push(Missing { item, slot });
            }
            self.slots.push(slot);
        }
    }

    /// The place of each sequence's row.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// How many rows are to be computed.
    pub(super) fn num_queries(&self) -> usize {
        self.missing.len()
    }

    /// A row to be computed.
    pub(super) fn query(&self, number: usize) -> Query<'_> {
        Query {
            values: &self.queries[number * self.lines..][..self.lines],
            weight: self.weights[number],
        }
    }

    /// Where it goes.
    pub(super) fn slot(&self, number: usize) -> usize {
        self.missing[number].slot as usize
    }
}
