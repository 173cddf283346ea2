//! A sequence: its items, and where they are asked for, a value for each.
//!
//! Where no values are asked for their slices are empty, here and everywhere. `Sequence` is what
//! is handed on, `SequenceMut` what is filled, `SequenceRow` room for one, `Sequences` many.

use crate::error::Result;
use crate::memory::zeroed;

/// A sequence, or the begin of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequence<'a> {
    /// Item numbers (0-based).
    pub items: &'a [u32],
    /// A value for each, or nothing.
    pub values: &'a [f32],
}

/// A place for a sequence, or for the begin of one.
#[derive(Debug, PartialEq)]
pub struct SequenceMut<'a> {
    /// Item numbers (0-based).
    pub items: &'a mut [u32],
    /// A value for each, or nothing.
    pub values: &'a mut [f32],
}

impl<'a> Sequence<'a> {
    /// What stands from place `from` on, at most `to` excluded.
    pub fn part(self, from: usize, to: usize) -> Sequence<'a> {
        let values = if self.values.is_empty() { self.values } else { &self.values[from..to] };
        Sequence { items: &self.items[from..to], values }
    }
}

impl SequenceMut<'_> {
    /// Becomes a copy of `from`, which is as long.
    pub fn copy_from(&mut self, from: Sequence) {
        self.items.copy_from_slice(from.items);
        self.values.copy_from_slice(from.values);
    }
}

/// Room for a sequence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SequenceRow {
    /// Item numbers (0-based).
    pub items: Vec<u32>,
    /// A value for each, or nothing.
    pub values: Vec<f32>,
}

impl SequenceRow {
    /// Of `length` items, each with a value if `values`.
    pub fn new(length: u32, values: bool, what: &'static str) -> Result<SequenceRow> {
        let length = length as usize;
        let values = zeroed(if values { length } else { 0 }, what)?;
        Ok(SequenceRow { items: zeroed(length, what)?, values })
    }

    /// The whole.
    pub fn get(&self) -> Sequence<'_> {
        Sequence { items: &self.items, values: &self.values }
    }

    /// The first `length` places, to be filled.
    pub fn begin_mut(&mut self, length: usize) -> SequenceMut<'_> {
        let values = length.min(self.values.len());
        SequenceMut { items: &mut self.items[..length], values: &mut self.values[..values] }
    }

    /// The places from number `from` on, to be filled.
    pub fn end_mut(&mut self, from: usize) -> SequenceMut<'_> {
        let values = from.min(self.values.len());
        SequenceMut { items: &mut self.items[from..], values: &mut self.values[values..] }
    }

    /// All places, to be filled.
    pub fn get_mut(&mut self) -> SequenceMut<'_> {
        self.begin_mut(self.items.len())
    }
}

/// Sequences of one length, row after row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequences {
    /// The items of all of them.
    pub items: Vec<u32>,
    /// The values of all of them, or nothing.
    pub values: Vec<f32>,
}
