//! A context: one device, chosen once, and the computations on it.
//!
//! `options` is what the caller wants, `choice` finds the engine that a name means, `bounds` says
//! what a run takes and whether there is memory for it, `turns` who has the engine; `open` holds it
//! all together. Each kind of work has a file: `sequences`, `neighbors`, `similarity`, `site`,
//! `export`, `merge`, `recheck`; `shared` is for several runs over one corpus. A context may be
//! used from any thread of its process; its engine works for one run at a time, in the order in
//! which they were started.

mod bounds;
mod choice;
mod environment;
mod export;
mod merge;
mod neighbors;
mod open;
mod options;
mod recheck;
mod sequences;
mod shared;
mod similarity;
mod site;
mod turns;

pub use bounds::RunPlan;
pub use choice::{devices, PassedOver};
pub use export::start_export;
pub use merge::start_merge;
pub use neighbors::NeighborsRequest;
pub use open::Context;
pub use options::ContextOptions;
pub use recheck::RandomRows;
pub use sequences::Destination;
pub(crate) use shared::similarities_with_later;
pub use site::start_site_write;
