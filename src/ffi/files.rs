//! The functions of the C header for files of results.

use libc::{c_char, c_void};

use super::boundary::{guard, read_options, required, write_struct, Sized32};
use super::input::{bad, elements, path};
use super::output::copy_text;
use super::types::*;
use crate::corpus::Shape;
use crate::error::Error;
use crate::store::{Row, SequencesFile};
use crate::verify::{verify, Report, Sample};

// SAFETY: all are repr(C), begin with a u32 size and hold only numbers.
unsafe impl Sized32 for vkd_sequences_file_info {
    const NAME: &'static str = "vkd_sequences_file_info";
    const LEAST: u32 = 88;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_verify_options {
    const NAME: &'static str = "vkd_verify_options";
    const LEAST: u32 = 16;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_verify_report {
    const NAME: &'static str = "vkd_verify_report";
    const LEAST: u32 = 40;
}

/// Opens a finished file of sequences (`vkd_batch_options.output_path`) for reading, and checks its header, its size, its
/// checksums and 16 of its rows; `vkd_sequences_file_verify` checks all.
///
/// Writes a handle to `out_sequences`, to be freed with `vkd_sequences_file_free`. The file is mapped into memory, read only: any
/// number of threads, Lua states and processes can have it open at once, without locks and without copies. Do not cut
/// or overwrite a file in place while it is open; vkd itself replaces files by renaming, and whoever has the old one open
/// keeps it.
///
/// # Safety
/// `path` must be NULL (an error) or NUL-terminated, `out_sequences` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_open(
    path: *const c_char,
    out_sequences: *mut *mut vkd_sequences_file,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_sequences, "out_sequences")? };
        // SAFETY: as above.
        let path = unsafe { self::path(path, "path")? };
        let file = Box::new(vkd_sequences_file(SequencesFile::open(&path)?));
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_sequences.write(Box::into_raw(file)) };
        Ok(0)
    })
}

/// Frees what `vkd_sequences_file_open` opened; pointers to its rows end with it. NULL is fine.
///
/// # Safety
/// `sequences` must be NULL or come from `vkd_sequences_file_open`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_free(sequences: *mut vkd_sequences_file) {
    guard(|| {
        if !sequences.is_null() {
            // SAFETY: it came from Box::into_raw and the caller gives it back.
            drop(unsafe { Box::from_raw(sequences) });
        }
        Ok(0)
    });
}

/// Describes a file. Set `out_info->struct_size` first; the rest is written on success.
///
/// # Safety
/// `sequences` must be NULL (an error) or live, `out_info` NULL (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_get_info(
    sequences: *const vkd_sequences_file,
    out_info: *mut vkd_sequences_file_info,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let file = unsafe { required(sequences, "sequences")? };
        let meta = file.0.meta();
        let (mut fingerprint, mut version) = ([0; 40], [0; 24]);
        copy_text(&meta.fingerprint, &mut fingerprint);
        copy_text(&meta.version, &mut version);
        let info = vkd_sequences_file_info {
            struct_size: size_of::<vkd_sequences_file_info>() as u32,
            flags: u32::from(meta.centered) * vkd_flags::VKD_CENTER as u32,
            count: meta.count,
            length: meta.length,
            num_items: meta.num_items,
            item_bytes: file.0.item_bytes(),
            fingerprint,
            version,
        };
        // SAFETY: the caller's contract.
        unsafe { write_struct(out_info, "out_info", || Ok(info)) }
    })
}

/// Gives sequence `index` (0-based) as it lies in the file: `length` item numbers (0-based) of `item_bytes` bytes each, 2
/// (uint16_t) or 4 (uint32_t), see `vkd_sequences_file_get_info`. The first one is the start. Nothing is copied; the pointer is
/// good until `vkd_sequences_file_free`.
///
/// # Safety
/// `sequences` must be NULL (an error) or live, `out_row` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_row(
    sequences: *const vkd_sequences_file,
    index: u32,
    out_row: *mut *const c_void,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let file = unsafe { required(sequences, "sequences")? };
        // SAFETY: the caller's contract.
        unsafe { required(out_row, "out_row")? };
        let row: *const c_void = match file.0.row(index)? {
            Row::U16(items) => items.as_ptr().cast(),
            Row::U32(items) => items.as_ptr().cast(),
        };
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_row.write(row) };
        Ok(0)
    })
}

