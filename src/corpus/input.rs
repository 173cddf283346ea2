//! What a caller gives: embeddings with their shape, and whether to centre them.

use super::{Elements, MAX_DIM};
use crate::error::{Error, Result};

/// How many items there are, and how many dimensions each has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Items (N).
    pub num_items: u32,
    /// Dimensions of each (D).
    pub dim: u32,
}

impl Shape {
    /// A shape of `num_items` items of `dim` dimensions.
    pub fn new(num_items: u32, dim: u32) -> Shape {
        Shape { num_items, dim }
    }

    /// Values of the embeddings: N x D.
    pub fn values(self) -> u64 {
        u64::from(self.num_items) * u64::from(self.dim)
    }

    /// Refuses what no engine can do: nothing at all, or more than [`MAX_DIM`] dimensions.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Shape { num_items: 0, .. } => Err(Error::ZeroSize { name: "num_items" }),
            Shape { dim: 0, .. } => Err(Error::ZeroSize { name: "dim" }),
            Shape { dim, .. } if dim > MAX_DIM => Err(Error::DimTooLarge { dim, limit: MAX_DIM }),
            _ => Ok(()),
        }
    }
}

/// Embeddings to work on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// `num_items` x `dim` values, row after row.
    pub elements: Elements<'a>,
    /// Items (N).
    pub num_items: u32,
    /// Dimensions of each (D).
    pub dim: u32,
    /// Subtract the mean embedding first.
    pub center: bool,
}

impl Input<'_> {
    /// Items and dimensions.
    pub fn shape(&self) -> Shape {
        Shape::new(self.num_items, self.dim)
    }

    /// Refuses shapes that no engine can do, and a number of values that does not fit the shape.
    pub(crate) fn check(&self) -> Result<()> {
        let (shape, given) = (self.shape(), self.elements.len());
        shape.check()?;
        let needed = shape.values();
        if given as u64 != needed {
            let Shape { num_items, dim } = shape;
            return Err(Error::ShapeMismatch { given, num_items, dim, needed });
        }
        Ok(())
    }
}
