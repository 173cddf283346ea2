//! The file of an export: its place, and its rows one by one.

use super::labels::Labels;
use super::request::{Export, ExportFormat, ExportKeys};
use super::shapes::{cache_head, rankings_head, CacheMeta, RankingsMeta, TAIL};
use crate::error::Result;
use crate::memory::{reserve, Bytes};
use crate::progress::Progress;
use crate::results::Source;
use crate::store::partial::PartialFile;
use crate::store::{OutputPlace, Stream};

/// Bytes at the most, beside the results and the request.
pub(crate) fn host_bytes(source: &Source, export: &Export) -> Bytes {
    let (items, entries) = (u64::from(source.num_items()), u64::from(export.entries(source)));
    // A byte of an id has up to six in JSON, and there are two quotes.
    let quoted = |id: &String| id.len() as u64 * 6 + 2;
    let (sum, longest) = match &export.keys {
        ExportKeys::Items | ExportKeys::Numbers(_) => (items * 10, 10),
        ExportKeys::Ids(ids) => {
            (ids.iter().map(quoted).sum(), ids.iter().map(quoted).max().unwrap_or(0))
        }
    };
    // Of each item its separator and where its label ends, and once its place in the check.
    let labels = Bytes::new(sum) + Bytes::new(2 + 8 + 4) * items;
    let row = Bytes::new(Labels::row_bytes(longest, entries));
    labels + row + Bytes::new(8) * source.row_length().into() + Bytes::new(Stream::BUFFER as u64)
}

/// Holds the place of the file; refuses what stands there and must not be replaced.
pub(crate) fn open(export: &Export, progress: &Progress) -> Result<PartialFile> {
    OutputPlace::new(&export.file, export.format.family(), progress)?.hold_new()
}

/// Writes the export of results. Both were checked.
pub(crate) fn write(
    source: &Source,
    export: &Export,
    target: &PartialFile,
    progress: &Progress,
) -> Result<()> {
    progress.expect_rows(source.num_rows().into());
    progress.expect_files(1);
    let stream = match export.format {
        ExportFormat::SequencesBin => write_numbers(source, target, progress)?,
        ExportFormat::DiversityCache | ExportFormat::Rankings => {
            write_json(source, export, target, progress)?
        }
    };
    progress.add_file(stream.finish()?);
    Ok(())
}

fn write_json<'a>(
    source: &Source,
    export: &Export,
    target: &'a PartialFile,
    progress: &Progress,
) -> Result<Stream<'a>> {
    let labels = labels(&export.keys, source.num_items())?;
    let (entries, last) = (export.entries(source) as usize, source.num_rows().wrapping_sub(1));
    let mut stream = Stream::begin(target)?;
    stream.write(&head(source, export))?;
    let mut text = Vec::new();
    each_row(source, progress, |row, items| {
        text.clear();
        let shown = &items[..entries.min(items.len())];
        labels.push_row(source.item(row), shown.iter().copied(), row == last, &mut text)?;
        stream.write(&text)
    })?;
    stream.write(TAIL)?;
    Ok(stream)
}

fn write_numbers<'a>(
    source: &Source,
    target: &'a PartialFile,
    progress: &Progress,
) -> Result<Stream<'a>> {
    let n = u64::from(source.num_items());
    let mut stream = Stream::begin_sized(target, 4 + 4 * n * n)?;
    stream.write(&source.num_items().to_le_bytes())?;
    let mut bytes = Vec::new();
    each_row(source, progress, |_, items| {
        bytes.clear();
        reserve(&mut bytes, items.len() * 4, "a row of an export")?;
        items.iter().for_each(|item| bytes.extend_from_slice(&item.to_le_bytes()));
        stream.write(&bytes)
    })?;
    Ok(stream)
}

/// Hands each row to `put`, of sequences the start first.
fn each_row(
    source: &Source,
    progress: &Progress,
    mut put: impl FnMut(u32, &[u32]) -> Result<()>,
) -> Result<()> {
    let (mut items, mut similarities) = (Vec::new(), Vec::new());
    for row in 0..source.num_rows() {
        progress.check()?;
        source.read(row, &mut items, &mut similarities)?;
        if source.rule().is_some() {
            // There is room for the whole row.
            items.insert(0, source.item(row));
        }
        put(row, &items)?;
        source.release_after(row);
        progress.add_rows(1);
        progress.add_written_rows(1);
    }
    Ok(())
}

fn labels(keys: &ExportKeys, num_items: u32) -> Result<Labels> {
    match keys {
        ExportKeys::Items => Labels::of_numbers(num_items, |item| item),
        ExportKeys::Numbers(numbers) => {
            Labels::of_numbers(num_items, |item| numbers[item as usize])
        }
        ExportKeys::Ids(ids) => Labels::of_ids(ids),
    }
}

fn head(source: &Source, export: &Export) -> Vec<u8> {
    let (num_items, entries) = (source.num_items(), export.entries(source));
    match source.rule() {
        Some(rule) => cache_head(CacheMeta {
            model: export.model.as_deref(),
            num_items,
            num_rows: source.num_rows(),
            rule,
            top: entries,
        }),
        None => rankings_head(RankingsMeta {
            num_items: num_items as usize,
            // The older library's threads changed no other byte. One thread makes these.
            sort_threads: 1,
            top: if entries + 1 < num_items { entries } else { 0 },
        }),
    }
}
