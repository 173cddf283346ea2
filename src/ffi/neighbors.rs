//! The functions of the C header for neighbours.

use super::any_job::{in_memory, with_result, AnyJob};
use super::boundary::{guard, pointers, In, Options, Out};
use super::input::{check_element_type, check_flags, target, Embeddings};
use super::output::plan_to_c;
use super::status::Result;
use super::types::{vkd_context, vkd_flags, vkd_job, vkd_neighbors_options, vkd_run_plan};
use crate::context::{Destination, NeighborsRequest};
use crate::corpus::Shape;
use crate::engine::neighbors::{similarity, Neighbors, QueryShape};
use crate::error::Error;
use crate::job::{Job, Output};

/// Finds the `k` most similar items of every item, or of every query: by falling cosine similarity,
/// on equal ones the lower number first. An item is not a neighbour of itself.
///
/// `embeddings` as in `vkd_batch_compute`. `k` runs from 1 to num_items - 1 (num_items with
/// queries). `options` may be NULL. `out_indices` has room for rows x k numbers (0-based), row
/// after row; `out_similarities`, which may be NULL, for as many floats: the cosine similarity, -1
/// to 1. Both are written only on success. The result does not depend on the device.
/// `vkd_neighbors_plan` tells what a run takes.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options` and `out_similarities`) or valid for the
/// sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_neighbors_compute(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    options: *const vkd_neighbors_options,
    out_indices: *mut u32,
    out_similarities: *mut f32,
) -> i32 {
    guard(|| {
        pointers!(
            context, values = embeddings, options;
            indices = out_indices, similarities = out_similarities
        );
        let (indices, options) = (indices.required()?, options.options()?);
        refuse_path(&options, "with a file use vkd_neighbors_start")?;
        let job = start(context, Embeddings::new(values, num_items, dim), k, &options)?;
        let result = job.into_result()?;
        write(in_memory(&result, "vkd_neighbors_file_open")?, u64::MAX, indices, similarities)
    })
}

/// Starts what `vkd_neighbors_compute` does and returns at once. Writes a job to `out_job`, to be
/// freed with `vkd_job_free`; its `steps_done` counts dot products. `vkd_job_neighbors` fetches the
/// result.
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
        pointers!(context, values = embeddings, options; out = out_job);
        let out = out.required()?;
        let job = start(context, Embeddings::new(values, num_items, dim), k, &options.options()?)?;
        out.give(vkd_job(AnyJob::Neighbors(job)))
    })
}

/// Tells what a run of `vkd_neighbors_compute` would take, without the embeddings; refuses what
/// cannot be done. Of the options only `flags`, `num_queries` and `output_path` matter. The plan's
/// `rows` are items, or queries; its `steps` dot products.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid; `out_plan` must point to
/// `struct_size` bytes.
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
        pointers!(context, options; out = out_plan);
        let (context, options) = (context.handle()?, options.options()?);
        let shape = shape(Shape::new(num_items, dim), k, &options)?;
        let target = target(options.member(|o| o.output_path, "output_path"), options.flags)?;
        let to = target.as_ref().map_or(Destination::Memory, Destination::File);
        out.report(|| Ok(plan_to_c(&context.0.plan_neighbors(&shape, to)?)))
    })
}

/// Copies the result of a finished job of `vkd_neighbors_start` to `out_indices` and, unless NULL,
/// `out_similarities`, each with room for `capacity` values. Can be called again.
///
/// # Safety
/// `job` must be NULL (an error) or live, `out_indices` NULL (an error) or `capacity` numbers long,
/// `out_similarities` NULL or as long.
#[no_mangle]
pub unsafe extern "C" fn vkd_job_neighbors(
    job: *const vkd_job,
    capacity: u64,
    out_indices: *mut u32,
    out_similarities: *mut f32,
) -> i32 {
    guard(|| {
        pointers!(job; indices = out_indices, similarities = out_similarities);
        let (job, indices) = (job.handle()?, indices.required()?);
        let AnyJob::Neighbors(job) = &job.0 else { return Err(job.0.wrong_kind()) };
        with_result(job, |output| {
            let neighbors = in_memory(output, "vkd_neighbors_file_open")?;
            write(neighbors, capacity, indices, similarities)
        })
    })
}

fn write(
    neighbors: &Neighbors,
    capacity: u64,
    indices: Out<u32>,
    similarities: Out<f32>,
) -> Result<()> {
    indices.copy(&neighbors.indices, capacity)?;
    match similarities.is_null() {
        true => Ok(()),
        false => similarities.map(&neighbors.dots, capacity, |&dot| similarity(dot)),
    }
}

/// Refuses an output path where it has no place.
pub(super) fn refuse_path(options: &vkd_neighbors_options, instead: &str) -> Result<()> {
    if options.output_path.is_null() {
        return Ok(());
    }
    let (option, got, allowed) = ("output_path", "set".into(), instead.into());
    Err(Error::BadOption { option, got, allowed }.into())
}

fn start(
    context: In<vkd_context>,
    embeddings: Embeddings,
    k: u32,
    options: &Options<vkd_neighbors_options>,
) -> Result<Job<Output<Neighbors>>> {
    let context = context.handle()?;
    let request = request(embeddings, k, options)?;
    let target = target(options.member(|o| o.output_path, "output_path"), options.flags)?;
    let to = target.as_ref().map_or(Destination::Memory, Destination::File);
    Ok(context.0.start_neighbors(&request, to)?)
}

/// What the caller asks for.
pub(super) fn request<'a>(
    embeddings: Embeddings<'a>,
    k: u32,
    options: &Options<'a, vkd_neighbors_options>,
) -> Result<NeighborsRequest<'a>> {
    check(options)?;
    let input = embeddings.input(options.element_type, options.flags)?;
    let queries = options.member(|o| o.queries, "queries");
    let queries = match (queries.is_null(), options.num_queries) {
        (true, 0) => None,
        (_, count) => {
            let queries = Embeddings::new(queries.required()?, count, input.dim);
            Some((queries.elements(options.element_type)?, count))
        }
    };
    Ok(NeighborsRequest { input, k, queries })
}

/// The shape of a search, without embeddings.
pub(super) fn shape(shape: Shape, k: u32, options: &vkd_neighbors_options) -> Result<QueryShape> {
    check(options)?;
    let Shape { num_items, dim } = shape;
    let own = options.num_queries == 0;
    let num_rows = if own { num_items } else { options.num_queries };
    Ok(QueryShape { num_items, dim, num_rows, own, k })
}

fn check(options: &vkd_neighbors_options) -> Result<()> {
    let known = [vkd_flags::VKD_CENTER, vkd_flags::VKD_OVERWRITE];
    check_flags::<vkd_neighbors_options>(options.flags, &known)?;
    check_element_type(options.element_type)
}
