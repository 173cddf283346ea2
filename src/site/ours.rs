//! Which pages a site may replace: those that an earlier one wrote, and empty ones. Of
//! rankings the store knows it (`store/family.rs`).
//!
//! A file is known by how it begins and ends. One that only half was written, under its temporary
//! name, is known by its begin.

use std::path::Path;

use super::folder::{Ends, Folder, Kind};
use crate::error::Result;
use crate::store::errors::{file_error, not_replaced};

/// How files of a site look.
#[derive(Debug)]
pub(super) struct Form {
    /// Each begins with one of these.
    pub(super) heads: Vec<Vec<u8>>,
    pub(super) tail: &'static [u8],
    /// What they are called in messages.
    pub(super) name: &'static str,
}

/// Whether a file under a name of the site's is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Half,
}

impl Form {
    /// Whether a file that begins and ends so is one of these, or has nothing to lose. One that
    /// ends within its head is half a file.
    pub(super) fn fits(&self, found: &Ends, extent: Extent) -> bool {
        let Ends { head, tail } = found;
        let begins = |wanted: &Vec<u8>| head.starts_with(wanted) || wanted.starts_with(head);
        let ends = extent == Extent::Half || tail == self.tail;
        head.is_empty() || self.heads.iter().any(begins) && ends
    }

    /// Bytes of the longest head.
    pub(super) fn longest_head(&self) -> usize {
        self.heads.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// Refuses what stands at `name`, unless it is a file of this form. `form` is asked for only where
/// something is.
pub(super) fn require_ours(
    folder: &Folder,
    name: &Path,
    extent: Extent,
    form: impl FnOnce() -> Form,
) -> Result<()> {
    let failed = |error| file_error("look at", &folder.place(name), 0, &error);
    let Some(kind) = folder.kind(name).map_err(failed)? else { return Ok(()) };
    let (form, path) = (form(), folder.place(name));
    match kind {
        Kind::File => {}
        Kind::Folder => return Err(not_replaced(&path, "it is a folder")),
        Kind::Link => return Err(not_replaced(&path, "it is a link")),
        Kind::Other => return Err(not_replaced(&path, "it is a device, a FIFO or a socket")),
    }
    let ends = folder.ends(name, form.longest_head(), form.tail.len()).map_err(failed)?;
    match form.fits(&ends, extent) {
        true => Ok(()),
        false => Err(not_replaced(&path, format!("it is no {}", form.name))),
    }
}
