//! How a run without a matrix is laid out.

/// Rows that a pass of the corpus computes where rows are kept, if there are so many to be computed
/// or guessed. On two cores eight take about the time of the stream: fewer need more passes, more
/// are wrong more often.
pub(in super::super) const ROWS_OF_PASS: u32 = 8;

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
            kept => self.group.max(ROWS_OF_PASS).min(kept),
        }
    }
}
