//! The functions of the C header for the files of a site.

use libc::c_char;

use super::any_job::AnyJob;
use super::boundary::guard;
use super::input::{check_flags, check_one_each, check_reserved, check_threads, has, Embeddings};
use super::neighbors::{check, refuse_path, request, shape, target};
use super::output::plan_to_c;
use super::pointers::{pointers, In};
use super::source::results;
use super::status::Result;
use super::structs::Options;
use super::types::{
    vkd_context, vkd_flags, vkd_job, vkd_neighbors_options, vkd_run_plan, vkd_site_options,
    vkd_site_source,
};
use crate::context::start_site_write;
use crate::corpus::Shape;
use crate::job::Job;
use crate::site::Site;

/// Finds the `k` neighbours of every item and writes the files of a site, each while later ones are
/// computed. Blocks until done; `vkd_site_start` is the same without blocking.
///
/// `embeddings` as in `vkd_batch_compute`; `neighbors_options` may be NULL, and must name neither
/// queries nor an output, and no ids. Ids, metadata and folder are checked before anything is
/// computed; an error names the file. Files that were written before an error stay.
///
/// Errors: those of `vkd_neighbors_compute`, VKD_ERROR_BAD_ID, VKD_ERROR_BAD_METADATA,
/// VKD_ERROR_FILE, VKD_ERROR_DISK_FULL.
///
/// # Safety
/// Pointers must be NULL (an error, but for `neighbors_options`) or valid as in
/// `vkd_neighbors_compute` and `vkd_site_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_site_compute(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    neighbors_options: *const vkd_neighbors_options,
    site_options: *const vkd_site_options,
) -> i32 {
    guard(|| {
        pointers!(context, values = embeddings, search = neighbors_options, site_options;);
        let embeddings = Embeddings::new(values, num_items, dim);
        Ok(start(context, embeddings, k, search, site_options)?.into_result()?)
    })
}

/// Starts what `vkd_site_compute` does and returns at once. Writes a job to `out_job`, to be freed
/// with `vkd_job_free`; its `files_done` counts the files, `vkd_job_wait` tells how it ended. Files
/// that were written before an error or a cancel stay. All pointers are read during the call only.
/// What is wrong with the input the call returns, what happens later `vkd_job_wait`.
///
/// # Safety
/// Pointers must be NULL (an error, but for `neighbors_options`) or valid as in `vkd_site_compute`.
#[no_mangle]
pub unsafe extern "C" fn vkd_site_start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    neighbors_options: *const vkd_neighbors_options,
    site_options: *const vkd_site_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        pointers!(
            context, values = embeddings, search = neighbors_options, site_options;
            out = out_job
        );
        let (out, embeddings) = (out.required()?, Embeddings::new(values, num_items, dim));
        out.give(vkd_job(AnyJob::Files(start(context, embeddings, k, search, site_options)?)))
    })
}

/// Tells what a run of `vkd_site_compute` would take, without the embeddings, and refuses what
/// cannot be done, ids and metadata too. The plan's `rows` are items, its `steps` dot products;
/// `output_bytes` is 0, since ids and metadata decide how long the files are. Set
/// `out_plan->struct_size` first. Waits for a run that is under way on the context.
///
/// # Safety
/// Pointers must be NULL (an error, but for `neighbors_options`) or valid; `out_plan` must point to
/// `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_site_plan(
    context: *const vkd_context,
    num_items: u32,
    dim: u32,
    k: u32,
    neighbors_options: *const vkd_neighbors_options,
    site_options: *const vkd_site_options,
    out_plan: *mut vkd_run_plan,
) -> i32 {
    guard(|| {
        pointers!(context, search = neighbors_options, site_options; out = out_plan);
        let (context, search) = (context.handle()?, search.options()?);
        let site_options = site_options.required()?.options()?;
        check_search(&search)?;
        let shape = shape(Shape::new(num_items, dim), k, &search)?;
        let site = site(&site_options, num_items)?;
        out.report(|| Ok(plan_to_c(&context.0.plan_site(&shape, &site)?)))
    })
}

/// Writes the files of a site from results that are there, in memory or in a file. Needs no
/// context. Blocks until done; `vkd_site_write_start` is the same without blocking. Otherwise as
/// `vkd_site_compute`. A number that is no item, and two rows for one page, are
/// VKD_ERROR_BAD_OPTION; a file that cannot be used is VKD_ERROR_FILE or VKD_ERROR_BAD_FILE.
///
/// # Safety
/// Pointers must be NULL (an error) or valid as in `vkd_site_source` and `vkd_site_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_site_write(
    source: *const vkd_site_source,
    site_options: *const vkd_site_options,
) -> i32 {
    guard(|| {
        pointers!(source, options = site_options;);
        Ok(write(source, options)?.into_result()?)
    })
}

/// Starts what `vkd_site_write` does and returns at once. Writes a job to `out_job`, to be freed
/// with `vkd_job_free`. Otherwise as `vkd_site_start`.
///
/// # Safety
/// Pointers must be NULL (an error) or valid as in `vkd_site_source` and `vkd_site_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_site_write_start(
    source: *const vkd_site_source,
    site_options: *const vkd_site_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        pointers!(source, options = site_options; out = out_job);
        out.required()?.give(vkd_job(AnyJob::Files(write(source, options)?)))
    })
}

/// Refuses a file for the neighbours of a site.
fn check_search(search: &Options<vkd_neighbors_options>) -> Result<()> {
    check(search)?;
    refuse_path(search, "a site has a directory and a file of rankings")?;
    // Ids are among the options of the site.
    target(search).file(0).map(|_| ())
}

fn start<'a>(
    context: In<'a, vkd_context>,
    embeddings: Embeddings<'a>,
    k: u32,
    search: In<'a, vkd_neighbors_options>,
    site_options: In<'a, vkd_site_options>,
) -> Result<Job<()>> {
    let (context, search) = (context.handle()?, search.options()?);
    let site_options = site_options.required()?.options()?;
    check_search(&search)?;
    let request = request(embeddings, k, &search)?;
    let site = site(&site_options, embeddings.shape.num_items)?;
    Ok(context.0.start_site(&request, site)?)
}

fn write(source: In<vkd_site_source>, options: In<vkd_site_options>) -> Result<Job<()>> {
    let options = options.required()?.options()?;
    let source = results(&source.required()?.options()?)?;
    let site = site(&options, source.num_items())?;
    Ok(start_site_write(source, site)?)
}

/// The files of a site of so many items.
fn site(options: &Options<vkd_site_options>, num_items: u32) -> Result<Site> {
    check_flags::<vkd_site_options>(options.flags, &[vkd_flags::VKD_NO_SYNC])?;
    check_reserved(options.reserved)?;
    check_threads(options.threads)?;
    let texts = |texts: In<*const c_char>, name| match texts.is_null() {
        true => Ok(None),
        false => {
            check_one_each(name, options.num_items, num_items)?;
            texts.texts(num_items.into()).map(Some)
        }
    };
    Ok(Site {
        directory: options.member(|o| o.directory, "directory").optional_path()?,
        rankings: options.member(|o| o.rankings_path, "rankings_path").optional_path()?,
        ids: texts(options.member(|o| o.ids, "ids"), "ids")?,
        metadata: texts(options.member(|o| o.metadata, "metadata"), "metadata")?,
        list: options.member(|o| o.list, "list").optional_utf8()?.map(str::to_owned),
        top: options.top,
        threads: Some(options.threads),
        no_sync: has(options.flags, vkd_flags::VKD_NO_SYNC),
    })
}
