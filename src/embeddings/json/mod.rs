//! JSON and JSON Lines, in the shapes that people have.
//!
//! `reader` knows the shapes: a list, an object that holds one, an item or a row on each line.
//! `items` reads items into one vector of values, `keys` says what a key means, `base64` decodes
//! what OpenAI sends when asked to.

mod base64;
mod items;
mod keys;
mod reader;

pub(super) use reader::read;
