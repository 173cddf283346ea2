//! The functions of the C header for files of sequences.

use libc::{c_char, c_void};

use super::boundary::{guard, release};
use super::ids::{file_ids, tell_id, tell_item};
use super::input::{check_flags, Embeddings, Given};
use super::output::{no_values, row_pointer, text};
use super::pointers::pointers;
use super::types::{
    vkd_check_options, vkd_flags, vkd_rule, vkd_sequences_file, vkd_sequences_file_info,
    vkd_verify_options, vkd_verify_report,
};
use crate::error::Error;
use crate::ids::Ids;
use crate::memory::require_spare;
use crate::rule::{Lambda, Rule};
use crate::store::{Row, SequencesFile};
use crate::units;
use crate::verify::{verify, Report, Sample};

/// Opens a finished file of sequences (`vkd_batch_options.output_path`) for reading, and checks its
/// header, its size, its checksums and 16 of its rows; `vkd_sequences_file_verify` checks all.
///
/// Writes a handle to `out_file`, to be freed with `vkd_sequences_file_free`. The file is mapped
/// into memory, read only: any number of threads, Lua states and processes can have it open at
/// once, without locks and without copies. Do not cut or overwrite a file in place while it is
/// open; vkd itself replaces files by renaming, and whoever has the old one open keeps it.
///
/// Errors: VKD_ERROR_FILE where it cannot be read, VKD_ERROR_BAD_FILE where it is damaged, holds
/// something else or is not finished.
///
/// # Safety
/// `path` must be NULL (an error) or NUL-terminated, `out_file` NULL (an error) or valid for a
/// write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_open(
    path: *const c_char,
    out_file: *mut *mut vkd_sequences_file,
) -> i32 {
    guard(|| {
        pointers!(path; out = out_file);
        require_spare()?;
        out.required()?.give(vkd_sequences_file(SequencesFile::open(&path.path()?)?.into()))
    })
}

/// Frees what `vkd_sequences_file_open` opened; pointers to its rows end with it. NULL is fine.
///
/// # Safety
/// `file` must be NULL or come from `vkd_sequences_file_open`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_free(file: *mut vkd_sequences_file) {
    // SAFETY: the caller's contract.
    unsafe { release(file) }
}

/// Describes a file of sequences. Set `out_info->struct_size` first; the rest is written on
/// success.
///
/// # Safety
/// `file` must be NULL (an error) or live, `out_info` NULL (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_get_info(
    file: *const vkd_sequences_file,
    out_info: *mut vkd_sequences_file_info,
) -> i32 {
    guard(|| {
        pointers!(file; out = out_info);
        let file = &file.handle()?.0;
        let meta = file.meta();
        out.report(|| {
            Ok(vkd_sequences_file_info {
                struct_size: size_of::<vkd_sequences_file_info>() as u32,
                flags: u32::from(meta.centered) * vkd_flags::VKD_CENTER as u32
                    + u32::from(meta.values) * vkd_flags::VKD_VALUES as u32
                    + u32::from(file.ids().is_some()) * vkd_flags::VKD_IDS as u32,
                count: meta.count,
                length: meta.length,
                num_items: meta.num_items,
                item_bytes: file.item_bytes(),
                fingerprint: text(&meta.fingerprint),
                version: text(&meta.version),
                rule: match meta.rule {
                    Rule::Centroid => vkd_rule::VKD_RULE_CENTROID,
                    Rule::Farthest => vkd_rule::VKD_RULE_FARTHEST,
                    Rule::Mmr(_) => vkd_rule::VKD_RULE_MMR,
                    Rule::Chain => vkd_rule::VKD_RULE_CHAIN,
                } as u32,
                head_length: meta.head,
                lambda: meta.rule.lambda().map_or(0.0, Lambda::value),
                shard_index: meta.shard.as_ref().map_or(0, |part| part.shard.index()),
                shard_count: meta.shard.as_ref().map_or(0, |part| part.shard.count()),
                whole_count: meta.shard.as_ref().map_or(meta.count, |part| part.of_sequences),
                reserved: 0,
            })
        })
    })
}

