//! The rows of a sequence that items are multiplied with, in the order in which they are added.

use super::super::simd::Line;
use super::super::tiles::{fill_query, lines};
use crate::corpus::{Corpus, Shape};
use crate::error::Result;
use crate::memory::{room, zeroed_of, Bytes};

/// The rows.
pub(super) struct Queries {
    values: Vec<Line>,
    weights: Vec<u16>,
    lines: usize,
}

impl Queries {
    /// Bytes of so many.
    pub(super) fn bytes(shape: Shape, length: u32) -> Bytes {
        let lines = lines(shape.dim) as u64 * u64::from(length);
        Bytes::of::<Line>(lines) + Bytes::of::<u16>(length.into())
    }

    /// Room for `length` of them.
    pub(super) fn new(corpus: &Corpus, length: u32) -> Result<Queries> {
        let (lines, what) = (lines(corpus.dim()), "the rows of a sequence");
        let values = zeroed_of(lines as u64 * u64::from(length), what)?;
        Ok(Queries { values, weights: room(length as usize, what)?, lines })
    }

    pub(super) fn clear(&mut self) {
        self.weights.clear();
    }

    /// Adds the row of an item; there is room.
    pub(super) fn add(&mut self, corpus: &Corpus, item: u32) {
        let number = self.weights.len();
        fill_query(corpus, item, &mut self.values[number * self.lines..][..self.lines]);
        self.weights.push(corpus.weights()[item as usize]);
    }

    pub(super) fn count(&self) -> u32 {
        self.weights.len() as u32
    }

    #[inline(always)]
    pub(super) fn values(&self, number: usize) -> &[Line] {
        &self.values[number * self.lines..][..self.lines]
    }

    #[inline(always)]
    pub(super) fn weight(&self, number: usize) -> u16 {
        self.weights[number]
    }
}
