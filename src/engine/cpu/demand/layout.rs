//! How a run without a matrix is laid out.

use super::ahead;

/// How a run is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Layout {
    /// Sequences that go in step.
    pub(in super::super) group: u32,
    /// Rows that are kept, none or at least as many as a group needs in a step.
    pub(in super::super) kept_rows: u32,
}

impl Layout {
    /// Rows that a step computes, at most: where rows are kept, some for the next steps.
    pub(super) fn rows_at_once(self) -> u32 {
        match self.kept_rows {
            0 => self.group,
            kept => self.group.max(ahead::ROWS).min(kept),
        }
    }
}
