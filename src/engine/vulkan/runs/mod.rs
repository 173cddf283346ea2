//! What the kernels are run for.

mod lru;
pub(crate) mod matrix;
pub(crate) mod row_cache;
pub(crate) mod search;
pub(crate) mod sequences;
