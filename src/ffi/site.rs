//! The functions of the C header for the files of a site.

use std::ffi::CStr;

use libc::c_char;

use super::boundary::{array, guard, read_options, required, Sized32};
use super::input::{bad, flags, path};
use super::neighbors::request;
use super::types::*;
use crate::context::{start_site, NeighborsTo};
use crate::error::{Error, Result};
use crate::site::{Site, Source};

// SAFETY: repr(C), begins with a u32 size and holds only numbers and raw pointers.
unsafe impl Sized32 for vkd_site_options {
    const NAME: &'static str = "vkd_site_options";
    const LEAST: u32 = 56;
}
// SAFETY: as above.
unsafe impl Sized32 for vkd_site_input {
    const NAME: &'static str = "vkd_site_input";
    const LEAST: u32 = 48;
}

/// Finds the `k` neighbours of every item and writes the files of a site, each while later ones are computed.
///
/// `embeddings` as in `vkd_batch_compute`; `neighbor_options` may be NULL, and must name neither queries nor an output.
/// Ids, metadata and folder are checked before anything is computed. Writes a job to `out_job`, to be freed with
/// `vkd_job_free`; its `files_done` counts the files, `vkd_job_wait` tells how it ended, and an error names the file. Files that
/// were written before an error or a cancel stay.
///
/// # Safety
/// Pointers must be NULL (an error, but for `neighbor_options`) or valid as in `vkd_neighbors_compute` and `vkd_site_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_site_start(
    context: *const vkd_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
    k: u32,
    neighbor_options: *const vkd_neighbors_options,
    site_options: *const vkd_site_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_job, "out_job")? };
        // SAFETY: as above.
        let context = unsafe { required(context, "context")? };
        // SAFETY: as above.
        let options = unsafe { read_options(neighbor_options)? };
        if !options.output_path.is_null() {
            let (option, got) = ("output_path", "a path".into());
            let allowed = "a site has a directory and a file of rankings".into();
            return Err(Error::BadOption { option, got, allowed });
        }
        // SAFETY: as above.
        let request = unsafe { request(embeddings, num_items, dim, k, &options)? };
        // SAFETY: as above.
        let site = unsafe { site(site_options)? };
        let job = context.0.start_neighbors(&request, NeighborsTo::Site(&site))?;
        // SAFETY: not NULL, and as above.
        unsafe { out_job.write(Box::into_raw(Box::new(vkd_job(job)))) };
        Ok(0)
    })
}

/// Writes the files of a site from results that are there, in memory or in a file. Needs no context. Otherwise as
/// `vkd_site_start`.
///
/// # Safety
/// Pointers must be NULL (an error) or valid as in `vkd_site_input` and `vkd_site_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_site_write_start(
    input: *const vkd_site_input,
    site_options: *const vkd_site_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's contract, here and below.
        unsafe { required(out_job, "out_job")? };
        // SAFETY: as above.
        unsafe { required(input, "input")? };
        // SAFETY: as above.
        let site = unsafe { site(site_options)? };
        // SAFETY: as above.
        let source = unsafe { source(&read_options(input)?)? };
        let job = start_site(source, &site)?;
        // SAFETY: not NULL, and as above.
        unsafe { out_job.write(Box::into_raw(Box::new(vkd_job(job)))) };
        Ok(0)
    })
}

/// # Safety
/// `options` must be NULL (an error) or point to `struct_size` bytes, its pointers NULL or valid.
unsafe fn site(options: *const vkd_site_options) -> Result<Site> {
    // SAFETY: the caller's contract, here and below.
    unsafe { required(options, "site_options")? };
    // SAFETY: as above.
    let options = unsafe { read_options(options)? };
    let no_sync = vkd_flags::VKD_NO_SYNC as u32;
    flags::<vkd_site_options>(options.flags, no_sync)?;
    if options.reserved != 0 {
        return Err(bad("reserved", options.reserved, "it must be 0"));
    }
    if options.threads > 4096 {
        return Err(bad("threads", options.threads, "at most 4096"));
    }
    let optional = |text: *const c_char, name| match text.is_null() {
        true => Ok(None),
        // SAFETY: as above.
        false => unsafe { path(text, name) }.map(Some),
    };
    let count = options.num_ids;
    Ok(Site {
        directory: optional(options.directory, "directory")?,
        rankings: optional(options.rankings_path, "rankings_path")?,
        // SAFETY: as above.
        ids: unsafe { texts(options.ids, count, "ids")? },
        // SAFETY: as above.
        metadata: unsafe { texts(options.metadata, count, "metadata")? },
        top: options.top,
        threads: Some(options.threads),
        no_sync: options.flags & no_sync != 0,
    })
}

/// # Safety
/// `texts` must be NULL or hold `count` pointers, each NULL (an error) or NUL-terminated.
unsafe fn texts(
    texts: *const *const c_char,
    count: u32,
    name: &'static str,
) -> Result<Option<Vec<String>>> {
    if texts.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's contract.
    let pointers = unsafe { array(texts, count.into(), name)? };
    let text = |(item, &pointer): (usize, &*const c_char)| {
        // SAFETY: the caller's contract.
        unsafe { required(pointer, name)? };
        // SAFETY: not NULL, and the caller's contract.
        let text = unsafe { CStr::from_ptr(pointer) }.to_str();
        text.map(String::from).map_err(|_| Error::BadOption {
            option: name,
            got: format!("no UTF-8 for item {item} (0-based)"),
            allowed: "texts are UTF-8".into(),
        })
    };
    pointers.iter().enumerate().map(text).collect::<Result<_>>().map(Some)
}

/// # Safety
/// The pointers must be NULL or valid as in `vkd_site_input`.
unsafe fn source(input: &vkd_site_input) -> Result<Source> {
    let given = [input.path.is_null(), input.sequences.is_null(), input.indices.is_null()];
    if given.iter().filter(|is_null| !**is_null).count() != 1 {
        return Err(Error::BadOption {
            option: "input",
            got: "none or several of path, sequences and indices".into(),
            allowed: "give exactly one".into(),
        });
    }
    if !input.path.is_null() {
        // SAFETY: the caller's contract.
        return Source::open(&unsafe { path(input.path, "path")? });
    }
    let (rows, length) = (input.num_rows, input.row_length);
    if rows == 0 || length == 0 {
        let name = if rows == 0 { "num_rows" } else { "row_length" };
        return Err(Error::ZeroSize { name });
    }
    let len = u64::from(rows) * u64::from(length);
    if !input.sequences.is_null() {
        // SAFETY: the caller's contract.
        let items = unsafe { array(input.sequences, len, "sequences")? }.to_vec();
        return Ok(Source::Sequences { num_items: input.num_items, length, items });
    }
    // SAFETY: the caller's contract, here and below.
    let indices = unsafe { array(input.indices, len, "indices")? }.to_vec();
    // SAFETY: as above.
    let similarities = unsafe { array(input.similarities, len, "similarities")? }.to_vec();
    Ok(Source::Neighbors { k: length, indices, similarities })
}
