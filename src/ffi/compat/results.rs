//! What the files of the older interface are made of, and the threads that make them.
//!
//! A few threads make the texts of some rows at a time; which thread makes which changes no byte.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::triangle::{Other, Triangle};
use crate::error::Result;
use crate::threads;

/// What both kinds of files are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Results<'a> {
    pub(super) triangle: Triangle<'a>,
    /// The number that the caller has for each item.
    pub(super) numbers: &'a [u32],
    pub(super) num_threads: usize,
}

impl Results<'_> {
    /// Lets some thread do `work` with each row; it has an empty list and text to work with.
    pub(super) fn on_threads(
        &self,
        rows: std::ops::Range<usize>,
        work: impl Fn(usize, &mut Vec<Other>, &mut Vec<u8>) -> Result<()> + Sync,
    ) -> Result<()> {
        let next = AtomicUsize::new(rows.start);
        threads::run(self.num_threads.min(rows.len()), |failure| {
            let (mut others, mut text) = (Vec::new(), Vec::new());
            while !failure.is_seen() {
                let row = next.fetch_add(1, Relaxed);
                if row >= rows.end {
                    break;
                }
                text.clear();
                work(row, &mut others, &mut text)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
pub(super) mod fixtures {
    use std::fs;
    use std::path::Path;

    use super::*;

    pub(in crate::ffi::compat) const THREE: [f32; 3] = [0.5, -0.0, 0.123_456_79];

    pub(in crate::ffi::compat) fn results<'a>(
        values: &'a [f32],
        numbers: &'a [u32],
        num_threads: usize,
    ) -> Results<'a> {
        Results { triangle: Triangle { values, num_items: numbers.len() }, numbers, num_threads }
    }

    /// Hands a new folder to `use_it`, and takes it away.
    pub(in crate::ffi::compat) fn in_folder(name: &str, use_it: impl FnOnce(&Path)) {
        let folder = std::env::temp_dir().join(format!("vkd-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        use_it(&folder);
        fs::remove_dir_all(&folder).unwrap();
    }

    pub(in crate::ffi::compat) fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }
}
