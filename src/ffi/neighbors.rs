//! The functions of the C header for neighbours and similarities.

use super::boundary::{guard, read_options, required, write_struct, Sized32};
use super::input::{bad, elements, flags, target};
use super::output::{plan_to_c, write_neighbors, write_similarities};
use super::types::*;
use crate::context::{NeighborRequest, NeighborsTo};
use crate::corpus::Input;
use crate::engine::neighbors::QueryShape;
use crate::engine::Pairs;
use crate::error::{Error, Result};
use crate::job::Job;

// SAFETY: repr(C), begins with a u32 size and holds only numbers and raw pointers.
unsafe impl Sized32 for vkd_neighbors_options {
    const NAME: &'static str = "vkd_neighbors_options";
    const LEAST: u32 = 32;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_similarity_options {
    const NAME: &'static str = "vkd_similarity_options";
    const LEAST: u32 = 16;
}

/// The flags that searches take.
const KNOWN: u32 = vkd_flags::VKD_CENTER as u32 | vkd_flags::VKD_OVERWRITE as u32;

/// Finds the `k` most similar items of every item, or of every query: by falling cosine similarity, on equal ones the lower
/// number first. An item is no neighbour of its own.
///
/// `embeddings` as in `vkd_batch_compute`. `k` runs from 1 to num_items - 1 (num_items with queries). `options` may be
/// NULL. `out_indices` has room for rows x k numbers (0-based), row after row; `out_similarity`, which may be NULL, for as
/// many floats: the cosine similarity, -1 to 1. Both are written only on success. The result does not depend on the device.
/// `vkd_neighbors_plan` tells what a run takes.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options` and `out_similarity`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_compute(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbors_options,
    out_indices: *mut u32,
    out_similarity: *mut f32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_indices, "out_indices")? };
        // SAFETY: as above.
        let given = unsafe { read_options(options)? };
        if !given.output_path.is_null() {
            let (option, got) = ("output_path", "a path".into());
            let allowed = "with a file use vkd_neighbors_start".into();
            return Err(Error::BadOption { option, got, allowed });
        }
        // SAFETY: as above.
        let job = unsafe { start(context, embeddings, num_items, dim, k, options)? };
        let result = job.wait(None);
        // SAFETY: as above: room for the whole result.
        unsafe { write_neighbors(result.as_deref(), u64::MAX, out_indices, out_similarity) }
    })
}

/// Starts what `vkd_neighbors_compute` does and returns at once. Writes a job to `out_job`, to be freed with `vkd_job_free`; its
/// `steps_done` counts dot products. `vkd_job_neighbors` fetches the result.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid as in `vkd_neighbors_compute`.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbors_options,
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

/// Tells what a run of `vkd_neighbors_compute` would take, without the embeddings; refuses what cannot be done. Of the options only
/// `flags`, `num_queries` and `output_path` matter. `sequences` of the plan are rows, `picks` dot products.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid; `out_plan` must point to `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_plan(
    context: *const vkd_context,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbors_options,
    out_plan: *mut vkd_run_plan,
) -> i32 {
    guard(|| {
        let make = || {
            // SAFETY: the caller's contract, here and below.
            let context = unsafe { required(context, "context")? };
            // SAFETY: as above.
            let options = unsafe { read_options(options)? };
            flags::<vkd_neighbors_options>(options.flags, KNOWN)?;
            let own = options.num_queries == 0;
            let num_rows = if own { num_items } else { options.num_queries };
            let shape = QueryShape { num_items, dim, num_rows, own, k };
            Ok(plan_to_c(&context.0.plan_neighbors(&shape, !options.output_path.is_null())?))
        };
        // SAFETY: as above.
        unsafe { write_struct(out_plan, "out_plan", make) }
    })
}

/// Computes the cosine similarity of all pairs of items: num_items x num_items floats, row after row; with VKD_UPPER_TRIANGLE
/// each pair once, that of items i and j (i < j, 0-based) at i * num_items - i * (i + 1) / 2 + j - i - 1, in all
/// num_items x (num_items - 1) / 2 floats.
///
/// `embeddings` as in `vkd_batch_compute`; `options` may be NULL. `out_similarity` is written only on success. A similarity is
/// the dot product of the prepared rows / 32767^2. While the call runs the library holds a second copy of the result.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_similarity_compute(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_similarity_options,
    out_similarity: *mut f32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        let context = unsafe { required(context, "context")? };
        // SAFETY: as above.
        unsafe { required(out_similarity, "out_similarity")? };
        // SAFETY: as above.
        let options = unsafe { read_options(options)? };
        let (center, upper) = (vkd_flags::VKD_CENTER as u32, vkd_flags::VKD_UPPER_TRIANGLE as u32);
        flags::<vkd_similarity_options>(options.flags, center | upper)?;
        if options.reserved != 0 {
            return Err(bad("reserved", options.reserved, "it must be 0"));
        }
        // SAFETY: as above.
        let items = unsafe { elements(embeddings, num_items, dim, options.element_type)? };
        let center = options.flags & center != 0;
        let pairs = if options.flags & upper != 0 { Pairs::Upper } else { Pairs::All };
        let input = Input { elements: items, num_items, dim, center };
        let job = context.0.start_similarities(&input, pairs)?;
        // SAFETY: as above: room for the whole result.
        unsafe { write_similarities(job.wait(None).as_deref(), out_similarity) }
    })
}

/// # Safety
/// Pointers must be NULL or valid as in `vkd_neighbors_compute`.
unsafe fn start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbors_options,
) -> Result<Job> {
    // SAFETY: the caller's contract, here and below.
    let context = unsafe { required(context, "context")? };
    // SAFETY: as above.
    let options = unsafe { read_options(options)? };
    // SAFETY: as above.
    let request = unsafe { request(embeddings, num_items, dim, k, &options)? };
    // SAFETY: as above.
    let target = unsafe { target(options.output_path, options.flags)? };
    let to = target.as_ref().map_or(NeighborsTo::Memory, NeighborsTo::File);
    context.0.start_neighbors(&request, to)
}

/// What the caller asks for.
///
/// # Safety
/// Pointers must be NULL or valid as in `vkd_neighbors_compute`.
pub(super) unsafe fn request<'a>(
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: &vkd_neighbors_options,
) -> Result<NeighborRequest<'a>> {
    flags::<vkd_neighbors_options>(options.flags, KNOWN)?;
    // SAFETY: the caller's contract, here and below.
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
    let center = options.flags & vkd_flags::VKD_CENTER as u32 != 0;
    let input = Input { elements: items, num_items, dim, center };
    Ok(NeighborRequest { input, k, queries })
}
