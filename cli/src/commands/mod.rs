//! The subcommands, one file each: its arguments, and what it asks the library for.

pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod devices;
pub(crate) mod export;
pub(crate) mod info;
pub(crate) mod man;
pub(crate) mod merge;
pub(crate) mod neighbors;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod similarity;
pub(crate) mod site;
pub(crate) mod verify;
