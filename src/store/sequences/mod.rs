//! Files of sequences: `format` knows their bytes, `shard` what a part says of the whole, `reader`
//! maps a finished one, `writer` lets one grow, resumes and extends it, `unfinished` says how far
//! one has grown. `parts` finds out whether files are the parts of one run, `merge` makes a file of
//! them.

mod format;
mod merge;
mod parts;
mod reader;
mod shard;
mod unfinished;
mod writer;

pub use format::SequencesMeta;
pub(super) use format::FORMAT;
pub(crate) use merge::{merge, merge_bytes};
pub(crate) use parts::Parts;
pub use reader::SequencesFile;
pub(crate) use shard::heads_hash;
pub use shard::ShardMeta;
pub use unfinished::UnfinishedSequences;
pub use writer::{Begun, SequencesWriter};
