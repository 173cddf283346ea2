//! Arguments that several subcommands share, and what they mean to the library.
//!
//! `corpus` opens embeddings, `run` says what is computed on which device, `items` reads lists of
//! items, `output` says where results go, `standard_input` is a file for what is piped in.

pub(crate) mod corpus;
pub(crate) mod items;
pub(crate) mod output;
pub(crate) mod run;
mod standard_input;
