//! Arguments that several subcommands share, and what they mean to the library.
//!
//! Each group has a heading in the help, which what is declared behind it would get, too: the
//! arguments of a subcommand's own come before these.
//!
//! `corpus` opens embeddings, `run` says what is computed on which device, `items` reads lists of
//! items, `output` says where results go, `standard_input` is a file for what is piped in.

pub(crate) mod corpus;
pub(crate) mod items;
pub(crate) mod output;
pub(crate) mod run;
mod standard_input;
