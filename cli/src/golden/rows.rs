//! The embeddings that are a part of the command: small corpora with every odd shape, and the
//! Psalms.

use half::f16;
use vkd::{Elements, Input};

/// The corpora by name.
const FILES: [(&str, &[u8]); 12] = [
    ("one_item.npy", include_bytes!("../../data/one_item.npy")),
    ("two_items.npy", include_bytes!("../../data/two_items.npy")),
    ("three_dims_1.npy", include_bytes!("../../data/three_dims_1.npy")),
    ("d1_many_ties.npy", include_bytes!("../../data/d1_many_ties.npy")),
    ("duplicates.npy", include_bytes!("../../data/duplicates.npy")),
    ("opposites.npy", include_bytes!("../../data/opposites.npy")),
    ("odd_257x7.npy", include_bytes!("../../data/odd_257x7.npy")),
    ("wide_norms_300x33.npy", include_bytes!("../../data/wide_norms_300x33.npy")),
    ("one_hot_64.npy", include_bytes!("../../data/one_hot_64.npy")),
    ("nearly_parallel_200x64.npy", include_bytes!("../../data/nearly_parallel_200x64.npy")),
    ("half_1000x48.npy", include_bytes!("../../data/half_1000x48.npy")),
    (PSALMS, include_bytes!("../../data/psalms.npy")),
];

/// The name of the Psalms' embeddings.
pub(crate) const PSALMS: &str = "psalms.npy";

/// Embeddings in memory.
pub(crate) struct Rows {
    pub(crate) num_items: u32,
    pub(crate) dim: u32,
    pub(crate) values: Vec<f32>,
}

impl Rows {
    /// Those of this name; `None` where the command has none.
    pub(crate) fn named(name: &str) -> Option<Rows> {
        let (_, bytes) = FILES.iter().find(|(file, _)| *file == name)?;
        Rows::of_npy(bytes)
    }

    pub(crate) fn is_there(name: &str) -> bool {
        FILES.iter().any(|(file, _)| *file == name)
    }

    pub(crate) fn input(&self, center: bool) -> Input<'_> {
        let elements = Elements::F32(&self.values);
        Input { center, ..Input::new(elements, self.num_items, self.dim) }
    }

    /// Reads npy of halves or floats in C order, as all of these are.
    fn of_npy(bytes: &[u8]) -> Option<Rows> {
        let length = usize::from(u16::from_le_bytes([*bytes.get(8)?, *bytes.get(9)?]));
        let (header, data) = (bytes.get(10..10 + length)?, bytes.get(10 + length..)?);
        let header = std::str::from_utf8(header).ok()?;
        let shape = header.split("'shape': (").nth(1)?.split(')').next()?;
        let mut sizes = shape.split(',').filter_map(|size| size.trim().parse().ok());
        let half = |two: &[u8]| f16::from_le_bytes([two[0], two[1]]).to_f32();
        let float = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        let values = match header.contains("'<f2'") {
            true => data.chunks_exact(2).map(half).collect(),
            false => data.chunks_exact(4).map(float).collect(),
        };
        Some(Rows { num_items: sizes.next()?, dim: sizes.next()?, values })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn all_files_are_read_whole() {
        for (name, _) in FILES {
            let rows = Rows::named(name).unwrap();
            assert_eq!(rows.values.len(), (rows.num_items * rows.dim) as usize, "{name}");
        }
        let psalms = Rows::named(PSALMS).unwrap();
        assert_eq!((psalms.num_items, psalms.dim), (2461, 384));
        assert!(Rows::named("nothing.npy").is_none());
    }
}
