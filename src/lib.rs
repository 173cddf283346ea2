//! vkd computes **diversity sequences** of an embedded corpus (from every start item, again and
//! again the item farthest, by cosine, from the centroid of all picked so far, or what another
//! [`Rule`] asks for), neighbours and similarities, on any Vulkan device or on the processor.
//!
//! Data flows one way, and each module knows only the ones to its left:
//!
//! ```text
//! corpus -> plan -> engine {reference | cpu | vulkan | several} -> store -> embeddings
//!        -> results -> site, export -> job, context -> ffi (C, LuaJIT)
//! ```
//!
//! `embeddings` reads them from files, `export` writes results in the shapes of older programs,
//! `verify` checks results against the embeddings.
//!
//! From the prepared corpus on, everything is exact integer arithmetic, so every engine and every
//! device gives the same bits. Items are numbered from 0 everywhere in Rust and C.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "vkd needs a processor with 64-bit addresses: build it for a 64-bit target, with \
     `cargo build --target` of x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu or another one"
);
#[cfg(target_endian = "big")]
compile_error!(
    "vkd needs a little-endian processor, as its files are mapped into memory as they are: build \
     it for one, with `cargo build --target` of x86_64-unknown-linux-gnu or another one"
);

pub mod context;
mod contract;
pub mod corpus;
pub mod embeddings;
pub mod engine;
mod environment;
pub mod error;
pub mod export;
pub mod ffi;
pub mod flaw;
mod ids;
pub mod job;
mod memory;
mod panics;
pub mod plan;
mod process;
pub mod progress;
mod results;
pub mod rule;
pub mod sequence;
pub mod shard;
pub mod site;
pub mod store;
mod texts;
mod threads;
mod units;
pub mod verify;

pub use context::{Context, ContextOptions};
pub use corpus::{Corpus, Elements, Input, Shape, ZeroRows};
pub use embeddings::Embeddings;
pub use error::{Error, Result};
pub use ids::{IdSlice, Ids};
pub use memory::{Bytes, MemoryState};
pub use plan::{Heads, Request};
pub use rule::{Lambda, Rule};
pub use sequence::Sequences;
pub use shard::Shard;
