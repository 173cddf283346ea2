//! Which results a file holds.

use std::path::Path;

use super::tensors::Header;
use super::{known, map, neighbors, sequences};
use crate::error::Result;

/// What a file of results holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultsKind {
    /// Sequences.
    Sequences,
    /// Neighbours.
    Neighbors,
}

impl ResultsKind {
    /// Reads from the header of the file at `path` what it holds.
    pub fn of(path: &Path) -> Result<ResultsKind> {
        let map = map::open(path)?;
        let refused = |refusal| known::refused(path, &map, "results", refusal);
        let header = Header::parse(&map).map_err(refused)?;
        match header.text("format") {
            sequences::FORMAT => Ok(ResultsKind::Sequences),
            neighbors::FORMAT => Ok(ResultsKind::Neighbors),
            other => {
                let reason = format!("its format is \"{other}\", which this version does not know");
                Err(refused(reason.into()))
            }
        }
    }
}
