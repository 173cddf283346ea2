//! The functions of the C header for results in the shapes of older programs.

use super::any_job::AnyJob;
use super::boundary::guard;
use super::input::{bad, check_flags, check_one_each, has};
use super::pointers::{pointers, In};
use super::source::results;
use super::status::Result;
use super::structs::Options;
use super::types::{vkd_export_options, vkd_flags, vkd_job, vkd_site_source};
use crate::context::start_export;
use crate::error::Error;
use crate::export::{Export, ExportFormat, ExportKeys};
use crate::job::Job;
use crate::results::Source;
use crate::store::OutputFile;

/// Writes results that are there, in memory or in a file, in the shape of an older program's file:
/// see `vkd_export_options`. Needs no context. Blocks until done; `vkd_export_write_start` is the
/// same without blocking. Rows are read and written one by one. The file gets its name when it is
/// whole and on the disk; an error leaves nothing, and what was there stays. The bytes depend on
/// the results and the options alone.
///
/// Errors: VKD_ERROR_BAD_OPTION for results that the format cannot hold and for keys that do not
/// fit, before any work; VKD_ERROR_BAD_FILE for a file of results that is damaged and for a file at
/// the path that must not be replaced; VKD_ERROR_FILE, VKD_ERROR_FILE_BUSY, VKD_ERROR_DISK_FULL.
///
/// # Safety
/// Pointers must be NULL (an error) or valid as in `vkd_site_source` and `vkd_export_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_export_write(
    source: *const vkd_site_source,
    export_options: *const vkd_export_options,
) -> i32 {
    guard(|| {
        pointers!(source, options = export_options;);
        Ok(write(source, options)?.into_result()?)
    })
}

/// Starts what `vkd_export_write` does and returns at once. Writes a job to `out_job`, to be freed
/// with `vkd_job_free`; its `rows_written` counts the rows, `vkd_job_wait` tells how it ended. A
/// job that is cancelled leaves nothing. What is wrong with the options the call returns, what
/// happens later `vkd_job_wait`.
///
/// # Safety
/// Pointers must be NULL (an error) or valid as in `vkd_site_source` and `vkd_export_options`.
#[no_mangle]
pub unsafe extern "C" fn vkd_export_write_start(
    source: *const vkd_site_source,
    export_options: *const vkd_export_options,
    out_job: *mut *mut vkd_job,
) -> i32 {
    guard(|| {
        pointers!(source, options = export_options; out = out_job);
        out.required()?.give(vkd_job(AnyJob::Files(write(source, options)?)))
    })
}

fn write(source: In<vkd_site_source>, options: In<vkd_export_options>) -> Result<Job<()>> {
    let options = options.required()?.options()?;
    let source = results(&source.required()?.options()?)?;
    let export = export(&options, &source)?;
    Ok(start_export(source, export)?)
}

fn export(options: &Options<vkd_export_options>, source: &Source) -> Result<Export> {
    check_flags::<vkd_export_options>(options.flags, &[vkd_flags::VKD_OVERWRITE])?;
    let format = match options.format {
        0 => ExportFormat::usual(source),
        1 => ExportFormat::DiversityCache,
        2 => ExportFormat::Rankings,
        3 => ExportFormat::SequencesBin,
        other => return Err(bad("format", other, "use one of vkd_export_format")),
    };
    let path = options.member(|o| o.path, "path").required()?.path()?;
    let overwrite = has(options.flags, vkd_flags::VKD_OVERWRITE);
    Ok(Export {
        file: OutputFile { path, overwrite, ids: None },
        format,
        keys: keys(options, source)?,
        top: options.top,
        model: options.member(|o| o.model, "model").optional_utf8()?.map(str::to_owned),
    })
}

fn keys(options: &Options<vkd_export_options>, source: &Source) -> Result<ExportKeys> {
    let (ids, numbers) =
        (options.member(|o| o.ids, "ids"), options.member(|o| o.numbers, "numbers"));
    let (count, num_items) = (options.num_items, source.num_items());
    match options.keys {
        0 if !ids.is_null() => Err(bad("keys", 0, "ids go with VKD_KEYS_ID")),
        0 if numbers.is_null() && count != 0 => {
            Err(bad("num_items", count, "it goes with ids or numbers"))
        }
        0 if numbers.is_null() => Ok(ExportKeys::Items),
        0 => {
            check_one_each("num_items", count, num_items)?;
            Ok(ExportKeys::Numbers(numbers.copied(num_items.into())?))
        }
        1 if !numbers.is_null() => Err(bad("keys", 1, "numbers go with VKD_KEYS_INDEX")),
        1 if ids.is_null() => match source.ids() {
            Some(ids) => Ok(ExportKeys::Ids(ids.to_texts()?)),
            None => {
                let (got, allowed) = ("VKD_KEYS_ID".into(), "give an id for each item: ids".into());
                Err(Error::BadOption { option: "keys", got, allowed }.into())
            }
        },
        1 => {
            check_one_each("num_items", count, num_items)?;
            Ok(ExportKeys::Ids(ids.texts(num_items.into())?))
        }
        other => Err(bad("keys", other, "use one of vkd_export_keys")),
    }
}
