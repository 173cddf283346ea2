//! Results in the shapes that older programs read, each one file: `diversity_cache.json`, rankings,
//! `sequences.bin`.
//!
//! A client of store and results, beside the site. `request` is what the caller wants (`Export`),
//! checked before any work. `labels` is what stands for each item, `shapes` the JSON around the
//! rows, `write` the file: rows are read and written one by one, so an export takes no more memory
//! than a row, a buffer and the labels. One thread writes; the bytes depend on the results and the
//! request alone.

mod labels;
mod request;
mod shapes;
mod write;

pub(crate) use labels::Labels;
pub use request::{Export, ExportFormat, ExportKeys};
pub(crate) use shapes::{rankings_head, RankingsMeta, TAIL};
pub(crate) use write::{host_bytes, open, write};

pub use crate::results::Source;
