//! The functions of the C header for files of embeddings.

use libc::{c_char, c_void};

use super::boundary::{guard, release};
use super::ids::tell_item;
use super::input::{bad, check_element_type, check_flags, check_flags_of, has};
use super::pointers::{pointers, In};
use super::status::Result;
use super::structs::Options;
use super::types::{
    vkd_element_type, vkd_embeddings, vkd_embeddings_format, vkd_embeddings_info,
    vkd_embeddings_options, vkd_flags,
};
use crate::corpus::{Elements, Shape};
use crate::embeddings::{ElementType, Embeddings, OpenOptions, RawValues, SaveAs};
use crate::error::Error;
use crate::memory::require_spare;
use crate::store::OutputFile;

/// Opens a file of embeddings: npy, npz, safetensors, JSON, JSON Lines, word2vec, GloVe, fvecs, or,
/// with `options->dim`, values without a header. Its format is told by what it holds, not by its
/// name.
///
/// Writes a handle to `out_embeddings`, to be freed with `vkd_embeddings_free`. `options` may be
/// NULL. Where the format allows, the file is mapped into memory, read only: while it is open
/// nobody may cut it short or write into it, and values that are not finite are refused when a run
/// begins. The values of other formats are read here, into at most one and a half times their
/// memory, each number as the nearest 32-bit float.
///
/// What `vkd_embeddings_data` and `vkd_embeddings_get_info` give, every function that computes
/// takes.
///
/// Errors: VKD_ERROR_FILE where the file cannot be opened; VKD_ERROR_BAD_EMBEDDINGS where it cannot
/// be used, with the line or byte and the item in the message; of those that have a name of their
/// own VKD_ERROR_NOT_FINITE, VKD_ERROR_DIM_TOO_LARGE, VKD_ERROR_ZERO_SIZE (there are none) and
/// VKD_ERROR_BAD_ID (two items have the same).
///
/// # Safety
/// `path` must be NULL (an error) or NUL-terminated, `options` NULL or valid, `out_embeddings` NULL
/// (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_embeddings_open(
    path: *const c_char,
    options: *const vkd_embeddings_options,
    out_embeddings: *mut *mut vkd_embeddings,
) -> i32 {
    guard(|| {
        pointers!(path, options; out = out_embeddings);
        require_spare()?;
        let (out, options) = (out.required()?, open_options(&options.options()?)?);
        out.give(vkd_embeddings(Embeddings::open(&path.path()?, &options)?))
    })
}

/// Frees what `vkd_embeddings_open` opened; pointers to its values and ids end with it. Jobs that
/// were started with the values go on. NULL is fine.
///
/// # Safety
/// `embeddings` must be NULL or come from `vkd_embeddings_open`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_embeddings_free(embeddings: *mut vkd_embeddings) {
    // SAFETY: the caller's contract.
    unsafe { release(embeddings) }
}

/// Describes a file of embeddings. Set `out_info->struct_size` first; the rest is written on
/// success.
///
/// # Safety
/// `embeddings` must be NULL (an error) or live, `out_info` NULL (an error) or `struct_size` bytes.
#[no_mangle]
pub unsafe extern "C" fn vkd_embeddings_get_info(
    embeddings: *const vkd_embeddings,
    out_info: *mut vkd_embeddings_info,
) -> i32 {
    guard(|| {
        pointers!(embeddings; out = out_info);
        let embeddings = &embeddings.handle()?.0;
        let Shape { num_items, dim } = embeddings.shape();
        let element_type = match embeddings.elements() {
            Elements::F32(_) => vkd_element_type::VKD_F32,
            Elements::F16(_) => vkd_element_type::VKD_F16,
            Elements::F64(_) => vkd_element_type::VKD_F64,
        };
        out.report(|| {
            Ok(vkd_embeddings_info {
                struct_size: size_of::<vkd_embeddings_info>() as u32,
                flags: u32::from(embeddings.ids().is_some()) * vkd_flags::VKD_IDS as u32,
                num_items,
                dim,
                element_type: element_type as u32,
                reserved: 0,
            })
        })
    })
}

/// Gives all values as they lie in the file or in memory, row after row: `num_items` x `dim` values
/// of `element_type`, see `vkd_embeddings_get_info`. Nothing is copied; the pointer is good until
/// the handle is freed, and nothing may be written there. Functions that compute take it as
/// `embeddings`, with that element type in their options.
///
/// # Safety
/// `embeddings` must be NULL (an error) or live, `out_data` NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_embeddings_data(
    embeddings: *const vkd_embeddings,
    out_data: *mut *const c_void,
) -> i32 {
    guard(|| {
        pointers!(embeddings; out = out_data);
        out.required()?.write(match embeddings.handle()?.0.elements() {
            Elements::F32(values) => values.as_ptr().cast(),
            Elements::F16(values) => values.as_ptr().cast(),
            Elements::F64(values) => values.as_ptr().cast(),
        })
    })
}

