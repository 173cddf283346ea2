//! The store: files of finished results, written while a run goes on, read by any number of
//! processes at once.
//!
//! Below, and knowing nothing of what the results are: `errors`, `place` (what differs between
//! systems), `tensors` (the bytes of a safetensors file), `known` (what a wrong file is), `items`
//! (item numbers in a file), `ids` (of the items), `checksums`, `fingerprint` (of a corpus),
//! `origin` (whether results are of embeddings at hand), `map` (mapped files). Where files are
//! written, results and those for other programs alike: `family` (what may replace what),
//! `folder` (names in a folder), `location` (of a file), `fork` (locks and child processes),
//! `partial` (NAME.partial: locked, published), `stream` (one written from beginning to end) and
//! `output_file` (what was asked for, looked at before any work). On them, side by side,
//! `sequences` and `neighbors`, each with its format, its writer and its reader; on both, `kind`.
//! Only `map` and `fork` have unsafe code. The store knows corpus, plan and engine (it takes the
//! rows they finish), not who asked for them.
//!
//! Nothing is lost by a kill: a sequence counts as soon as its checksum stands in `row_checksums`,
//! and whoever resumes believes no row that does not fit its checksum.

mod checksums;
pub(crate) mod errors;
mod family;
mod fingerprint;
mod folder;
mod fork;
mod ids;
mod items;
mod kind;
mod known;
mod location;
pub(crate) mod map;
mod neighbors;
mod origin;
mod output_file;
pub(crate) mod partial;
pub(crate) mod place;
mod sequences;
mod stream;
mod tensors;

pub(crate) use family::{Family, LONGEST_LIST};
pub use fingerprint::fingerprint;
pub use items::Row;
pub use kind::ResultsKind;
pub(crate) use location::follow_links;
pub use neighbors::{NeighborsFile, NeighborsMeta, NeighborsRow, NeighborsWriter};
pub use output_file::OutputFile;
pub(crate) use output_file::OutputPlace;
pub(crate) use sequences::{heads_hash, merge, merge_bytes, Parts};
pub use sequences::{
    Begun, SequencesFile, SequencesMeta, SequencesWriter, ShardMeta, UnfinishedSequences,
};
pub(crate) use stream::Stream;