/// Gives sequence `index` (0-based) as it lies in the file: `length` item numbers (0-based) of
/// `item_bytes` bytes each, 2 (uint16_t) or 4 (uint32_t), see `vkd_sequences_file_get_info`. The
/// first one is the start. Nothing is copied; the pointer is good until `vkd_sequences_file_free`,
/// and what it points to cannot be written. An index that is none is VKD_ERROR_BAD_OPTION.
///
/// # Safety
/// `file` must be NULL (an error) or live, `out_row` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_row(
    file: *const vkd_sequences_file,
    index: u32,
    out_row: *mut *const c_void,
) -> i32 {
    guard(|| {
        pointers!(file; out = out_row);
        out.required()?.write(row_pointer(file.handle()?.0.row(index)?))
    })
}

/// Gives the values of sequence `index` (0-based) as they lie in the file: `length` floats, one for
/// each item of `vkd_sequences_file_row`, see `vkd_rule`. The pointer is good until
/// `vkd_sequences_file_free`, and what it points to cannot be written. An index that is none, and a
/// file without values, are VKD_ERROR_BAD_OPTION.
///
/// # Safety
/// `file` must be NULL (an error) or live, `out_values` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_values(
    file: *const vkd_sequences_file,
    index: u32,
    out_values: *mut *const f32,
) -> i32 {
    guard(|| {
        pointers!(file; out = out_values);
        let (file, out) = (file.handle()?, out.required()?);
        match file.0.values(index)? {
            Some(values) => out.write(values.as_ptr()),
            None => Err(no_values("the file", "compute it with VKD_VALUES")),
        }
    })
}

/// Copies `count` item numbers of sequence `index` from place `first` on (all 0-based) to
/// `out_items`, widened to 32 bits. An index that is none, and more than the sequence has from
/// `first` on, are VKD_ERROR_BAD_OPTION.
///
/// # Safety
/// `file` must be NULL (an error) or live, `out_items` NULL (an error) or `count` numbers long.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_copy_row(
    file: *const vkd_sequences_file,
    index: u32,
    first: u32,
    count: u32,
    out_items: *mut u32,
) -> i32 {
    guard(|| {
        pointers!(file; out = out_items);
        let (file, out) = (&file.handle()?.0, out.required()?);
        let (row, length) = (file.row(index)?, file.meta().length);
        if u64::from(first) + u64::from(count) > u64::from(length) {
            let [length, first, got] = [length, first, count].map(units::count);
            let allowed = format!("sequences have {length} items, and first is {first}");
            return Err(Error::BadOption { option: "count", got, allowed }.into());
        }
        let part = first as usize..first as usize + count as usize;
        match row {
            Row::U16(items) => out.map(&items[part], count.into(), |&item| item.into()),
            Row::U32(items) => out.copy(&items[part], count.into()),
        }
    })
}

/// Finds the first sequence that begins with item `start` (0-based) and writes its index to
/// `out_index`; where there is none, that is VKD_ERROR_START_OUT_OF_RANGE. In a file of all starts
/// the index is the start.
///
/// # Safety
/// `file` must be NULL (an error) or live, `out_index` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_find(
    file: *const vkd_sequences_file,
    start: u32,
    out_index: *mut u32,
) -> i32 {
    guard(|| {
        pointers!(file; out = out_index);
        let (file, out) = (file.handle()?, out.required()?);
        out.write(file.0.find(start).ok_or(Error::NoSuchStart { start })?)
    })
}

/// Gives the id of item `item` (0-based) of the corpus as it lies in the file: UTF-8, `out_bytes`
/// long, without a NUL at its end. Good until `vkd_sequences_file_free`. An item that is none
/// is VKD_ERROR_BAD_OPTION, a file without ids VKD_ERROR_NO_SUCH_ID.
///
/// # Safety
/// `file` must be NULL (an error) or live; `out_text` and `out_bytes` must be NULL (an error) or
/// valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_id(
    file: *const vkd_sequences_file,
    item: u32,
    out_text: *mut *const c_char,
    out_bytes: *mut u64,
) -> i32 {
    guard(|| {
        pointers!(file; text = out_text, bytes = out_bytes);
        let (file, text, bytes) = (&file.handle()?.0, text.required()?, bytes.required()?);
        text.check_apart(bytes, 1)?;
        tell_id(file_ids(file.ids(), file.path())?, item, text, bytes)
    })
}

