//! How large a matrix of embeddings is, and how large it may be.

use crate::error::{Error, Result};
use crate::memory::Bytes;

/// The most dimensions an embedding may have. The dot product of two prepared rows stays below
/// (32767 + sqrt(65536) / 2)^2 < 2^31 and a device loop over a row below 65,535 rounds.
pub const MAX_DIM: u32 = 65_536;

/// Zeros behind the last prepared row, so that a reader who takes 32 values at a time may end
/// behind it.
pub(super) const SLACK: u64 = 31;

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

    /// Bytes of the prepared rows, with the zeros behind them, and of their weights.
    pub(crate) fn prepared_bytes(self) -> Bytes {
        Bytes::of::<i16>(self.values() + SLACK) + Bytes::of::<u16>(self.num_items.into())
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
