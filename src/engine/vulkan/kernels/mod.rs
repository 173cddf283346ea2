//! The kernels and the data that they read.

pub(crate) mod layout;
pub(crate) mod multiply;
pub(crate) mod prepared;
pub(crate) mod table;
