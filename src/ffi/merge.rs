//! The functions of the C header for runs that were split over several machines.

use libc::c_char;

use super::any_job::AnyJob;
use super::boundary::guard;
use super::input::{check_flags, has};
use super::pointers::{pointers, In};
use super::status::Result;
use super::types::{vkd_flags, vkd_job, vkd_merge_options};
use crate::context::start_merge;
use crate::job::Job;
use crate::store::OutputFile;

/// Makes one file of the parts of a run (`vkd_batch_options.shard_index`): the bytes that one run
/// on one machine writes. `parts` are the paths of `num_parts` finished files, in any order,
/// NUL-terminated. Needs no context. Blocks until done; `vkd_merge_write_start` is the same without
/// blocking.
///
/// All parts must be of one run and be there, each once: the same corpus, ids, rule, length, values
/// and starts. Each row is checked against its checksum. As for that run, an interrupted merge goes
/// on where it stopped, shorter sequences at the path are extended, what is whole is left alone,
/// and other results are VKD_ERROR_FILE_MISMATCH; an error leaves nothing new under the final name.
///
/// Errors: VKD_ERROR_ZERO_SIZE without parts; VKD_ERROR_FILE_MISMATCH, before any work, for parts
/// that are missing, there twice or of another run, all of which the message names;
/// VKD_ERROR_BAD_FILE for a part that is damaged or not finished, for something at the path that
/// must not be replaced, and where the path is one of the parts; VKD_ERROR_FILE,
/// VKD_ERROR_FILE_BUSY, VKD_ERROR_DISK_FULL.
///
/// # Safety
/// `parts` must be NULL (an error) or hold `num_parts` NUL-terminated texts; `merge_options` must
/// be NULL (an error) or valid as in `vkd_merge_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_merge_write(
    parts: *const *const c_char,
    num_parts: u32,
    merge_options: *const vkd_merge_options,
) -> i32 {
    guard(|| {
        pointers!(parts, options = merge_options;);
        Ok(start(parts, num_parts, options)?.into_result()?)
    })
}

/// Starts what `vkd_merge_write` does and returns at once. Writes a job to `out_job`, to be freed
/// with `vkd_job_free`; its `rows_written` counts the rows, `vkd_job_wait` tells how it ended. What
/// is wrong with the parts or the options the call returns, what happens later `vkd_job_wait`;
/// other results at the path, too.
///
/// # Safety
/// `parts` and `merge_options` as in `vkd_merge_write`; `out_job` must be NULL (an error) or valid
/// for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_merge_write_start(
    parts: *const *const c_char,
    num_parts: u32,
    merge_options: *const vkd_merge_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        pointers!(parts, options = merge_options; out = out_job);
        out.required()?.give(vkd_job(AnyJob::Files(start(parts, num_parts, options)?)))
    })
}

fn start(
    parts: In<*const c_char>,
    num_parts: u32,
    options: In<vkd_merge_options>,
) -> Result<Job<()>> {
    let options = options.required()?.options()?;
    check_flags::<vkd_merge_options>(options.flags, &[vkd_flags::VKD_OVERWRITE])?;
    let path = options.member(|o| o.path, "path").required()?.path()?;
    let overwrite = has(options.flags, vkd_flags::VKD_OVERWRITE);
    let parts = parts.paths(num_parts.into())?;
    Ok(start_merge(&parts, &OutputFile { path, overwrite, ids: None })?)
}
