//! The kernels' SPIR-V and the data that they read.
//!
//! `table` has every kernel variant, `multiply` the ways in which rows are multiplied, `prepared`
//! the prepared rows on the device, `layout` says where the contribution matrix lies.

pub(crate) mod layout;
pub(crate) mod multiply;
pub(crate) mod prepared;
pub(crate) mod table;
