//! The functions of the C header for sequences: the main job.

use super::any_job::AnyJob;
use super::boundary::guard;
use super::ids::GivenIds;
use super::input::{
    bad, check_element_type, check_flags, check_reserved, check_unused, has, Embeddings, Target,
};
use super::output::plan_to_c;
use super::pointers::{pointers, In};
use super::status::Result;
use super::structs::Options;
use super::types::{vkd_batch_options, vkd_context, vkd_flags, vkd_job, vkd_run_plan};
use crate::context::Destination;
use crate::corpus::Shape;
use crate::error::Error;
use crate::job::{Job, Output};
use crate::plan::{Heads, Request};
use crate::rule::Rule;
use crate::sequence::Sequences;
use crate::shard::Shard;

/// Computes diversity sequences: from every start, again and again the item that is least similar
/// (cosine) to the centroid of all picked so far; on equal scores the lowest number. Or by another
/// rule, `options->rule`, and from several given items, `options->heads`.
///
/// `embeddings` holds `num_items` x `dim` values, row after row: 32-bit floats, or what
/// `options->element_type` says (cast the pointer). They need not be normalised. `options` may be
/// NULL for all defaults: one full sequence from every item. `out_sequences` has room for starts x
/// length numbers; row r begins with start r, or with head r; of a shard only the rows that are its
/// own (`options->shard_index`). Item numbers count from 0. It is
/// written only on success, and may be NULL where `options->output_path` names a file for the
/// result. Blocks until done; `vkd_batch_start` is the same without blocking. All pointers are read
/// during the call only. The result does not depend on the device.
///
/// Besides the output, the run holds on the host the prepared rows (2 x num_items x dim bytes) and
/// one copy of the output, and on the device the contribution matrix (2 x num_items^2 bytes) or as
/// many of its rows as are needed and fit (`row_source` and `held_rows` of `vkd_batch_plan`); the
/// built-in engines hold it on the host.
///
/// A device that is lost during the run is opened anew, once, and the run goes on behind its
/// finished sequences.
///
/// Errors: VKD_ERROR_ZERO_SIZE, VKD_ERROR_DIM_TOO_LARGE, VKD_ERROR_START_OUT_OF_RANGE,
/// VKD_ERROR_LENGTH_OUT_OF_RANGE, VKD_ERROR_BAD_HEADS; those of the embeddings (-101 to -104);
/// VKD_ERROR_TOO_LARGE, before an embedding is read; those of the device (-203, -204, -301 to
/// -307); with a file those of files (-501 to -505), of ids
/// VKD_ERROR_BAD_ID.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid for the sizes above.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_compute(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
    out_sequences: *mut u32,
) -> i32 {
    guard(|| {
        pointers!(context, values = embeddings, options; out = out_sequences);
        let options = options.options()?;
        let out_values = options.output(|o| o.out_values, "out_values");
        if !options.output_path.is_null() {
            refuse_values(&options, "the values go to the file at output_path: leave it NULL")?;
        } else {
            out.required()?;
            let request = request(&options)?;
            if has(options.flags, vkd_flags::VKD_VALUES) {
                out_values.required()?;
            }
            if let Some(values) = out_values.optional()? {
                Shape::new(num_items, dim).check()?;
                out.check_apart(values, request.shape(num_items)?.output_len())?;
            }
        }
        let job = start(context, Embeddings::new(values, num_items, dim), &options)?;
        match job.into_result()? {
            Output::File(_) => Ok(()),
            Output::Memory(Sequences { items, values }) => {
                out.copy(&items, u64::MAX)?;
                out_values.optional()?.map_or(Ok(()), |out| out.copy(&values, u64::MAX))
            }
        }
    })
}

/// Starts what `vkd_batch_compute` does and returns at once, with the input checked and prepared.
///
/// Writes a job to `out_job`, to be freed with `vkd_job_free`; `vkd_job_sequences` fetches the
/// result, and with VKD_VALUES `vkd_job_values` its values. All pointers are read during the call
/// only: the embeddings may be freed before the job has finished. The errors are those of
/// `vkd_batch_compute`: what is wrong with the input the call returns, what happens later
/// `vkd_job_wait`.
///
/// # Safety
/// Pointers must be NULL (an error, but for `options`) or valid as in `vkd_batch_compute`.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        pointers!(context, values = embeddings, options; out = out_job);
        let (out, options) = (out.required()?, options.options()?);
        let allowed = "set VKD_VALUES and fetch the values with vkd_job_values: leave it NULL";
        refuse_values(&options, allowed)?;
        let job = start(context, Embeddings::new(values, num_items, dim), &options)?;
        out.give(vkd_job(AnyJob::Sequences(job)))
    })
}

