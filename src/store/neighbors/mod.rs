//! Files of neighbours: `format` knows their bytes, `reader` maps a finished one, `writer` writes
//! one.

mod format;
mod reader;
mod writer;

pub use format::NeighborsMeta;
pub(super) use format::FORMAT;
pub use reader::{NeighborsFile, NeighborsRow};
pub use writer::NeighborsWriter;
