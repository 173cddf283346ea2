//! The functions of the C header for files of neighbours.

use libc::{c_char, c_void};

use super::boundary::{guard, release};
use super::output::{row_pointer, text};
use super::pointers::pointers;
use super::types::{vkd_flags, vkd_neighbors_file, vkd_neighbors_file_info};
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
                flags: u32::from(meta.centered) * vkd_flags::VKD_CENTER as u32,
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

/// Checks every row of a file: its checksum, and that it holds items of the corpus, nearest first.
/// The first that is wrong is VKD_ERROR_BAD_FILE. Reads the whole file.
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
