//! A file of all sequences of a run, made of those of its parts.
//!
//! Its bytes are those that one run on one machine writes. Rows are read in order, checked against
//! their checksums and written one by one; what was read is given back to the system. An
//! interrupted merge resumes as a run does: it is one, whose rows are found instead of computed.

use super::format::SequencesMeta;
use super::parts::Parts;
use super::writer::{Begun, SequencesWriter};
use crate::engine::PutSequences;
use crate::error::Result;
use crate::memory::{zeroed_of, Bytes};
use crate::plan::{Heads, Plan, Request};
use crate::progress::Progress;
use crate::store::output_file::OutputPlace;

/// Bytes of memory that a merge holds at the most: some lists of what the sequences begin with, and
/// a row.
pub(crate) fn merge_bytes(parts: &Parts) -> Bytes {
    let meta = parts.meta();
    let heads = Bytes::of::<u32>(meta.count.into()) * meta.head.into();
    let row = Bytes::of::<u32>(meta.length.into()) * 2;
    // The request, its plan, what is wanted of the file, the starts, the rows that are left.
    heads * 4 + Bytes::of::<u32>(meta.count.into()) + row * 2
}

/// Writes the whole.
pub(crate) fn merge(parts: Parts, place: OutputPlace, progress: &Progress) -> Result<()> {
    let meta = parts.meta().clone();
    progress.expect_rows(meta.count.into());
    progress.expect_files(1);
    let plan = plan(&parts)?;
    let (writer, rest) = match SequencesWriter::begin_with(place, &meta, &plan, parts.ids())? {
        Begun::Open(writer, rest) => (writer, rest),
        Begun::Finished => {
            add_rows(progress, meta.count.into());
            return Ok(());
        }
    };
    drop(plan);
    add_rows(progress, writer.already_finished());
    put_rows(parts, &writer, &rest, progress)?;
    progress.check()?;
    let bytes = writer.file_bytes();
    writer.finish(rest)?;
    progress.add_file(bytes);
    Ok(())
}

/// The plan of the whole run, as one machine would have had it.
fn plan(parts: &Parts) -> Result<Plan> {
    let SequencesMeta { num_items, count, length, head, rule, values, .. } = *parts.meta();
    let mut request = Request { length, rule, values, ..Request::default() };
    if head > 1 || !parts.heads().eq(0..num_items) {
        let mut items = zeroed_of(u64::from(count) * u64::from(head), "the heads")?;
        items.iter_mut().zip(parts.heads()).for_each(|(to, item)| *to = item);
        request.heads = Some(Heads { items, length: head });
    }
    Plan::new(&request, num_items)
}

/// Copies the rows of `rest`, which are in order, from the parts.
fn put_rows(
    parts: Parts,
    writer: &SequencesWriter,
    rest: &Plan,
    progress: &Progress,
) -> Result<()> {
    let mut row = rest.row()?;
    let (mut index, mut first) = (0, 0);
    for part in parts.into_files() {
        let end = first + part.meta().count;
        while index < rest.count() && writer.row(index) < end {
            progress.check()?;
            part.copy_row(writer.row(index) - first, row.get_mut())?;
            writer.put(index as usize, row.get())?;
            add_rows(progress, 1);
            index += 1;
        }
        first = end;
    }
    Ok(())
}

fn add_rows(progress: &Progress, rows: u64) {
    progress.add_rows(rows);
    progress.add_written_rows(rows);
}
