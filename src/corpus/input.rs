//! What a caller gives: embeddings with their shape, whether to centre them, and whether rows of
//! zeros are among them.

use super::elements::Elements;
use super::shape::Shape;
use super::zero_rows::ZeroRows;
use crate::error::{Error, Result};

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
    /// What becomes of rows of zeros, with `center` also of those that equal the mean; and of those
    /// of queries for these embeddings.
    pub zero_rows: ZeroRows,
}

impl<'a> Input<'a> {
    /// Embeddings as they are: not centred, none of them of zero length.
    pub fn new(elements: Elements<'a>, num_items: u32, dim: u32) -> Input<'a> {
        Input { elements, num_items, dim, center: false, zero_rows: ZeroRows::Refuse }
    }
}

impl Input<'_> {
    /// Items and dimensions.
    pub fn shape(&self) -> Shape {
        Shape::new(self.num_items, self.dim)
    }

    /// Refuses shapes that no engine can do, and a number of values that does not fit the shape.
    pub(crate) fn check(&self) -> Result<()> {
        self.shape().check()?;
        self.check_count()
    }

    /// Refuses a number of values that does not fit the shape.
    pub(crate) fn check_count(&self) -> Result<()> {
        let (shape, given) = (self.shape(), self.elements.len());
        let needed = shape.values();
        if given as u64 != needed {
            let Shape { num_items, dim } = shape;
            return Err(Error::ShapeMismatch { given, num_items, dim, needed });
        }
        Ok(())
    }
}
