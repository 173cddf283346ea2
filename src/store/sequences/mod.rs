//! Files of sequences: `format` knows their bytes, `reader` maps a finished one, `writer` lets one
//! grow, resumes and extends it.

mod format;
mod reader;
mod writer;

pub use format::SequencesMeta;
pub(super) use format::FORMAT;
pub use reader::SequencesFile;
pub use writer::{Begun, SequencesWriter};
