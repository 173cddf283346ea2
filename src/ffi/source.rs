//! Results that are there, as callers give them: in memory, open, or by their path.

use std::sync::Arc;

use super::batch::numbered_rule;
use super::input::{bad, check_reserved};
use super::status::Result;
use super::structs::Options;
use super::types::vkd_site_source;
use crate::error::Error;
use crate::results::Source;

/// The results that the caller gives.
pub(super) fn results(source: &Options<vkd_site_source>) -> Result<Source> {
    check_reserved(source.reserved)?;
    if source.sequences.is_null() && source.rule != 0 {
        return Err(bad("rule", source.rule, "it goes with sequences in memory"));
    }
    let (sequences_file, neighbors_file) = (
        source.member(|o| o.sequences_file, "sequences_file"),
        source.member(|o| o.neighbors_file, "neighbors_file"),
    );
    let given = [
        !source.path.is_null(),
        !source.sequences.is_null(),
        !source.indices.is_null(),
        !sequences_file.is_null(),
        !neighbors_file.is_null(),
    ];
    if given.iter().filter(|&&is_given| is_given).count() != 1 {
        let allowed = "set exactly one of path, sequences, indices, sequences_file and \
                       neighbors_file";
        let (got, allowed) = ("ambiguous".into(), allowed.into());
        return Err(Error::BadOption { option: "source", got, allowed }.into());
    }
    if !sequences_file.is_null() {
        return Ok(Source::SequencesFile(Arc::clone(&sequences_file.handle()?.0)));
    }
    if !neighbors_file.is_null() {
        return Ok(Source::NeighborsFile(Arc::clone(&neighbors_file.handle()?.0)));
    }
    if !source.path.is_null() {
        return Ok(Source::open(&source.member(|o| o.path, "path").path()?)?);
    }
    let (num_items, rows, length) = (source.num_items, source.num_rows, source.row_length);
    if rows == 0 || length == 0 {
        let name = if rows == 0 { "num_rows" } else { "row_length" };
        return Err(Error::ZeroSize { name }.into());
    }
    let len = u64::from(rows) * u64::from(length);
    if !source.sequences.is_null() {
        check_sequences(num_items, rows, length)?;
        let rule = numbered_rule(source.rule, None)?;
        let items = source.member(|o| o.sequences, "sequences").copied(len)?;
        return Ok(Source::Sequences { num_items, length, items, rule });
    }
    if length >= rows {
        return Err(Error::TooManyNeighbors { k: length, others: rows - 1 }.into());
    }
    let indices = source.member(|o| o.indices, "indices").copied(len)?;
    let similarities = source.member(|o| o.similarities, "similarities").copied(len)?;
    Ok(Source::Neighbors { k: length, indices, similarities })
}

/// No item is twice in a sequence, and none begins two: more cannot be there to be read.
fn check_sequences(num_items: u32, rows: u32, length: u32) -> Result<()> {
    if num_items == 0 {
        return Err(Error::ZeroSize { name: "num_items" }.into());
    }
    let (option, got) = match (rows > num_items, length > num_items) {
        (true, _) => ("num_rows", rows),
        (_, true) => ("row_length", length),
        _ => return Ok(()),
    };
    Err(bad(option, got, &format!("it must be at most num_items, {num_items}")))
}
