//! The rows that a step needs: which of them are kept, which are to be computed, and from what.

use super::super::simd::Line;
use super::super::tiles::{fill_query, lines, Query};
use super::layout::Layout;
use crate::corpus::Corpus;
use crate::engine::lru::{Lru, Missing};
use crate::error::Result;
use crate::memory::{room, zeroed_of, Bytes};

/// Bytes for each row that a step computes; a group has no more sequences.
pub(super) fn bytes(dim: u32) -> Bytes {
    let lists = Bytes::of::<u32>(4) + Bytes::of::<Missing>(1) + Bytes::of::<u16>(1);
    Bytes::of::<Line>(lines(dim) as u64) + lists
}

/// The rows of a step.
pub(super) struct Wanted {
    /// Where rows are kept: which.
    kept: Option<Lru>,
    /// Those of the sequences, then those of the steps after this one.
    items: Vec<u32>,
    /// How many are those of the sequences.
    needed: usize,
    /// Items whose rows are to be computed, at most: some may be the same.
    new: usize,
    rows_at_once: usize,
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
        let rows_at_once = layout.rows_at_once() as usize;
        let lines = lines(corpus.dim());
        let kept = match kept_rows {
            0 => None,
            rows => Some(Lru::new(corpus.num_items(), rows)?),
        };
        let most = group as usize + rows_at_once;
        Ok(Wanted {
            kept,
            items: room(most, what)?,
            needed: 0,
            new: 0,
            rows_at_once,
            slots: room(most, what)?,
            missing: room(rows_at_once, what)?,
            queries: zeroed_of((lines * rows_at_once) as u64, what)?,
            weights: room(rows_at_once, what)?,
            lines,
        })
    }

    /// Says that no sequence needs the rows again that were asked for.
    pub(super) fn retire(&mut self) {
        if let Some(kept) = &mut self.kept {
            self.items[..self.needed].iter().for_each(|&item| kept.retire(item));
        }
    }

    /// Asks for the rows of these items, one for each sequence, and no other.
    pub(super) fn want(&mut self, items: impl Iterator<Item = u32>) {
        self.items.clear();
        self.items.extend(items);
        self.needed = self.items.len();
        self.new = self.items.iter().filter(|&&item| !self.is_kept(item)).count();
    }

    /// Whether the corpus has to pass by for what is asked for.
    pub(super) fn passes(&self) -> bool {
        self.new > 0
    }

    /// Asks for the rows of further items, as far as a pass computes more than are asked for.
    pub(super) fn add(&mut self, items: impl Iterator<Item = u32>) {
        let Some(kept) = &self.kept else { return };
        for item in items {
            if self.new >= self.rows_at_once || self.items.len() >= kept.slots() {
                return;
            }
            if !kept.holds(item) && !self.items.contains(&item) {
                self.items.push(item);
                self.new += 1;
            }
        }
    }

    /// Finds places for all that is asked for.
    pub(super) fn find(&mut self, corpus: &Corpus) {
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

    fn is_kept(&self, item: u32) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.holds(item))
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
        &self.slots[..self.needed]
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
