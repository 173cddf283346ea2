//! Where the heads of a plan lie, and which rows it has.

use std::fmt::Debug;
use std::sync::Arc;

use super::request::Request;
use crate::error::Result;
use crate::memory::copied;
use crate::sequence::SequenceMut;

/// Rows of an earlier run: the first items of the sequences of this one.
pub trait EarlierRows: Debug + Send + Sync {
    /// Reads row `row`, which is as long as `to`, with its values where `to` has some.
    fn read(&self, row: u32, to: SequenceMut) -> Result<()>;
}

/// Some rows: all from 0 on, which takes no list, or those of a list that is shared.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    All(u32),
    Some(Arc<Vec<u32>>),
}

impl Rows {
    pub(crate) fn count(&self) -> u32 {
        match self {
            Rows::All(count) => *count,
            // Never more than all of them.
            Rows::Some(rows) => rows.len() as u32,
        }
    }

    pub(crate) fn get(&self, index: u32) -> u32 {
        match self {
            Rows::All(_) => index,
            Rows::Some(rows) => rows[index as usize],
        }
    }
}

/// The heads that were asked for.
#[derive(Debug, Clone)]
pub(super) enum GivenHeads {
    /// Sequence i begins with the item that is i behind the first.
    Items { first: u32 },
    /// Of these items `length` each.
    List { items: Arc<Vec<u32>>, length: u32 },
}

impl GivenHeads {
    /// Those of a checked request.
    pub(super) fn new(request: &Request, num_items: u32) -> Result<GivenHeads> {
        let length = request.head();
        let Some(items) = request.given() else {
            return Ok(GivenHeads::Items { first: request.part(num_items)?.start });
        };
        let part = request.part((items.len() / length as usize) as u32)?;
        let place = |row: u32| row as usize * length as usize;
        let items = copied(&items[place(part.start)..place(part.end)], "the heads")?;
        Ok(GivenHeads::List { items: Arc::new(items), length })
    }

    /// The item at `place` of the head of row `row`.
    pub(super) fn get(&self, row: u32, place: usize) -> u32 {
        match self {
            GivenHeads::Items { first } => first + row,
            GivenHeads::List { items, length } => items[row as usize * *length as usize + place],
        }
    }
}
