//! The types of the C header. cbindgen copies the comments, so they are the C documentation.

mod enums;
mod handles;
mod options;
mod reports;

pub use enums::*;
pub use handles::*;
pub use options::*;
pub use reports::*;