/// Finds the item that has the id `id`, NUL-terminated UTF-8, and writes its number (0-based) to
/// `out_item`. The first call makes a table of all ids, 8 to 16 bytes for each. Where no item has
/// the id, and of a file without ids, that is VKD_ERROR_NO_SUCH_ID; of one with two equal ids it is
/// VKD_ERROR_BAD_FILE.
///
/// # Safety
/// `file` must be NULL (an error) or live, `id` NULL (an error) or NUL-terminated, `out_item` NULL
/// (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_find_id(
    file: *const vkd_sequences_file,
    id: *const c_char,
    out_item: *mut u32,
) -> i32 {
    guard(|| {
        pointers!(file, id; out = out_item);
        let (file, id, out) = (&file.handle()?.0, id.utf8()?, out.required()?);
        file_ids(file.ids(), file.path())?;
        tell_item(file.find_id(id)?, id, file.path(), out)
    })
}

/// Tells whether a file is of these embeddings, without computing a pick anew: by their number,
/// the ids where both have some, and the fingerprint. The first difference is
/// VKD_ERROR_FILE_MISMATCH, which the message names; where the number of items is another, before
/// an embedding is read.
///
/// `embeddings` as in `vkd_batch_compute`; `options` may be NULL. Takes as long as the preparation
/// of a run. Blocks until done. Errors besides: those of the embeddings (-101 to -104),
/// VKD_ERROR_BAD_ID.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_check(
    file: *const vkd_sequences_file,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_check_options,
) -> i32 {
    guard(|| {
        pointers!(file, values = embeddings, options;);
        let (file, options) = (&file.handle()?.0, options.options()?);
        let embeddings = Embeddings::new(values, num_items, dim);
        let Given { elements, shape, ids } = Given::new(embeddings, &options)?;
        Ok(file.check(elements, shape, ids.as_deref().map(Ids::as_slice))?)
    })
}

/// Checks every row of a file: its checksum, its start or head, that it holds items of the corpus,
/// each once, and that its values are finite; and that no two ids are equal. The first that is
/// wrong is VKD_ERROR_BAD_FILE. Reads the whole file.
///
/// # Safety
/// `file` must be NULL (an error) or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_verify(file: *const vkd_sequences_file) -> i32 {
    guard(|| {
        pointers!(file;);
        let file = file.handle()?;
        Ok(file.0.verify()?)
    })
}

/// Checks a file against the embeddings that it was computed from: all rows as
/// `vkd_sequences_file_verify`, and a sample of picks anew in 64-bit floats, without the library's
/// integers.
///
/// Reports the worst regret: how much farther from the centroid (in cosine distance, 0 to 2) some
/// other item was than the one picked. The integers round to 15 bits, so up to some 0.001 is right;
/// a wrong file shows 0.1 and more. Embeddings that are not the file's are VKD_ERROR_FILE_MISMATCH,
/// before one is read where their number is another; so are rows of zeros, where the file's run did
/// not admit them. A pick costs num_items x dim multiplications. `embeddings` as in
/// `vkd_batch_compute`; `options` may be NULL; set `out_report->struct_size` first. Blocks until
/// done.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_verify_against(
    file: *const vkd_sequences_file,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_verify_options,
    out_report: *mut vkd_verify_report,
) -> i32 {
    guard(|| {
        pointers!(file, values = embeddings, options; out = out_report);
        let (file, options): (_, vkd_verify_options) = (file.handle()?, *options.options()?);
        check_flags::<vkd_verify_options>(options.flags, &[vkd_flags::VKD_ZERO_ROWS])?;
        let embeddings = Embeddings::new(values, num_items, dim);
        let elements = embeddings.elements(options.element_type)?;
        let sample = Sample { sequences: options.num_sequences, picks: options.num_picks };
        out.report(|| Ok(report_to_c(&verify(&file.0, elements, embeddings.shape, sample)?)))
    })
}

fn report_to_c(report: &Report) -> vkd_verify_report {
    vkd_verify_report {
        struct_size: size_of::<vkd_verify_report>() as u32,
        sequences_checked: report.sequences,
        picks_checked: report.picks,
        worst_regret: report.worst_regret,
        mean_regret: report.mean_regret,
        worst_sequence: report.worst_sequence,
        worst_pick: report.worst_pick,
    }
}
