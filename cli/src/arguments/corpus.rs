//! Embeddings: which file they are in, and what has to be said of some files.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vkd::embeddings::{ElementType, OpenOptions, RawValues};
use vkd::{Embeddings, Input, ZeroRows};

use super::standard_input::StandardInput;
use crate::failure::Failure;

/// The embeddings that a subcommand is about.
#[derive(Debug, Args)]
pub(crate) struct Corpus {
    /// Embeddings: npy, npz, safetensors, JSON, JSON Lines, word2vec, GloVe or fvecs; - reads
    /// standard input
    #[arg(value_name = "CORPUS")]
    path: PathBuf,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

impl Corpus {
    pub(crate) fn open(&self) -> Result<Embeddings, Failure> {
        self.reading.open(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// How a file of embeddings is to be read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading embeddings")]
pub(crate) struct Reading {
    /// Array of an npz or safetensors file [default: the only one of two dimensions]
    #[arg(long, value_name = "NAME")]
    array: Option<String>,

    /// Key of an item's id in JSON [default: id, or else poem_index]
    #[arg(long, value_name = "KEY")]
    id_key: Option<String>,

    /// Key of an item's embedding in JSON [default: embedding or vector]
    #[arg(long, value_name = "KEY")]
    embedding_key: Option<String>,

    /// Key of the list of items in JSON [default: embeddings or data]
    #[arg(long, value_name = "KEY")]
    list_key: Option<String>,

    /// Text file with the id of each item on a line of its own
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,

    /// The file holds nothing but values of this type, little-endian
    #[arg(long, value_name = "TYPE", requires = "dim")]
    raw: Option<Raw>,

    /// Dimensions of each item of a raw file
    #[arg(long, value_name = "N", requires = "raw")]
    dim: Option<u32>,
}

/// Types of raw values.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Raw {
    F16,
    F32,
    F64,
}

impl Reading {
    /// Opens a file of embeddings, or standard input.
    pub(crate) fn open(&self, path: &Path) -> Result<Embeddings, Failure> {
        self.open_with(path, self.ids.clone())
    }

    /// Opens embeddings of something else than the items, whose ids are not these.
    pub(crate) fn open_others(&self, path: &Path) -> Result<Embeddings, Failure> {
        self.open_with(path, None)
    }

    fn open_with(&self, path: &Path, ids: Option<PathBuf>) -> Result<Embeddings, Failure> {
        let options = OpenOptions { ids, ..self.options() };
        match path == Path::new("-") {
            true => {
                let input = StandardInput::read()?;
                Embeddings::open(input.path(), &options).map_err(|error| input.named(error))
            }
            false => Ok(Embeddings::open(path, &options)?),
        }
    }

    fn options(&self) -> OpenOptions {
        let raw = |(raw, dim)| {
            let element_type = match raw {
                Raw::F16 => ElementType::F16,
                Raw::F32 => ElementType::F32,
                Raw::F64 => ElementType::F64,
            };
            RawValues { element_type, dim }
        };
        OpenOptions {
            array: self.array.clone(),
            id_key: self.id_key.clone(),
            embedding_key: self.embedding_key.clone(),
            list_key: self.list_key.clone(),
            ids: None,
            raw: self.raw.zip(self.dim).map(raw),
        }
    }
}

/// What becomes of embeddings before they are compared.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Vectors")]
pub(crate) struct Vectors {
    /// Subtract the mean embedding first
    #[arg(long)]
    center: bool,

    /// Admit rows of zeros (empty texts), as similar to nothing
    #[arg(long)]
    zero_rows: bool,
}

impl Vectors {
    pub(crate) fn input<'a>(&self, embeddings: &'a Embeddings) -> Input<'a> {
        let zero_rows = if self.zero_rows { ZeroRows::Admit } else { ZeroRows::Refuse };
        Input { center: self.center, zero_rows, ..embeddings.input() }
    }
}
