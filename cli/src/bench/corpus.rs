//! The corpora that are measured.

use vkd::Shape;

use super::clustered::Clustered;
use crate::golden::{Rows, PSALMS};

/// Dimensions of the synthetic corpora: those of the Psalms.
pub(super) const DIM: u32 = 384;

/// A corpus by its size; it is made when it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Corpus {
    Psalms,
    Synthetic(u32),
}

impl Corpus {
    pub(crate) fn name(self) -> String {
        match self {
            Corpus::Psalms => "Psalms".into(),
            Corpus::Synthetic(_) => "synthetic".into(),
        }
    }

    pub(crate) fn shape(self) -> Shape {
        match self {
            Corpus::Psalms => Shape::new(2_461, DIM),
            Corpus::Synthetic(num_items) => Shape::new(num_items, DIM),
        }
    }

    pub(super) fn rows(self) -> Option<Rows> {
        match self {
            Corpus::Psalms => Rows::named(PSALMS),
            Corpus::Synthetic(num_items) => {
                let mut items = Clustered::new(DIM);
                let mut values = Vec::with_capacity((num_items * DIM) as usize);
                (0..num_items).for_each(|_| items.push_item(&mut values));
                Some(Rows { num_items, dim: DIM, values })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_psalms_are_as_large_as_said() {
        let rows = Corpus::Psalms.rows().map(|rows| Shape::new(rows.num_items, rows.dim));
        assert_eq!(rows, Some(Corpus::Psalms.shape()));
    }
}
