//! The C ABI: check every pointer, call one safe function, map the error.
//!
//! `types` holds what the header declares, `boundary` the panic boundary, the last error and the
//! option structs, `input` and `output` turn C's values into the library's and back, `calls`, `files`, `neighbors`,
//! `neighbor_files` and `site` are the functions.
//! No logic of its own lives here, and no panic leaves.

mod boundary;
mod calls;
mod files;
mod input;
mod neighbor_files;
mod neighbors;
mod output;
mod site;
mod types;

pub use boundary::{vkd_last_error, vkd_status_name};
pub use calls::*;
pub use files::*;
pub use neighbor_files::*;
pub use neighbors::*;
pub use site::*;
pub use types::*;
