//! The functions of the C header for the files of a site.

use libc::c_char;

use super::any_job::AnyJob;
use super::boundary::{guard, pointers, In, Options};
use super::input::{check_flags, check_reserved, check_threads, has, target, Embeddings};
use super::neighbors::{refuse_path, request, shape};
use super::output::plan_to_c;
use super::status::Result;
use super::types::{
    vkd_context, vkd_flags, vkd_job, vkd_neighbors_options, vkd_run_plan, vkd_site_options,
    vkd_site_source,
};
use crate::context::start_site_write;
use crate::corpus::Shape;
use crate::error::Error;
use crate::job::Job;
use crate::site::{Site, Source};

/// Finds the `k` neighbours of every item and writes the files of a site, each while later ones are
/// computed. Blocks until done; `vkd_site_start` is the same without blocking.
///
/// `embeddings` as in `vkd_batch_compute`; `neighbors_options` may be NULL, and must name neither
/// queries nor an output. Ids, metadata and folder are checked before anything is computed; an
/// error names the file. Files that were written before an error stay.
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
        out.give(vkd_job(AnyJob::Site(start(context, embeddings, k, search, site_options)?)))
    })
}

/// Tells what a run of `vkd_site_compute` would take, without the embeddings, and refuses what
/// cannot be done, ids and metadata too. The plan's `rows` are items, its `steps` dot products;
/// `output_bytes` is 0, since ids and metadata decide how long the files are. Set
/// `out_plan->struct_size` first.
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
        refuse_path(&search, NO_PATH)?;
        target(search.member(|o| o.output_path, "output_path"), search.flags)?;
        let shape = shape(Shape::new(num_items, dim), k, &search)?;
        let site = site(site_options)?;
        out.report(|| Ok(plan_to_c(&context.0.plan_site(&shape, &site)?)))
    })
}

/// Writes the files of a site from results that are there, in memory or in a file. Needs no
/// context. Blocks until done; `vkd_site_write_start` is the same without blocking. Otherwise as
/// `vkd_site_compute`.
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

/// Starts what `vkd_site_write` does and returns at once. Otherwise as `vkd_site_start`.
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
        out.required()?.give(vkd_job(AnyJob::Site(write(source, options)?)))
    })
}

const NO_PATH: &str = "a site has a directory and a file of rankings";

fn start<'a>(
    context: In<'a, vkd_context>,
    embeddings: Embeddings<'a>,
    k: u32,
    search: In<'a, vkd_neighbors_options>,
    site_options: In<'a, vkd_site_options>,
) -> Result<Job<()>> {
    let (context, search) = (context.handle()?, search.options()?);
    refuse_path(&search, NO_PATH)?;
    target(search.member(|o| o.output_path, "output_path"), search.flags)?;
    let request = request(embeddings, k, &search)?;
    Ok(context.0.start_site(&request, &site(site_options)?)?)
}

fn write(source: In<vkd_site_source>, options: In<vkd_site_options>) -> Result<Job<()>> {
    let site = site(options)?;
    let source = results(&source.required()?.options()?)?;
    Ok(start_site_write(source, &site)?)
}

fn site(options: In<vkd_site_options>) -> Result<Site> {
    let options = options.required()?.options()?;
    check_flags::<vkd_site_options>(options.flags, &[vkd_flags::VKD_NO_SYNC])?;
    check_reserved(options.reserved)?;
    check_threads(options.threads)?;
    let count = options.num_items;
    Ok(Site {
        directory: options.member(|o| o.directory, "directory").optional_path()?,
        rankings: options.member(|o| o.rankings_path, "rankings_path").optional_path()?,
        ids: texts(options.member(|o| o.ids, "ids"), count, "ids")?,
        metadata: texts(options.member(|o| o.metadata, "metadata"), count, "metadata")?,
        top: options.top,
        threads: Some(options.threads),
        no_sync: has(options.flags, vkd_flags::VKD_NO_SYNC),
    })
}

/// One text for each item; `None` for NULL.
fn texts(texts: In<*const c_char>, count: u32, name: &'static str) -> Result<Option<Vec<String>>> {
    if texts.is_null() {
        return Ok(None);
    }
    let one = |(item, text): (usize, In<c_char>)| match text.text()?.to_str() {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => {
            let got = format!("not UTF-8 for item {item} (0-based)");
            let allowed = "encode all texts in UTF-8".into();
            Err(Error::BadOption { option: name, got, allowed }.into())
        }
    };
    texts.pointers(count.into())?.enumerate().map(one).collect::<Result<_>>().map(Some)
}

fn results(source: &Options<vkd_site_source>) -> Result<Source> {
    let given = [source.path.is_null(), source.sequences.is_null(), source.indices.is_null()];
    if given.iter().filter(|is_null| !**is_null).count() != 1 {
        let got = "ambiguous".into();
        let allowed = "set exactly one of path, sequences and indices".into();
        return Err(Error::BadOption { option: "source", got, allowed }.into());
    }
    if !source.path.is_null() {
        return Ok(Source::open(&source.member(|o| o.path, "path").path()?)?);
    }
    let (rows, length) = (source.num_rows, source.row_length);
    if rows == 0 || length == 0 {
        let name = if rows == 0 { "num_rows" } else { "row_length" };
        return Err(Error::ZeroSize { name }.into());
    }
    let len = u64::from(rows) * u64::from(length);
    if !source.sequences.is_null() {
        let items = source.member(|o| o.sequences, "sequences").array(len)?.to_vec();
        return Ok(Source::Sequences { num_items: source.num_items, length, items });
    }
    let indices = source.member(|o| o.indices, "indices").array(len)?.to_vec();
    let similarities = source.member(|o| o.similarities, "similarities").array(len)?.to_vec();
    Ok(Source::Neighbors { k: length, indices, similarities })
}
