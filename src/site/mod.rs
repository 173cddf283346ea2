//! The files that sites are built from: one JSON file an item, and one with all rankings.
//!
//! A client of store and engine. `request` is what the caller wants (`Site`), `names` checks ids
//! and metadata, `row` is a row, `json` the text of it; `rankings` writes the one file and `files`
//! all of them, each under a temporary name, renamed when it is whole (`batch` says how many pages
//! at once). A pool of threads writes,
//! fed by an engine through a bounded queue (`queue`), so that rows are written while later ones
//! are computed, or by results that are there (`source`). The bytes depend on the results alone,
//! not on threads or order.

mod batch;
mod files;
mod json;
mod names;
mod queue;
mod rankings;
mod request;
mod row;
mod source;

pub(crate) use queue::{from_engine, host_bytes};
pub use request::{List, Site};
pub use source::{write, Source};
