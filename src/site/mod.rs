//! The files that sites are built from: one JSON file an item, and one with all rankings.
//!
//! A client of store and engine. `request` is what the caller wants (`Site`), `names` checks ids
//! and metadata (by `fold`, which says what is one name), `needs` says what it takes of memory.
//! `targets` checks and opens the places of the files (pages in a `folder`), `ours` knows the pages
//! that a site may replace. `row` is a row, `json` the text of it; `pages` writes the ones (`batch`
//! says how many at once), `rankings` the other (with `waiting`), `files` all of them, each under a
//! temporary name, renamed when it is whole. A pool of threads writes, fed by an engine through a
//! bounded queue (`queue`), so that rows are written while later ones are computed, or by results
//! that are there (`from_results`). The bytes depend on the results alone, not on threads or order.

mod batch;
mod files;
mod fold;
mod folder;
mod from_results;
mod json;
mod names;
mod needs;
mod ours;
mod pages;
mod queue;
mod rankings;
mod request;
mod row;
mod targets;
mod waiting;

pub(crate) use from_results::{shape, write};
pub(crate) use needs::{given_bytes, host_bytes, SiteShape};
pub(crate) use queue::from_engine;
pub use request::{List, Site};
pub(crate) use targets::{check as check_targets, open as open_targets};

pub use crate::results::Source;
