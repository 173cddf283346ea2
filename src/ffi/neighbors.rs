//! The functions of the C header for neighbours.

use super::boundary::{guard, read_options, required, Sized32};
use super::input::elements;
use super::output::write_neighbors;
use super::types::*;
use crate::context::{NeighborRequest, NeighborsTo};
use crate::error::{Error, Result};
use crate::job::Job;

// SAFETY: repr(C), begins with a u32 size and holds only numbers and raw pointers.
unsafe impl Sized32 for vkd_neighbor_options {
    const NAME: &'static str = "vkd_neighbor_options";
    const LEAST: u32 = 24;
}

/// Finds the `k` most similar items of every item, or of every query: by falling cosine similarity, on equal ones the lower
/// number first. An item is no neighbour of its own.
///
/// `embeddings` as in `vkd_batch_compute`. `k` runs from 1 to num_items - 1 (num_items with queries). `options` may be
/// NULL. `out_indices` has room for rows x k numbers (0-based), row after row; `out_similarity`, which may be NULL, for as
/// many floats: the cosine similarity, -1 to 1. Both are written only on success. The result does not depend on the device; in
/// this version Vulkan devices refuse with VKD_ERROR_UNSUPPORTED. Beside the result the run holds the prepared rows and up to
/// 256 MB.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options` and `out_similarity`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbor_options,
    out_indices: *mut u32,
    out_similarity: *mut f32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_indices, "out_indices")? };
        // SAFETY: as above.
        let job = unsafe { start(context, embeddings, num_items, dim, k, options)? };
        let result = job.wait(None);
        // SAFETY: as above: room for the whole result.
        unsafe { write_neighbors(result.as_deref(), u64::MAX, out_indices, out_similarity) }
    })
}

/// Starts what `vkd_neighbors` does and returns at once. Writes a job to `out_job`, to be freed with `vkd_job_free`; its
/// `picks_done` counts dot products. `vkd_job_neighbors` fetches the result.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid as in `vkd_neighbors`.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbor_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_job, "out_job")? };
        // SAFETY: as above.
        let job = unsafe { start(context, embeddings, num_items, dim, k, options)? };
        // SAFETY: not NULL, and as above.
        unsafe { out_job.write(Box::into_raw(Box::new(vkd_job(job)))) };
        Ok(0)
    })
}

/// Copies the result of a finished job of `vkd_neighbors_start` to `out_indices` and, unless NULL, `out_similarity`, each with
/// room for `capacity` values. Can be called again.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_indices` NULL (an error) or `capacity` numbers long, `out_similarity` NULL or as
/// long.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_neighbors(
    job: *const vkd_job,
    capacity: u64,
    out_indices: *mut u32,
    out_similarity: *mut f32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        let job = unsafe { required(job, "job")? };
        // SAFETY: as above.
        unsafe { required(out_indices, "out_indices")? };
        let result = job.0.result();
        // SAFETY: as above.
        unsafe { write_neighbors(result.as_deref(), capacity, out_indices, out_similarity) }
    })
}

/// # Safety
/// Pointers must be NULL or valid as in `vkd_neighbors`.
unsafe fn start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbor_options,
) -> Result<Job> {
    // SAFETY: the caller's contract, here and below.
    let context = unsafe { required(context, "context")? };
    // SAFETY: as above.
    let options = unsafe { read_options(options)? };
    let known = vkd_batch_flags::VKD_CENTER as u32;
    if options.flags & !known != 0 {
        let name = vkd_neighbor_options::NAME;
        return Err(Error::UnknownFlags { name, got: options.flags, known });
    }
    // SAFETY: as above.
    let items = unsafe { elements(embeddings, num_items, dim, options.element_type)? };
    let queries = if options.queries.is_null() && options.num_queries == 0 {
        None
    } else {
        let (queries, count) = (options.queries, options.num_queries);
        // SAFETY: as above.
        unsafe { required(queries, "queries")? };
        // SAFETY: as above.
        Some((unsafe { elements(queries, count, dim, options.element_type)? }, count))
    };
    let center = options.flags & known != 0;
    let request = NeighborRequest { elements: items, num_items, dim, center, k, queries };
    context.0.start_neighbors(&request, NeighborsTo::Memory)
}