/// Tells what a run of `vkd_batch_compute` would take, without the embeddings, and refuses what
/// cannot be done, with the run's own errors. `options` may be NULL. Set `out_plan->struct_size`
/// first. Does not wait for a run that is under way on the context.
///
/// # Safety
/// `context` must be NULL (an error) or live; `options` as in `vkd_batch_compute`; `out_plan` NULL
/// (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_plan(
    context: *const vkd_context,
    num_items: u32,
    dim: u32,
    options: *const vkd_batch_options,
    out_plan: *mut vkd_run_plan,
) -> i32 {
    guard(|| {
        pointers!(context, options; out = out_plan);
        let (context, options) = (context.handle()?, options.options()?);
        let (request, shape) = (request(&options)?, Shape::new(num_items, dim));
        shape.check()?;
        let target = target(&options).file(num_items)?;
        let to = target.as_ref().map_or(Destination::Memory, Destination::File);
        out.report(|| Ok(plan_to_c(&context.0.plan(shape, &request, to)?)))
    })
}

fn start(
    context: In<vkd_context>,
    embeddings: Embeddings,
    options: &Options<vkd_batch_options>,
) -> Result<Job<Output<Sequences>>> {
    let (context, request) = (context.handle()?, request(options)?);
    let input = embeddings.input(options.element_type, options.flags)?;
    let target = target(options).file(input.num_items)?;
    let to = target.as_ref().map_or(Destination::Memory, Destination::File);
    Ok(context.0.start(&input, &request, to)?)
}

fn target<'a>(options: &Options<'a, vkd_batch_options>) -> Target<'a> {
    Target {
        path: options.member(|o| o.output_path, "output_path"),
        flags: options.flags,
        ids: GivenIds {
            texts: options.member(|o| o.ids, "ids"),
            of: options.member(|o| o.ids_of, "ids_of"),
        },
    }
}

/// Refuses room for values where nothing would be written to it.
fn refuse_values(options: &Options<vkd_batch_options>, allowed: &str) -> Result<()> {
    if options.out_values.is_null() {
        return Ok(());
    }
    let got = format!("{:p}", options.out_values);
    Err(Error::BadOption { option: "out_values", got, allowed: allowed.into() }.into())
}

fn request(options: &Options<vkd_batch_options>) -> Result<Request> {
    use vkd_flags::*;
    let known = [VKD_CENTER, VKD_OVERWRITE, VKD_VALUES, VKD_LAMBDA, VKD_ZERO_ROWS];
    check_flags::<vkd_batch_options>(options.flags, &known)?;
    check_reserved(options.reserved)?;
    check_unused("reserved_2", options.reserved_2)?;
    check_element_type(options.element_type)?;
    let starts = options.member(|o| o.starts, "starts");
    let starts = match (starts.is_null(), options.num_starts) {
        (true, 0) => None,
        (_, count) => Some(starts.copied(count.into())?),
    };
    let values = has(options.flags, VKD_VALUES) || !options.out_values.is_null();
    let (heads, rule) = (heads(options)?, rule(options)?);
    let (length, shard) = (options.length, shard(options)?);
    Ok(Request { starts, heads, length, rule, values, shard })
}

fn heads(options: &Options<vkd_batch_options>) -> Result<Option<Heads>> {
    let (heads, length) = (options.member(|o| o.heads, "heads"), options.head_length);
    if heads.is_null() && (options.num_heads, length) == (0, 0) {
        return Ok(None);
    }
    let items = heads.copied(u64::from(options.num_heads) * u64::from(length))?;
    Ok(Some(Heads { items, length }))
}

fn rule(options: &Options<vkd_batch_options>) -> Result<Rule> {
    let is_given = has(options.flags, vkd_flags::VKD_LAMBDA) || options.lambda != 0.0;
    numbered_rule(options.rule, is_given.then_some(options.lambda))
}

fn shard(options: &Options<vkd_batch_options>) -> Result<Option<Shard>> {
    match (options.shard_index, options.shard_count) {
        (0, 0) => Ok(None),
        (index, count) => Ok(Some(Shard::new(index, count)?)),
    }
}

/// The rule of a number of `vkd_rule`.
pub(super) fn numbered_rule(number: u32, lambda: Option<f64>) -> Result<Rule> {
    let name = Rule::NAMES.get(number as usize);
    let name = name.ok_or_else(|| bad("rule", number, "use one of vkd_rule"))?;
    Ok(Rule::new(name, lambda)?)
}
