//! The functions of the C header for neighbours.

use super::any_job::{in_memory, with_result, AnyJob};
use super::boundary::guard;
use super::ids::GivenIds;
use super::input::{check_element_type, check_flags, Embeddings, Target};
use super::output::plan_to_c;
use super::pointers::{pointers, In, Out};
use super::status::Result;
use super::structs::Options;
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
/// `vkd_neighbors_plan` tells what a run takes. Blocks until done; `vkd_neighbors_start` is the
/// same without blocking.
///
/// Errors: VKD_ERROR_ZERO_SIZE, VKD_ERROR_DIM_TOO_LARGE, VKD_ERROR_TOO_MANY_NEIGHBORS; those of the
/// embeddings and queries (-101 to -104); VKD_ERROR_TOO_LARGE, before an embedding is read; those
/// of the device (-203, -204, -301 to -307).
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
        let (options, similarities) = (options.options()?, similarities.optional()?);
        indices.required()?;
        refuse_path(&options, "with a file use vkd_neighbors_start")?;
        let job = start(context, Embeddings::new(values, num_items, dim), k, &options)?;
        let rows = shape(Shape::new(num_items, dim), k, &options)?.num_rows;
        let outputs = Outputs::new(indices, similarities, u64::from(rows) * u64::from(k))?;
        let result = job.into_result()?;
        outputs.write(in_memory(&result, "vkd_neighbors_file_open")?, u64::MAX)
    })
}

/// Starts what `vkd_neighbors_compute` does and returns at once. Writes a job to `out_job`, to be
/// freed with `vkd_job_free`; its `steps_done` counts dot products. `vkd_job_neighbors` fetches the
/// result, unless `options->output_path` names a file for it. All pointers are read during the call
/// only. What is wrong with the input the call returns, what happens later `vkd_job_wait`; with a
/// file the errors of files (-501 to -505) too, of ids VKD_ERROR_BAD_ID.
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
/// cannot be done. Of the options only `flags`, `num_queries`, `output_path` and `ids` matter. The
/// plan's `rows` are items, or queries; its `steps` dot products. Set `out_plan->struct_size`
/// first. Waits for a run that is under way on the context.
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
        Shape::new(num_items, dim).check()?;
        let target = target(&options).file(num_items)?;
        let to = target.as_ref().map_or(Destination::Memory, Destination::File);
        out.report(|| Ok(plan_to_c(&context.0.plan_neighbors(&shape, to)?)))
    })
}

/// Copies the result of a finished job of `vkd_neighbors_start` to `out_indices` and, unless NULL,
/// `out_similarities`, each with room for `capacity` values: rows x k, as `vkd_neighbors_compute`
/// writes them. Can be called again. The errors are those of `vkd_job_sequences`.
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
        let similarities = similarities.optional()?;
        let AnyJob::Neighbors(job) = &job.0 else { return Err(job.0.wrong_kind()) };
        with_result(job, |output| {
            let neighbors = in_memory(output, "vkd_neighbors_file_open")?;
            let len = neighbors.indices.len() as u64;
            Outputs::new(indices, similarities, len)?.write(neighbors, capacity)
        })
    })
}

/// Where neighbours are written.
struct Outputs<'a> {
    indices: Out<'a, u32>,
    similarities: Option<Out<'a, f32>>,
}

impl<'a> Outputs<'a> {
    /// For `len` neighbours in all.
    fn new(
        indices: Out<'a, u32>,
        similarities: Option<Out<'a, f32>>,
        len: u64,
    ) -> Result<Outputs<'a>> {
        let indices = indices.required()?;
        if let Some(similarities) = similarities {
            indices.check_apart(similarities, len)?;
        }
        Ok(Outputs { indices, similarities })
    }

    fn write(self, neighbors: &Neighbors, capacity: u64) -> Result<()> {
        self.indices.copy(&neighbors.indices, capacity)?;
        let Some(similarities) = self.similarities else { return Ok(()) };
        similarities.map(&neighbors.dots, capacity, |&dot| similarity(dot))
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
    let target = target(options).file(request.input.num_items)?;
    let to = target.as_ref().map_or(Destination::Memory, Destination::File);
    Ok(context.0.start_neighbors(&request, to)?)
}

/// Where the result goes.
pub(super) fn target<'a>(options: &Options<'a, vkd_neighbors_options>) -> Target<'a> {
    Target {
        path: options.member(|o| o.output_path, "output_path"),
        flags: options.flags,
        ids: GivenIds {
            texts: options.member(|o| o.ids, "ids"),
            of: options.member(|o| o.ids_of, "ids_of"),
        },
    }
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

/// Checks what does not depend on the embeddings.
pub(super) fn check(options: &vkd_neighbors_options) -> Result<()> {
    use vkd_flags::*;
    let known = [VKD_CENTER, VKD_OVERWRITE, VKD_ZERO_ROWS];
    check_flags::<vkd_neighbors_options>(options.flags, &known)?;
    check_element_type(options.element_type)
}
