//! The function of the C header for files of results, whatever they hold.

use libc::c_char;

use super::boundary::guard;
use super::pointers::pointers;
use super::types::vkd_results_kind;
use crate::store::ResultsKind;

/// Tells what a file of results holds: writes one of `vkd_results_kind` to `out_kind`. Reads its
/// header only. Errors: VKD_ERROR_FILE, VKD_ERROR_BAD_FILE.
///
/// # Safety
/// `path` must be NULL (an error) or NUL-terminated, `out_kind` NULL (an error) or valid for a
/// write.
#[no_mangle]
pub unsafe extern "C" fn vkd_results_identify(path: *const c_char, out_kind: *mut u32) -> i32 {
    guard(|| {
        pointers!(path; out = out_kind);
        let out = out.required()?;
        out.write(match ResultsKind::of(&path.path()?)? {
            ResultsKind::Sequences => vkd_results_kind::VKD_RESULTS_SEQUENCES,
            ResultsKind::Neighbors => vkd_results_kind::VKD_RESULTS_NEIGHBORS,
        } as u32)
    })
}
