//! Files of sequences: `format` knows their bytes, `shard` what a part says of the whole, `reader` maps a finished one, `writer` lets one
//! grow, resumes and extends it.

mod format;
mod reader;
mod shard;
mod writer;

pub use format::SequencesMeta;
pub(super) use format::FORMAT;
pub use reader::SequencesFile;
pub(crate) use shard::heads_hash;
pub use shard::ShardMeta;
pub use writer::{Begun, SequencesWriter};
