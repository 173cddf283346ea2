//! The functions of the C header for files of neighbours.

use libc::{c_char, c_void};

use super::boundary::{guard, release};
use super::ids::{file_ids, tell_id, tell_item};
use super::input::{Embeddings, Given};
use super::output::{row_pointer, text};
use super::pointers::pointers;
use super::types::{vkd_check_options, vkd_flags, vkd_neighbors_file, vkd_neighbors_file_info};
use crate::ids::Ids;
use crate::memory::require_spare;
use crate::store::{NeighborsFile, NeighborsRow};

/// Opens a finished file of neighbours (`vkd_neighbors_options.output_path`) for reading, and
/// checks its header, its size, its checksums and 16 of its rows; `vkd_neighbors_file_verify`
/// checks all.
///
/// Writes a handle to `out_file`, to be freed with `vkd_neighbors_file_free`. The file is mapped
/// into memory, read only, as in `vkd_sequences_file_open`, with the same errors.
///
/// # Safety
/// `path` must be NULL (an error) or NUL-terminated, `out_file` NULL (an error) or valid for a
/// write.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_open(
    path: *const c_char,
    out_file: *mut *mut vkd_neighbors_file,
) -> i32 {
    guard(|| {
        pointers!(path; out = out_file);
        require_spare()?;
        out.required()?.give(vkd_neighbors_file(NeighborsFile::open(&path.path()?)?.into()))
    })
}

/// Frees what `vkd_neighbors_file_open` opened; pointers to its rows end with it. NULL is fine.
///
/// # Safety
/// `file` must be NULL or come from `vkd_neighbors_file_open`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_free(file: *mut vkd_neighbors_file) {
    // SAFETY: the caller's contract.
    unsafe { release(file) }
}

/// Describes a file of neighbours. Set `out_info->struct_size` first; the rest is written on
/// success.
///
/// # Safety
/// `file` must be NULL (an error) or live, `out_info` NULL (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_get_info(
    file: *const vkd_neighbors_file,
    out_info: *mut vkd_neighbors_file_info,
) -> i32 {
    guard(|| {
        pointers!(file; out = out_info);
        let file = &file.handle()?.0;
        let meta = file.meta();
        out.report(|| {
            Ok(vkd_neighbors_file_info {
                struct_size: size_of::<vkd_neighbors_file_info>() as u32,
                flags: u32::from(meta.centered) * vkd_flags::VKD_CENTER as u32
                    + u32::from(file.ids().is_some()) * vkd_flags::VKD_IDS as u32,
                count: meta.count,
                k: meta.k,
                num_items: meta.num_items,
                item_bytes: file.item_bytes(),
                fingerprint: text(&meta.fingerprint),
                queries_fingerprint: text(&meta.queries),
                version: text(&meta.version),
            })
        })
    })
}

/// Gives row `index` (0-based) as it lies in the file, nearest first: `k` item numbers (0-based) of
/// `item_bytes` bytes each, 2 (uint16_t) or 4 (uint32_t), see `vkd_neighbors_file_get_info`, and
/// `k` cosine similarities, -1 to 1. Rows lie one behind the other. Nothing is copied; the pointers
/// are good until `vkd_neighbors_file_free`, and what they point to cannot be written. An index
/// that is none is VKD_ERROR_BAD_OPTION.
///
/// # Safety
/// `file` must be NULL (an error) or live; `out_indices` must be NULL (an error) or valid for a
/// write, `out_similarities` NULL or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_row(
    file: *const vkd_neighbors_file,
    index: u32,
    out_indices: *mut *const c_void,
    out_similarities: *mut *const f32,
) -> i32 {
    guard(|| {
        pointers!(file; indices = out_indices, similarities = out_similarities);
        let (file, indices) = (file.handle()?, indices.required()?);
        let similarities = similarities.optional()?;
        if let Some(similarities) = similarities {
            indices.check_apart(similarities, 1)?;
        }
        let NeighborsRow { items, similarities: values } = file.0.row(index)?;
        indices.write(row_pointer(items))?;
        match similarities {
            Some(similarities) => similarities.write(values.as_ptr()),
            None => Ok(()),
        }
    })
}

/// Gives the id of item `item` (0-based) of the corpus as it lies in the file: UTF-8, `out_bytes`
/// long, without a NUL at its end. Good until `vkd_neighbors_file_free`. An item that is none
/// is VKD_ERROR_BAD_OPTION, a file without ids VKD_ERROR_NO_SUCH_ID.
///
/// # Safety
/// `file` must be NULL (an error) or live; `out_text` and `out_bytes` must be NULL (an error) or
/// valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_id(
    file: *const vkd_neighbors_file,
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
pub unsafe extern "C" fn vkd_neighbors_file_find_id(
    file: *const vkd_neighbors_file,
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

/// Tells whether a file is of these embeddings, without computing a similarity anew: by their
/// number, the ids where both have some, and the fingerprint. The first difference is
/// VKD_ERROR_FILE_MISMATCH, which the message names; where the number of items is another, before
/// an embedding is read. Queries are not compared.
///
/// `embeddings` as in `vkd_batch_compute`; `options` may be NULL. Takes as long as the preparation
/// of a run. Blocks until done. Errors besides: those of the embeddings (-101 to -104),
/// VKD_ERROR_BAD_ID.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_check(
    file: *const vkd_neighbors_file,
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

/// Checks every row of a file: its checksum, and that it holds items of the corpus, nearest first;
/// and that no two ids are equal. The first that is wrong is VKD_ERROR_BAD_FILE. Reads the whole
/// file.
///
/// # Safety
/// `file` must be NULL (an error) or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_verify(file: *const vkd_neighbors_file) -> i32 {
    guard(|| {
        pointers!(file;);
        let file = file.handle()?;
        Ok(file.0.verify()?)
    })
}
