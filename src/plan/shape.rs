//! The numbers of a plan, which tell what a run takes.

use crate::memory::Bytes;
use crate::rule::Rule;

/// The numbers of a plan, without its heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanShape {
    /// Sequences, at least 1.
    pub count: u32,
    /// Items of a head, at least 1.
    pub head: u32,
    /// Items of a sequence, at least 1.
    pub length: u32,
    /// Lists of a number for each sequence that are held while it runs.
    pub lists: u32,
    /// What a sequence asks of its next item.
    pub rule: Rule,
    /// Whether each place of a sequence has a value.
    pub values: bool,
    /// The most memory of the host that the engine may take. Engines that are several choose by it
    /// who takes part.
    pub room: Bytes,
}

/// A shape of nothing, with as much memory as there is.
pub(super) const UNBOUND: PlanShape = PlanShape {
    count: 0,
    head: 1,
    length: 0,
    lists: 0,
    rule: Rule::Centroid,
    values: false,
    room: Bytes::UNCOUNTABLE,
};

impl PlanShape {
    /// Places in the result: sequences x length.
    pub fn output_len(&self) -> u64 {
        u64::from(self.count) * u64::from(self.length)
    }

    /// Values in the result: one for each place, or none.
    pub fn values_len(&self) -> u64 {
        if self.values {
            self.output_len()
        } else {
            0
        }
    }

    /// Bytes of a [`SequenceRow`].
    pub(crate) fn row_bytes(&self) -> Bytes {
        let values = if self.values { self.length } else { 0 };
        Bytes::of::<u32>(self.length.into()) + Bytes::of::<f32>(values.into())
    }

    /// Picks that have to be computed: every item of every sequence but its head.
    pub fn picks(&self) -> u64 {
        u64::from(self.count) * u64::from(self.length - self.head)
    }

    /// Bytes of the plan's lists.
    pub(crate) fn list_bytes(&self) -> Bytes {
        Bytes::of::<u32>(self.count.into()) * self.lists.into()
    }
}
