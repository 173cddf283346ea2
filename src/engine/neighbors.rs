//! Neighbours: for every query the k items with the greatest dot products, on equal ones the lower
//! number first.
//!
//! What is asked for (`Query`, and its shape without the embeddings) and what comes of it; how it
//! is found is each engine's own affair.

pub use crate::contract::similarity;
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::memory::{zeroed_of, Bytes};

/// What to compare with the corpus, and how many to keep.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The rows to find neighbours of; `None`: the corpus's own, each without itself.
    pub queries: Option<&'a Corpus>,
    /// Neighbours of each.
    pub k: u32,
}

impl<'a> Query<'a> {
    /// The shape of a search in `corpus`.
    pub(crate) fn shape(&self, corpus: &Corpus) -> QueryShape {
        QueryShape {
            num_items: corpus.num_items(),
            dim: corpus.dim(),
            num_rows: self.rows(corpus).num_items(),
            own: self.queries.is_none(),
            k: self.k,
        }
    }

    /// The rows to find neighbours of.
    pub(crate) fn rows<'b>(&self, corpus: &'b Corpus) -> &'b Corpus
    where
        'a: 'b,
    {
        self.queries.unwrap_or(corpus)
    }

    /// The item that row `row` must not get: itself.
    pub(crate) fn excluded(&self, row: u32) -> Option<u32> {
        self.queries.is_none().then_some(row)
    }
}

/// The shape of a search, without the embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryShape {
    /// Items of the corpus.
    pub num_items: u32,
    /// Dimensions of each.
    pub dim: u32,
    /// Rows to find neighbours of.
    pub num_rows: u32,
    /// These are the corpus's own.
    pub own: bool,
    /// Neighbours of each.
    pub k: u32,
}

impl QueryShape {
    /// Numbers and dot products that are found.
    pub(crate) fn result_bytes(&self) -> Bytes {
        Bytes::of::<u64>(u64::from(self.num_rows) * u64::from(self.k))
    }

    /// Checks k.
    pub(crate) fn check(&self) -> Result<()> {
        let others = self.num_items - u32::from(self.own);
        match self.k {
            0 => Err(Error::ZeroSize { name: "k" }),
            k if k > others => Err(Error::TooManyNeighbors { k, others }),
            _ => Ok(()),
        }
    }
}

/// The neighbours of every query, row after row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbors {
    /// Neighbours of each query.
    pub k: u32,
    /// Item numbers, k a row.
    pub indices: Vec<u32>,
    /// Dot products of the prepared rows, k a row.
    pub dots: Vec<i32>,
}

impl Neighbors {
    pub(crate) fn new(num_rows: u32, k: u32) -> Result<Neighbors> {
        let values = u64::from(num_rows) * u64::from(k);
        let what = "the neighbours";
        Ok(Neighbors { k, indices: zeroed_of(values, what)?, dots: zeroed_of(values, what)? })
    }

    /// Cosine similarities, k a row.
    pub fn similarities(&self) -> impl Iterator<Item = f32> + '_ {
        self.dots.iter().map(|&dot| similarity(dot))
    }
}
