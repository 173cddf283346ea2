//! The older interface: what existing LuaJIT scripts declare themselves and call.
//!
//! The names `vkc_`, `vkd_` and `vks_` are those of a library that such scripts load under another
//! file name; include/vkd_compat.h declares them. Each group has a file: `context`, `halves`,
//! `progress_line`, `single` (one sequence at a time), `batch`, `similarity`, `writers`. They share
//! the `device` of a context and the embeddings that it knows, and `boundary`, which turns errors
//! into this interface's few numbers and a line on stderr. What `writers` writes is made of
//! `triangle` and `results` by `pages` and `rankings`, each into a `new_file`.
//!
//! All sequences and similarities come from the same functions as those of vkd.h. Rows of zeros are
//! admitted here. Handles may be destroyed in any order: each holds what it needs.

mod batch;
mod boundary;
mod context;
mod device;
mod halves;
mod new_file;
mod pages;
mod progress_line;
mod rankings;
mod results;
mod similarity;
mod single;
mod triangle;
mod writers;

pub use batch::*;
pub use context::*;
pub use halves::*;
pub use progress_line::*;
pub use similarity::*;
pub use single::*;
pub use writers::*;
