//! The C ABI: check every pointer, call one safe function, map the error.
//!
//! `types` holds what the header declares, `status` the numbers of errors, `boundary` the panic
//! boundary and the last error, `pointers` and `structs` what crosses it. `any_job` is a job of any
//! kind; `input`, `ids`, `source` and `output` turn C's values into the library's and back. Each
//! group of calls has a file; `compat` has those of an older interface. No logic of its own lives
//! here, and no panic leaves.

mod any_job;
mod batch;
mod boundary;
/// cbindgen:ignore
pub mod compat;
mod devices;
mod embeddings;
mod export;
mod ids;
mod input;
mod job;
mod merge;
mod neighbors;
mod neighbors_file;
mod output;
mod pointers;
mod results;
mod sequences_file;
mod similarity;
mod site;
mod source;
mod status;
mod structs;
mod types;

pub use batch::*;
pub use boundary::vkd_last_error;
pub use devices::*;
pub use embeddings::*;
pub use export::*;
pub use job::*;
pub use merge::*;
pub use neighbors::*;
pub use neighbors_file::*;
pub use results::*;
pub use sequences_file::*;
pub use similarity::*;
pub use site::*;
pub use status::{vkd_status, vkd_status_name};
pub use types::*;
