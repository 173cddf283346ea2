//! What becomes of embeddings of zero length.

/// Whether a row of zeros is refused. It has no direction; who admits it takes it as orthogonal to
/// all rows: its integers and its weight are 0, and so is all that comes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ZeroRows {
    /// It is an error that names the item: an empty text, most likely.
    #[default]
    Refuse,
    /// It is an item like any other.
    Admit,
}