/// Gives the id of item `item` (0-based): UTF-8 of `*out_bytes` bytes at `*out_text`, without a NUL
/// behind it. Nothing is copied; the pointer is good until the handle is freed. No such item is
/// VKD_ERROR_BAD_OPTION, items without ids are VKD_ERROR_NO_SUCH_ID.
///
/// # Safety
/// `embeddings` must be NULL (an error) or live, the outputs NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_embeddings_id(
    embeddings: *const vkd_embeddings,
    item: u32,
    out_text: *mut *const c_char,
    out_bytes: *mut u64,
) -> i32 {
    guard(|| {
        pointers!(embeddings; text = out_text, bytes = out_bytes);
        let (embeddings, text, bytes) =
            (&embeddings.handle()?.0, text.required()?, bytes.required()?);
        text.check_apart(bytes, 1)?;
        let last = embeddings.shape().num_items - 1;
        if item > last {
            return Err(bad("item", item, &format!("items run from 0 to {last}")));
        }
        let id = embeddings.id(item).ok_or_else(|| no_ids(embeddings))?;
        text.write(id.as_ptr().cast())?;
        bytes.write(id.len() as u64)
    })
}

/// Finds the item that has the id `id`, NUL-terminated UTF-8, and writes its number (0-based) to
/// `out_item`. Where there is none, that is VKD_ERROR_NO_SUCH_ID. The time does not depend on the
/// number of items.
///
/// # Safety
/// `embeddings` must be NULL (an error) or live, `id` NULL (an error) or NUL-terminated, `out_item`
/// NULL (an error) or valid for a write.
#[no_mangle]
pub unsafe extern "C" fn vkd_embeddings_find(
    embeddings: *const vkd_embeddings,
    id: *const c_char,
    out_item: *mut u32,
) -> i32 {
    guard(|| {
        pointers!(embeddings, id; out = out_item);
        let (embeddings, out) = (&embeddings.handle()?.0, out.required()?);
        let id = id.required()?.optional_utf8()?.unwrap_or_default();
        let ids = embeddings.ids().ok_or_else(|| no_ids(embeddings))?;
        tell_item(ids.find(id), id, embeddings.path(), out)
    })
}

/// Writes the embeddings to the file `path` in another format, one of `vkd_embeddings_format`, in
/// the element type that they have. Such a file is opened at once the next time. It gets its name
/// when it is whole and on the disk.
///
/// What stands at `path` is VKD_ERROR_BAD_FILE; with VKD_OVERWRITE in `flags` a safetensors file of
/// embeddings that vkd wrote is replaced. Other errors are those of files (-501 to -505).
///
/// # Safety
/// `embeddings` must be NULL (an error) or live, `path` NULL (an error) or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn vkd_embeddings_write(
    embeddings: *const vkd_embeddings,
    path: *const c_char,
    format: u32,
    flags: u32,
) -> i32 {
    guard(|| {
        pointers!(embeddings, path;);
        require_spare()?;
        let embeddings = &embeddings.handle()?.0;
        check_flags_of("vkd_embeddings_write", flags, &[vkd_flags::VKD_OVERWRITE])?;
        let overwrite = has(flags, vkd_flags::VKD_OVERWRITE);
        let file = OutputFile { path: path.path()?, overwrite, ids: None };
        Ok(embeddings.write(&file, save_as(format)?)?)
    })
}

fn save_as(format: u32) -> Result<SaveAs> {
    const SAFETENSORS: u32 = vkd_embeddings_format::VKD_FORMAT_SAFETENSORS as u32;
    const NPY: u32 = vkd_embeddings_format::VKD_FORMAT_NPY as u32;
    match format {
        SAFETENSORS => Ok(SaveAs::Safetensors),
        NPY => Ok(SaveAs::Npy),
        other => Err(bad("format", other, "use one of vkd_embeddings_format")),
    }
}

fn open_options(options: &Options<vkd_embeddings_options>) -> Result<OpenOptions> {
    check_flags::<vkd_embeddings_options>(options.flags, &[])?;
    let named = |text: In<c_char>| Ok(text.optional_utf8()?.map(str::to_owned)) as Result<_>;
    Ok(OpenOptions {
        array: named(options.member(|o| o.array, "array"))?,
        id_key: named(options.member(|o| o.id_key, "id_key"))?,
        embedding_key: named(options.member(|o| o.embedding_key, "embedding_key"))?,
        list_key: named(options.member(|o| o.list_key, "list_key"))?,
        ids: options.member(|o| o.ids_path, "ids_path").optional_path()?,
        raw: raw(options)?,
    })
}

/// What a file without a header holds, if it is one.
fn raw(options: &vkd_embeddings_options) -> Result<Option<RawValues>> {
    check_element_type(options.element_type)?;
    let element_type = match options.element_type {
        1 => ElementType::F16,
        2 => ElementType::F64,
        _ => ElementType::F32,
    };
    match options.dim {
        0 if options.element_type != 0 => {
            let allowed = "it goes with dim, of a file that holds nothing but values";
            Err(bad("element_type", options.element_type, allowed))
        }
        0 => Ok(None),
        dim => Ok(Some(RawValues { element_type, dim })),
    }
}

fn no_ids(embeddings: &Embeddings) -> Error {
    Error::NoIds { path: path_of(embeddings) }
}

fn path_of(embeddings: &Embeddings) -> String {
    embeddings.path().display().to_string()
}
