//! The ids of items: as callers pass them, and as files of results have them.

use std::path::Path;
use std::sync::Arc;

use libc::c_char;

use super::pointers::{In, Out};
use super::status::Result;
use super::types::vkd_embeddings;
use crate::error::Error;
use crate::ids::{shortened, IdList, IdSlice, Ids, IdsFault};

/// The ids that a call gives: as texts, or as those of open embeddings.
#[derive(Debug, Clone, Copy)]
pub(super) struct GivenIds<'a> {
    pub(super) texts: In<'a, *const c_char>,
    pub(super) of: In<'a, vkd_embeddings>,
}

impl GivenIds<'_> {
    /// Whether the call gives none.
    pub(super) fn is_null(self) -> bool {
        self.texts.is_null() && self.of.is_null()
    }

    /// The ids of so many items, or none.
    pub(super) fn ids(self, num_items: u32) -> Result<Option<Arc<Ids>>> {
        match (self.texts.is_null(), self.of.is_null()) {
            (true, true) => Ok(None),
            (true, false) => Ok(self.of.handle()?.0.ids().cloned()),
            (false, true) => self.listed(num_items).map(Some),
            (false, false) => {
                let (got, allowed) = ("set".into(), "give ids or ids_of, not both".into());
                Err(Error::BadOption { option: "ids_of", got, allowed }.into())
            }
        }
    }

    fn listed(self, num_items: u32) -> Result<Arc<Ids>> {
        let mut list = IdList::default();
        self.texts.each_text(num_items.into(), |id| Ok(list.push(id)?))?;
        Ok(Arc::new(list.finish(num_items).map_err(IdsFault::of_caller)?))
    }
}

/// The ids of a file, or why there is none to be told.
pub(super) fn file_ids<'a>(ids: Option<IdSlice<'a>>, path: &Path) -> Result<IdSlice<'a>> {
    ids.ok_or_else(|| Error::NoIds { path: path.display().to_string() }.into())
}

/// Tells where the id of an item lies, and how long it is.
pub(super) fn tell_id(
    ids: IdSlice,
    item: u32,
    text: Out<*const c_char>,
    bytes: Out<u64>,
) -> Result<()> {
    let id = ids.get(item).ok_or_else(|| Error::BadOption {
        option: "item",
        got: item.to_string(),
        allowed: format!("items are numbered from 0 to {}", ids.len().saturating_sub(1)),
    })?;
    text.write(id.as_ptr().cast())?;
    bytes.write(id.len() as u64)
}

/// Tells the item that was found to have an id.
pub(super) fn tell_item(found: Option<u32>, id: &str, path: &Path, out: Out<u32>) -> Result<()> {
    let path = || path.display().to_string();
    out.write(found.ok_or_else(|| Error::NoSuchId { path: path(), id: shortened(id) })?)
}
