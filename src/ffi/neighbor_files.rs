//! The functions of the C header for files of neighbours.

use libc::{c_char, c_void};

use super::boundary::{guard, required, write_struct, Sized32};
use super::input::path;
use super::output::copy_text;
use super::types::*;
use crate::store::{NeighborsFile, NeighborsRow, ResultsKind, Row};

// SAFETY: repr(C), begins with a u32 size and holds only numbers.
unsafe impl Sized32 for vkd_neighbors_file_info {
    const NAME: &'static str = "vkd_neighbors_file_info";
    const LEAST: u32 = 128;
}

/// Tells what a file of results holds: writes one of `vkd_results_kind` to `out_kind`. Reads its header only.
///
/// # Safety
/// `path` must be NULL (an error) or NUL-terminated, `out_kind` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_results_identify(path: *const c_char, out_kind: *mut u32) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_kind, "out_kind")? };
        // SAFETY: as above.
        let path = unsafe { self::path(path, "path")? };
        let kind = match ResultsKind::of(&path)? {
            ResultsKind::Sequences => vkd_results_kind::VKD_RESULTS_SEQUENCES,
            ResultsKind::Neighbors => vkd_results_kind::VKD_RESULTS_NEIGHBORS,
        };
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_kind.write(kind as u32) };
        Ok(0)
    })
}

/// Opens a finished file of neighbours (`vkd_neighbors_options.output_path`) for reading, and checks its header, its size, its
/// checksums and 16 of its rows; `vkd_neighbors_file_verify` checks all.
///
/// Writes a handle to `out_file`, to be freed with `vkd_neighbors_file_free`. The file is mapped into memory, read only, as in
/// `vkd_sequences_file_open`.
///
/// # Safety
/// `path` must be NULL (an error) or NUL-terminated, `out_file` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_open(
    path: *const c_char,
    out_file: *mut *mut vkd_neighbors_file,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_file, "out_file")? };
        // SAFETY: as above.
        let path = unsafe { self::path(path, "path")? };
        let file = Box::new(vkd_neighbors_file(NeighborsFile::open(&path)?));
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_file.write(Box::into_raw(file)) };
        Ok(0)
    })
}

/// Frees what `vkd_neighbors_file_open` opened; pointers to its rows end with it. NULL is fine.
///
/// # Safety
/// `file` must be NULL or come from `vkd_neighbors_file_open`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_free(file: *mut vkd_neighbors_file) {
    guard(|| {
        if !file.is_null() {
            // SAFETY: it came from Box::into_raw and the caller gives it back.
            drop(unsafe { Box::from_raw(file) });
        }
        Ok(0)
    });
}

/// Describes a file. Set `out_info->struct_size` first; the rest is written on success.
///
/// # Safety
/// `file` must be NULL (an error) or live, `out_info` NULL (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_get_info(
    file: *const vkd_neighbors_file,
    out_info: *mut vkd_neighbors_file_info,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let file = unsafe { required(file, "file")? };
        let meta = file.0.meta();
        let (mut fingerprint, mut queries_fingerprint, mut version) = ([0; 40], [0; 40], [0; 24]);
        copy_text(&meta.fingerprint, &mut fingerprint);
        copy_text(&meta.queries, &mut queries_fingerprint);
        copy_text(&meta.version, &mut version);
        let info = vkd_neighbors_file_info {
            struct_size: size_of::<vkd_neighbors_file_info>() as u32,
            flags: u32::from(meta.centered) * vkd_flags::VKD_CENTER as u32,
            count: meta.count,
            k: meta.k,
            num_items: meta.num_items,
            item_bytes: file.0.item_bytes(),
            fingerprint,
            queries_fingerprint,
            version,
        };
        // SAFETY: the caller's contract.
        unsafe { write_struct(out_info, "out_info", || Ok(info)) }
    })
}

/// Gives row `index` (0-based) as it lies in the file, nearest first: `k` item numbers (0-based) of `item_bytes` bytes each, 2
/// (uint16_t) or 4 (uint32_t), see `vkd_neighbors_file_get_info`, and `k` cosine similarities. Rows lie one behind the other. Nothing is
/// copied; the pointers are good until `vkd_neighbors_file_free`.
///
/// # Safety
/// `file` must be NULL (an error) or live; `out_indices` must be NULL (an error) or valid for a write, `out_similarities` NULL
/// or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_row(
    file: *const vkd_neighbors_file,
    index: u32,
    out_indices: *mut *const c_void,
    out_similarities: *mut *const f32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let file = unsafe { required(file, "file")? };
        // SAFETY: the caller's contract.
        unsafe { required(out_indices, "out_indices")? };
        let NeighborsRow { items, similarities } = file.0.row(index)?;
        let items: *const c_void = match items {
            Row::U16(items) => items.as_ptr().cast(),
            Row::U32(items) => items.as_ptr().cast(),
        };
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_indices.write(items) };
        if !out_similarities.is_null() {
            // SAFETY: the caller's contract.
            unsafe { out_similarities.write(similarities.as_ptr()) };
        }
        Ok(0)
    })
}

/// Checks every row of a file: its checksum, and that it holds items of the corpus, nearest first.
///
/// # Safety
/// `file` must be NULL (an error) or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_file_verify(file: *const vkd_neighbors_file) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        unsafe { required(file, "file")? }.0.verify()?;
        Ok(0)
    })
}
