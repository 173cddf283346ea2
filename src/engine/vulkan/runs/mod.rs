//! What the kernels are run for: one room for each family of them.
//!
//! `tools` is what every run has of the engine. `matrix` computes the contribution matrix,
//! `row_cache` its rows as they are needed, `sequences` the picks, `search` dot
//! products and neighbours, `reads` nothing but reads, to tell how fast they are.

pub(crate) mod matrix;
pub(crate) mod reads;
pub(crate) mod row_cache;
pub(crate) mod search;
pub(crate) mod sequences;
pub(crate) mod tools;
