//! The functions of the older interface for similarities.

use std::sync::Arc;

use super::boundary::{guard, guard_handle, Group};
use super::context::vkc_context;
use super::device::Device;
use crate::context::similarities_with_later;
use crate::corpus::{Corpus, Elements, Shape};
use crate::engine::Pairs;
use crate::ffi::boundary::release;
use crate::ffi::pointers::pointers;

/// Embeddings whose similarities are asked for.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkc_similarity {
    device: Arc<Device>,
    corpus: Arc<Corpus>,
}

/// Prepares `num_items` x `dim` floats, row after row, which are copied. NULL where a pointer is
/// NULL, a size 0 or a value not finite.
///
/// # Safety
/// `context` must be NULL or live, `embeddings` NULL or valid for num_items x dim floats.
#[no_mangle]
pub unsafe extern "C" fn vks_init(
    context: *const vkc_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
) -> *mut vkc_similarity {
    guard_handle(Group::Vks, || {
        pointers!(context, embeddings;);
        let (device, shape) = (&context.handle()?.0, Shape::new(num_items, dim));
        shape.check()?;
        let values = embeddings.array(shape.values())?;
        let corpus = device.corpus(Elements::F32(values), shape)?;
        Ok(vkc_similarity { device: Arc::clone(device), corpus })
    })
}

/// Frees what `vks_init` made. NULL is fine.
///
/// # Safety
/// `similarity` must be NULL or come from `vks_init`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vks_destroy(similarity: *mut vkc_similarity) {
    // SAFETY: the caller's contract.
    unsafe { release(similarity) }
}

/// Computes the cosine similarities of an item (0-based) with all later ones: num_items - 1 - item
/// floats. The last item, and what is no item, is success, and nothing is written. Returns 0, or -6
/// for NULL.
///
/// # Safety
/// `similarity` must be NULL or live, `out_similarities` NULL or valid for the floats.
#[no_mangle]
pub unsafe extern "C" fn vks_compute_similarities_for_poem(
    similarity: *const vkc_similarity,
    item: u32,
    out_similarities: *mut f32,
) -> i32 {
    guard(Group::Vks, || {
        pointers!(similarity; out = out_similarities);
        let corpus = &similarity.handle()?.corpus;
        if item >= corpus.num_items() - 1 {
            return Ok(out.not_null()?);
        }
        let out = out.required()?;
        Ok(out.copy(&similarities_with_later(corpus, item)?, u64::MAX)?)
    })
}

/// Computes the cosine similarities of all pairs: that of items i < j (0-based) goes to
/// i x num_items - i x (i + 1) / 2 + j - i - 1, in all num_items x (num_items - 1) / 2 floats.
/// Returns 0, or -6 for NULL and where they cannot be computed.
///
/// # Safety
/// `similarity` must be NULL or live, `out_similarities` NULL or valid for the floats.
#[no_mangle]
pub unsafe extern "C" fn vks_compute_all_similarities_parallel(
    similarity: *const vkc_similarity,
    out_similarities: *mut f32,
) -> i32 {
    guard(Group::Vks, || {
        pointers!(similarity; out = out_similarities);
        let vkc_similarity { device, corpus } = similarity.handle()?;
        if corpus.num_items() == 1 {
            return Ok(out.not_null()?);
        }
        let out = out.required()?;
        Ok(out.copy(&device.context.similarity_of(corpus, Pairs::Upper)?, u64::MAX)?)
    })
}
