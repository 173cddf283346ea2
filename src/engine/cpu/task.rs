//! What a run of sequences works on, and where it puts them.

use crate::corpus::Corpus;
use crate::engine::rows::PutSequences;
use crate::plan::Plan;
use crate::progress::Progress;

/// A run of sequences.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) plan: &'a Plan,
    pub(super) rows: &'a dyn PutSequences,
    pub(super) progress: &'a Progress,
}
