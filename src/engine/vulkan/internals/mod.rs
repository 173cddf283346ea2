//! For tests and benchmarks.

pub(crate) mod compiled;
pub(crate) mod direct_method;