/// Copies `count` item numbers of sequence `index` from place `first` on (all 0-based) to `out_items`, widened to 32 bits.
///
/// # Safety
/// `sequences` must be NULL (an error) or live, `out_items` NULL (an error) or `count` numbers long.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_copy_row(
    sequences: *const vkd_sequences_file,
    index: u32,
    first: u32,
    count: u32,
    out_items: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let file = unsafe { required(sequences, "sequences")? };
        // SAFETY: the caller's contract.
        unsafe { required(out_items, "out_items")? };
        let row = file.0.row(index)?;
        let length = file.0.meta().length;
        if u64::from(first) + u64::from(count) > u64::from(length) {
            let allowed = format!("sequences have {length} items, and first is {first}");
            return Err(Error::BadOption { option: "count", got: count.to_string(), allowed });
        }
        for (place, item) in row.iter().skip(first as usize).take(count as usize).enumerate() {
            // SAFETY: `place` is below `count`, and the caller's contract.
            unsafe { out_items.add(place).write(item) };
        }
        Ok(0)
    })
}

/// Finds the first sequence that begins with item `start` (0-based) and writes its index to `out_index`; where there is none,
/// that is VKD_ERROR_START_OUT_OF_RANGE. In a file of all starts the index is the start.
///
/// # Safety
/// `sequences` must be NULL (an error) or live, `out_index` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_find(
    sequences: *const vkd_sequences_file,
    start: u32,
    out_index: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        let file = unsafe { required(sequences, "sequences")? };
        // SAFETY: the caller's contract.
        unsafe { required(out_index, "out_index")? };
        let found = file.0.find(start).ok_or(Error::NoSuchStart { start })?;
        // SAFETY: not NULL, and the caller's contract.
        unsafe { out_index.write(found) };
        Ok(0)
    })
}

/// Checks every row of a file: its checksum, its start, and that it holds items of the corpus, each once.
///
/// # Safety
/// `sequences` must be NULL (an error) or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_verify(sequences: *const vkd_sequences_file) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract.
        unsafe { required(sequences, "sequences")? }.0.verify()?;
        Ok(0)
    })
}

/// Checks a file against the embeddings that it was computed from: all rows as `vkd_sequences_file_verify`, and a sample of
/// picks anew in 64-bit floats, without the library's integers.
///
/// Reports the worst regret: how much farther from the centroid (in cosine distance, 0 to 2) some other item was than the
/// one picked. The integers round to 15 bits, so up to some 0.001 is right; a wrong file shows 0.1 and more. Embeddings
/// that are not the file's are VKD_ERROR_FILE_MISMATCH. A pick costs num_items x dim multiplications. `options` may be
/// NULL; set `out_report->struct_size` first.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_sequences_file_verify_against(
    sequences: *const vkd_sequences_file,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_verify_options,
    out_report: *mut vkd_verify_report,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        let file = unsafe { required(sequences, "sequences")? };
        // SAFETY: as above.
        let options = unsafe { read_options(options)? };
        if options.flags != 0 {
            return Err(bad("flags", options.flags, "there are none yet: 0"));
        }
        // SAFETY: as above.
        let elements = unsafe { elements(embeddings, num_items, dim, options.element_type)? };
        let sample = Sample { sequences: options.num_sequences, picks: options.num_picks };
        let make =
            || Ok(report_to_c(&verify(&file.0, elements, Shape::new(num_items, dim), sample)?));
        // SAFETY: as above.
        unsafe { write_struct(out_report, "out_report", make) }
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
