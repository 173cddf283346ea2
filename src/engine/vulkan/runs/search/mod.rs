//! Dot products and neighbours on the device, block by block of queries.
//!
//! `layout` says how long the blocks are and what a search takes, `nearest` is the kernel that
//! finds the nearest items of a query, `run` computes the blocks.

mod layout;
mod nearest;
mod run;

pub(crate) use layout::{SearchLayout, Wanted};
#[cfg(feature = "internals")]
pub(crate) use nearest::recipe as nearest_recipe;
#[cfg(feature = "internals")]
pub(crate) use run::dots_recipe;
pub(crate) use run::{dots, neighbors};
