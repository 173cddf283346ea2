//! How a run without a matrix is laid out.

/// How a run is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Layout {
    /// Sequences that go in step.
    pub(in super::super) group: u32,
    /// Rows that are kept, none or at least as many as a group needs in a step.
    pub(in super::super) kept_rows: u32,
}
