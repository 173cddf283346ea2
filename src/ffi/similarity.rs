//! The functions of the C header for the similarities of pairs of items.

use super::any_job::{with_result, AnyJob};
use super::boundary::guard;
use super::input::{check_element_type, check_flags, check_reserved, has, Embeddings};
use super::output::plan_to_c;
use super::pointers::{pointers, In};
use super::status::Result;
use super::structs::Options;
use super::types::{vkd_context, vkd_flags, vkd_job, vkd_run_plan, vkd_similarity_options};
use crate::corpus::Shape;
use crate::engine::Pairs;
use crate::job::Job;

/// Computes the cosine similarity of all pairs of items: num_items x num_items floats, row after
/// row; with VKD_UPPER_TRIANGLE each pair once, that of items i and j (i < j, 0-based) at i *
/// num_items - i * (i + 1) / 2 + j - i - 1, in all num_items x (num_items - 1) / 2 floats.
///
/// `embeddings` as in `vkd_batch_compute`; `options` may be NULL. `out_similarities` is written
/// only on success. A similarity is the dot product of the prepared rows / 32767^2. While the call
/// runs the library holds a second copy of the result. Blocks until done; `vkd_similarity_start` is
/// the same without blocking.
///
/// Errors: VKD_ERROR_ZERO_SIZE, VKD_ERROR_DIM_TOO_LARGE; those of the embeddings (-101 to -104);
/// VKD_ERROR_TOO_LARGE, before an embedding is read; those of the device (-203, -204, -301 to
/// -307).
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
    out_similarities: *mut f32,
) -> i32 {
    guard(|| {
        pointers!(context, values = embeddings, options; out = out_similarities);
        let out = out.required()?;
        let job = start(context, Embeddings::new(values, num_items, dim), &options.options()?)?;
        out.copy(&job.into_result()?, u64::MAX)
    })
}

/// Starts what `vkd_similarity_compute` does and returns at once. Writes a job to `out_job`, to be
/// freed with `vkd_job_free`; its `steps_done` counts dot products. `vkd_job_similarity` fetches
/// the result. All pointers are read during the call only.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid as in `vkd_similarity_compute`.
#[no_mangle]
pub unsafe extern "C" fn vkd_similarity_start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_similarity_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        pointers!(context, values = embeddings, options; out = out_job);
        let out = out.required()?;
        let job = start(context, Embeddings::new(values, num_items, dim), &options.options()?)?;
        out.give(vkd_job(AnyJob::Similarity(job)))
    })
}

/// Tells what a run of `vkd_similarity_compute` would take, without the embeddings; refuses what
/// cannot be done. Only `flags` of the options matters. The plan's `rows` are items, its `steps`
/// dot products. Set `out_plan->struct_size` first. Waits for a run that is under way on the
/// context.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid; `out_plan` must point to
/// `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_similarity_plan(
    context: *const vkd_context,
    num_items: u32,
    dim: u32,
    options: *const vkd_similarity_options,
    out_plan: *mut vkd_run_plan,
) -> i32 {
    guard(|| {
        pointers!(context, options; out = out_plan);
        let (context, options) = (context.handle()?, options.options()?);
        let pairs = pairs(&options)?;
        let shape = Shape::new(num_items, dim);
        out.report(|| Ok(plan_to_c(&context.0.plan_similarity(shape, pairs)?)))
    })
}

/// Copies the result of a finished job of `vkd_similarity_start` to `out_similarities`, which has
/// room for `capacity` floats; fewer than the result has are VKD_ERROR_OUTPUT_TOO_SMALL. Can be
/// called again. The errors are those of `vkd_job_sequences`.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_similarities` NULL (an error) or `capacity` floats
/// long.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_similarity(
    job: *const vkd_job,
    capacity: u64,
    out_similarities: *mut f32,
) -> i32 {
    guard(|| {
        pointers!(job; out = out_similarities);
        let (job, out) = (job.handle()?, out.required()?);
        let AnyJob::Similarity(job) = &job.0 else { return Err(job.0.wrong_kind()) };
        with_result(job, |similarities| out.copy(similarities, capacity))
    })
}

fn start(
    context: In<vkd_context>,
    embeddings: Embeddings,
    options: &Options<vkd_similarity_options>,
) -> Result<Job<Vec<f32>>> {
    let (context, pairs) = (context.handle()?, pairs(options)?);
    let input = embeddings.input(options.element_type, options.flags)?;
    Ok(context.0.start_similarity(&input, pairs)?)
}

fn pairs(options: &vkd_similarity_options) -> Result<Pairs> {
    use vkd_flags::*;
    let known = [VKD_CENTER, VKD_UPPER_TRIANGLE, VKD_ZERO_ROWS];
    check_flags::<vkd_similarity_options>(options.flags, &known)?;
    check_reserved(options.reserved)?;
    check_element_type(options.element_type)?;
    Ok(match has(options.flags, vkd_flags::VKD_UPPER_TRIANGLE) {
        true => Pairs::Upper,
        false => Pairs::All,
    })
}
