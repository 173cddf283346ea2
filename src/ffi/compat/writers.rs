//! The functions of the older interface that write files. They need no context: the similarities
//! are the caller's.

use libc::c_char;

use super::boundary::{guard, Group, Result};
use super::results::Results;
use super::triangle::Triangle;
use crate::ffi::pointers::{pointers, In};

/// Threads that may be asked for.
const THREADS: std::ops::RangeInclusive<u32> = 1..=64;

/// Writes DIRECTORY/poem_index_NUMBER.json for each of `num_items` items, with all others in it,
/// the most similar first, on equal similarities by position. `triangle` is as
/// `vks_compute_all_similarities_parallel` writes it, or any other; `poem_indices` has the number
/// and `poem_ids` the id of each item. The directory must be there. The bytes do not depend on
/// `threads`, 1 to 64. A file of the same name is replaced by a whole one. Returns 0, or -6 for
/// NULL and where a file cannot be written.
///
/// # Safety
/// Pointers must be NULL or valid: num_items x (num_items - 1) / 2 floats, num_items numbers and as
/// many texts, each NUL-terminated; a NUL-terminated path.
#[no_mangle]
pub unsafe extern "C" fn vks_write_similarity_files_parallel(
    triangle: *const f32,
    num_items: u32,
    poem_indices: *const u32,
    poem_ids: *const *const c_char,
    directory: *const c_char,
    threads: u32,
) -> i32 {
    guard(Group::Vks, || {
        pointers!(triangle, poem_indices, poem_ids, directory;);
        let results = results(triangle, poem_indices, num_items, threads)?;
        let ids = poem_ids.byte_texts(num_items.into())?;
        Ok(results.write_pages(&directory.path()?, &ids)?)
    })
}

/// Writes the rankings of all items into one file: of each the numbers of the nearest `top_k`
/// others; 0, and what is more than there are, means all. Otherwise as
/// `vks_write_similarity_files_parallel`. Old scripts call it without `top_k`, by a declaration of
/// their own, and mean 0.
///
/// # Safety
/// Pointers must be NULL or valid: num_items x (num_items - 1) / 2 floats, num_items numbers, a
/// NUL-terminated path.
#[no_mangle]
pub unsafe extern "C" fn vks_write_rankings_cache_parallel(
    triangle: *const f32,
    num_items: u32,
    poem_indices: *const u32,
    file: *const c_char,
    threads: u32,
    top_k: u32,
) -> i32 {
    guard(Group::Vks, || {
        pointers!(triangle, poem_indices, file;);
        let results = results(triangle, poem_indices, num_items, threads)?;
        Ok(results.write_rankings(&file.path()?, top_k)?)
    })
}

fn results<'a>(
    triangle: In<'a, f32>,
    poem_indices: In<'a, u32>,
    num_items: u32,
    threads: u32,
) -> Result<Results<'a>> {
    let values = triangle.array(Triangle::len(num_items))?;
    let numbers = poem_indices.array(num_items.into())?;
    let num_threads = threads.clamp(*THREADS.start(), *THREADS.end()) as usize;
    let triangle = Triangle { values, num_items: num_items as usize };
    Ok(Results { triangle, numbers, num_threads })
}
