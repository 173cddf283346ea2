//! What a caller may say about a file of embeddings. Nothing has to be said about most.

use std::path::PathBuf;

/// How a file is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The array of an npz or safetensors file. Unset: the only one of two dimensions.
    pub array: Option<String>,
    /// The key of an item's id in JSON. Unset: "id", or else "poem_index".
    pub id_key: Option<String>,
    /// The key of an item's embedding in JSON. Unset: "embedding" or "vector".
    pub embedding_key: Option<String>,
    /// The key of the list of items, or of embeddings, in JSON. Unset: "embeddings" or "data".
    pub list_key: Option<String>,
    /// A text file with the id of each item on a line of its own, instead of ids of the file.
    pub ids: Option<PathBuf>,
    /// Set for a file that holds nothing but values.
    pub raw: Option<RawValues>,
}

/// Values without a header, row after row, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawValues {
    /// Their type.
    pub element_type: ElementType,
    /// Dimensions of each item.
    pub dim: u32,
}

/// Types of values in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl ElementType {
    /// Bytes of a value.
    pub fn bytes(self) -> u64 {
        match self {
            ElementType::F16 => 2,
            ElementType::F32 => 4,
            ElementType::F64 => 8,
        }
    }
}
