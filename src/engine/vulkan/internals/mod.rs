//! What only tests and benchmarks use: the feature `internals`.
//!
//! `compiled` tells what a driver makes of the kernels, `direct_method` is a baseline,
//! `planted_error` proves that the validation layer is listening.

pub(crate) mod compiled;
pub(crate) mod direct_method;
pub(crate) mod planted_error;
