//! Whether results are of the embeddings at hand.
//!
//! Results say which they are of: how many items, the fingerprint of their integers, and ids where
//! they have some. Embeddings are prepared for their fingerprint, row by row, and nothing else is
//! computed.

use std::path::Path;

use super::fingerprint::{fingerprint_bytes, fingerprint_of};
use super::ids::require_given_ids;
use crate::corpus::{Crew, Elements, Input, Shape, ZeroRows};
use crate::error::{Error, Result};
use crate::flaw::Flaw;
use crate::ids::IdSlice;
use crate::memory;
use crate::progress::Progress;
use crate::threads;

/// What the results in a file say of the embeddings that they are of.
pub(super) struct Origin<'a> {
    pub(super) path: &'a Path,
    pub(super) num_items: u32,
    pub(super) centered: bool,
    pub(super) fingerprint: &'a str,
    pub(super) ids: Option<IdSlice<'a>>,
}

impl Origin<'_> {
    /// Refuses other embeddings, and other ids where both have some. The first difference is named,
    /// what costs least first.
    pub(super) fn check(
        &self,
        elements: Elements,
        shape: Shape,
        ids: Option<IdSlice>,
    ) -> Result<()> {
        let Shape { num_items, dim } = shape;
        if self.num_items != num_items {
            return Err(self.other("number of items", self.num_items, num_items));
        }
        // As the file's run had them: one that admitted none has another fingerprint.
        let zero_rows = ZeroRows::Admit;
        let input = Input { elements, num_items, dim, center: self.centered, zero_rows };
        input.check()?;
        require_count(ids, num_items)?;
        require_given_ids(self.path, self.ids, ids)?;
        memory::require("the check", fingerprint_bytes(shape))?;
        let progress = Progress::default();
        let given = fingerprint_of(&Crew::new(threads::count(None)?, &progress), &input)?;
        match self.fingerprint == given {
            true => Ok(()),
            false => Err(self.other("fingerprint", self.fingerprint, given)),
        }
    }

    fn other(&self, what: &'static str, found: impl ToString, given: impl ToString) -> Error {
        let path = self.path.display().to_string();
        Error::OtherEmbeddings { path, what, found: found.to_string(), given: given.to_string() }
    }
}

/// Refuses ids that are not one for each item.
pub(super) fn require_count(ids: Option<IdSlice>, num_items: u32) -> Result<()> {
    match ids.map(|ids| ids.len() as u64) {
        Some(ids) if ids != u64::from(num_items) => {
            Err(Error::Ids { flaw: Flaw::IdCount { ids, num_items }.into() })
        }
        _ => Ok(()),
    }
}
