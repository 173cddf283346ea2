//! The ids of the items in a file of results: two tensors, where there are some.
//!
//! `id_ends` says where each id ends in `ids`, the bytes of all. They are under the checksum of the
//! whole file. Opening looks at all of them; that no two are equal shows the table, which is made
//! when an id is looked for.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use safetensors::tensor::Dtype;

use super::errors::{bad_file, require_same};
use super::place::write_at;
use super::tensors::{range_of, Header, Tensor};
use crate::error::{Error, Result};
use crate::ids::{shortened, IdSlice, IdTable, IdsFault};
use crate::units;

/// The names of the tensors.
const ID_ENDS: &str = "id_ends";
const IDS: &str = "ids";

/// The ids that a file is to hold: how many bytes of text they are. `None`: it has none.
pub(super) type IdBytes = Option<u64>;

/// The bytes of text of these ids.
pub(super) fn id_bytes(ids: Option<IdSlice>) -> IdBytes {
    ids.map(|ids| ids.text().len() as u64)
}

/// The bytes of text of the ids that a file has by its header.
pub(super) fn id_bytes_of(header: &Header) -> std::result::Result<IdBytes, String> {
    header.has(IDS).then(|| header.length(IDS)).transpose()
}

/// The tensor of the ends, which lies where 64-bit numbers may.
pub(super) fn ends_tensor(num_items: u32, ids: IdBytes) -> Option<Tensor> {
    ids.map(|_| Tensor::new(ID_ENDS, Dtype::U64, &[num_items]))
}

/// The tensor of the text, which comes last: it ends anywhere.
pub(super) fn text_tensor(ids: IdBytes) -> Option<Tensor> {
    ids.map(|bytes| Tensor::of_bytes(IDS, bytes))
}

/// Where the ids lie in a file; empty where there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdRanges {
    pub(super) ends: Range<u64>,
    pub(super) text: Range<u64>,
}

impl IdRanges {
    /// Among `tensors`, which begin at byte `begin`.
    pub(super) fn new(tensors: &[Tensor], begin: u64) -> IdRanges {
        let range = |name| range_of(tensors, begin, name);
        IdRanges { ends: range(ID_ENDS), text: range(IDS) }
    }

    /// The ids in the bytes of the whole file.
    pub(super) fn slice<'a>(&self, file: &'a [u8]) -> Option<IdSlice<'a>> {
        let bytes = |range: &Range<u64>| &file[range.start as usize..range.end as usize];
        // A file of results has items, so that ids have ends.
        let ends = Some(bytes(&self.ends)).filter(|ends| !ends.is_empty())?;
        Some(IdSlice::new(bytes(&self.text), bytemuck::cast_slice(ends)))
    }

    /// Writes the ids to their places.
    pub(super) fn write(&self, file: &File, ids: Option<IdSlice>) -> io::Result<()> {
        let Some(ids) = ids else { return Ok(()) };
        write_at(file, bytemuck::cast_slice(ids.ends()), self.ends.start)?;
        write_at(file, ids.text(), self.text.start)
    }
}

/// The ids of an open file, with their table once one was looked for.
#[derive(Debug, Default)]
pub(super) struct FileIds {
    table: OnceLock<IdTable>,
}

impl FileIds {
    /// The item that has the id, of `ids` in the file at `path`.
    pub(super) fn find(&self, path: &Path, ids: IdSlice, id: &str) -> Result<Option<u32>> {
        Ok(self.table(path, ids)?.find(ids, id))
    }

    /// Refuses ids of which two are equal.
    pub(super) fn table(&self, path: &Path, ids: IdSlice) -> Result<&IdTable> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = IdTable::new(ids).map_err(|fault| match fault {
            IdsFault::Flaw(flaw) => bad_file(path, flaw.to_string()),
            IdsFault::Other(error) => *error,
        })?;
        Ok(self.table.get_or_init(|| table))
    }
}

/// Refuses ids of the file at `path` that are none.
pub(super) fn check_ids(path: &Path, ids: Option<IdSlice>) -> Result<()> {
    ids.map_or(Ok(()), |ids| ids.check().map_err(|reason| bad_file(path, reason)))
}

/// Refuses a file with other ids than those that are wanted, or with none. Where none are wanted it
/// may have any: its rows are the same, as its fingerprint says.
pub(super) fn require_same_ids(
    path: &Path,
    found: Option<IdSlice>,
    wanted: Option<IdSlice>,
) -> Result<()> {
    let Some(wanted) = wanted else { return check_ids(path, found) };
    let Some(found) = found else {
        let many = units::many(wanted.len() as u64, "id");
        return require_same(path, "list of ids", &"empty".to_owned(), &many);
    };
    match difference(found, wanted) {
        Some(Difference { found, wanted }) => require_same(path, "id", &found, &wanted),
        None => Ok(()),
    }
}

/// Refuses ids at hand that are not those of the file at `path`, where both have some.
pub(super) fn require_given_ids(
    path: &Path,
    found: Option<IdSlice>,
    given: Option<IdSlice>,
) -> Result<()> {
    let (Some(found), Some(given)) = (found, given) else { return Ok(()) };
    match difference(found, given) {
        Some(Difference { found, wanted: given }) => {
            let path = path.display().to_string();
            Err(Error::OtherEmbeddings { path, what: "id", found, given })
        }
        None => Ok(()),
    }
}

/// The first id that differs, as messages show it.
struct Difference {
    found: String,
    wanted: String,
}

fn difference(found: IdSlice, wanted: IdSlice) -> Option<Difference> {
    let item = found.first_difference(&wanted)?;
    let text = |ids: IdSlice| match ids.get(item) {
        Some(id) => format!("\"{}\" at item {item}", shortened(id)),
        None => format!("unreadable at item {item}"),
    };
    Some(Difference { found: text(found), wanted: text(wanted) })
}
