//! What can be wrong with a file of embeddings, and where in it.
//!
//! `Error::Embeddings` names the file; what is said here follows the name. Items and dimensions are
//! numbered from 0.

use std::fmt;

use crate::units;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The file as a whole.
    File,
    /// A byte, numbered from 0.
    Byte(u64),
    /// A byte of a line, both numbered from 1, as editors do.
    Line {
        /// The line.
        line: u64,
        /// The byte in it.
        byte: u64,
    },
}

impl fmt::Display for At {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            At::File => Ok(()),
            At::Byte(byte) => write!(to, " at byte {}", units::count(*byte)),
            At::Line { line, byte } => {
                write!(to, " at line {}, byte {}", units::count(*line), units::count(*byte))
            }
        }
    }
}

/// What is wrong with a file of embeddings. The text of each variant is for the user.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // every field is named in the variant's message
pub enum Flaw {
    #[error(
        "it is in no format that vkd knows (it begins with {begins}); give npy, npz, safetensors, \
         JSON, JSON Lines, word2vec, GloVe or fvecs, or say its element type and dimensions where \
         it holds nothing but values"
    )]
    UnknownFormat { begins: String },
    #[error("it holds no embeddings; save at least one item and one dimension")]
    Empty,
    #[error(
        "{what} needs {}, and {} are there: the file is cut short; copy or save it again",
        units::bytes(*.needed), units::bytes(*.there)
    )]
    Cut { what: &'static str, needed: u64, there: u64 },
    #[error("the file ends within {within}: it is cut short; copy or save it again")]
    Ends { within: &'static str },
    #[error("its header cannot be used: {reason}; save it again")]
    BadHeader { reason: String },
    #[error("it is damaged: {reason}; copy or save it again")]
    Damaged { reason: String },
    #[error("{expected} is expected, not {found}; correct the file")]
    Syntax { expected: &'static str, found: String },
    #[error("more than {limit} arrays and objects lie in each other; save it flatter")]
    TooDeep { limit: u32 },
    #[error(
        "item {item} (0-based) has {} dimensions, those before it {}; embed all with one model",
        units::count(*.length), units::count(*.dim)
    )]
    Ragged { item: u32, length: u64, dim: u32 },
    #[error(
        "item {item} (0-based) has several embeddings, one for each token; ask the server to pool \
         them (llama.cpp: --pooling mean)"
    )]
    NotPooled { item: u32 },
    #[error(
        "item {item} (0-based) has {value} in dimension {dimension} (0-based); every value must be \
         finite: remove or re-embed that item"
    )]
    NotFinite { item: u32, dimension: u32, value: String },
    #[error(
        "the number {number} of item {item}, dimension {dimension} (both 0-based), is too large \
         for 32 bits; scale the embeddings"
    )]
    Overflow { item: u32, dimension: u32, number: String },
    #[error("item {item} (0-based) has no {key}; add it, or name the key that holds it")]
    MissingKey { item: u32, key: String },
    #[error("there is no list of embeddings: no {key}; name the key that holds them")]
    NoList { key: String },
    #[error("item {item} (0-based) has its {what} twice; name the key that is meant")]
    Twice { item: u32, what: &'static str },
    #[error("items {first} and {second} (0-based) have the same id, \"{id}\"; give each its own")]
    RepeatedId { id: String, first: u32, second: u32 },
    #[error("{what} is not UTF-8; save the file as UTF-8")]
    NotUtf8 { what: &'static str },
    #[error(
        "there are {} ids for {} items; give one id for each item",
        units::count(*.ids), units::count(*.num_items)
    )]
    IdCount { ids: u64, num_items: u32 },
    #[error(
        "the indexes of the items are not 0 to {last}, each once: item {item} (0-based) has \
         {index}; give the whole answer of the server, or read the index as the id of an item"
    )]
    BadIndex { item: u32, index: u64, last: u32 },
    #[error("item {item} (0-based) is no base64 of 32-bit floats; ask for floats instead")]
    BadBase64 { item: u32 },
    #[error("it has no array {name}; it has {there}: name one of two dimensions")]
    NoArray { name: String, there: String },
    #[error("its array {name} has {}; embeddings need two: items x dimensions",
        units::many(*.dimensions as u64, "dimension"))]
    NotTwo { name: String, dimensions: usize },
    #[error("it holds {found}; save 16-, 32- or 64-bit floats, little-endian")]
    ElementType { found: String },
    #[error(
        "it has {} dimensions; at most {} are supported: use a model with shorter embeddings",
        units::count(*.dim), units::count(*.limit)
    )]
    DimTooLarge { dim: u64, limit: u32 },
    #[error("it has more than {} items; split it", units::count(u32::MAX))]
    TooManyItems,
}
