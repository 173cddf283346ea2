//! Embeddings from files, with the ids of their items.
//!
//! `Embeddings::open` maps the file, `format` tells from its first bytes what it is, and a reader
//! for each format gives the values and the ids: `npy`, `npz` (`zip` finds its members), `tensors`
//! (safetensors), `json`, `words` (word2vec and GloVe as text), `binary_words`, `vectors` (fvecs
//! and raw values). `text` and `number` scan texts. Values that lie in the file as the library
//! takes them stay there (`values`); all others are read into memory once. `Ids` finds an item by
//! its id. `write` makes npy and safetensors.
//!
//! A file may hold anything: every size is checked against the bytes that are there before memory
//! is asked for, and what is wrong is said with its place (`stop`).

mod binary_words;
mod format;
mod json;
mod matrix;
mod npy;
mod npz;
mod number;
mod open;
mod options;
mod stop;
mod tensors;
mod text;
mod values;
mod vectors;
mod words;
mod write;
mod zip;

pub use open::Embeddings;
pub use options::{ElementType, OpenOptions, RawValues};
pub use write::{write_npy, SaveAs};
