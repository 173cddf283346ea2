//! The similarities of all pairs, as the caller has them, and the order of one row.

use crate::error::Result;
use crate::memory::reserve;

/// The similarity of items i < j stands at i x n - i x (i + 1) / 2 + j - i - 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Triangle<'a> {
    pub(super) values: &'a [f32],
    pub(super) num_items: usize,
}

/// Another item of a row: in order, the most similar one first, on equal similarities the lower
/// one. What is no number comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Other(u64);

impl Other {
    fn new(similarity: f32, item: usize) -> Other {
        Other(u64::from(falling(similarity)) << 32 | item as u64)
    }

    pub(super) fn item(self) -> usize {
        self.0 as u32 as usize
    }
}

/// A number that is smaller for greater values, and equal for equal ones.
fn falling(value: f32) -> u32 {
    if value.is_nan() {
        return u32::MAX;
    }
    // Not -0.
    let bits = (value + 0.0).to_bits();
    match bits >> 31 {
        0 => 0x7fff_ffff - bits,
        _ => bits,
    }
}

impl Triangle<'_> {
    /// How many similarities there are of `num_items` items.
    pub(super) fn len(num_items: u32) -> u64 {
        let n = u64::from(num_items);
        n * n.saturating_sub(1) / 2
    }

    /// The similarity of two different items.
    pub(super) fn get(&self, one: usize, other: usize) -> f32 {
        let (i, j) = (one.min(other), one.max(other));
        self.values[i * self.num_items - i * (i + 1) / 2 + j - i - 1]
    }

    /// Writes the nearest `keep` others of a row to `to`, in order.
    pub(super) fn nearest(&self, row: usize, keep: usize, to: &mut Vec<Other>) -> Result<()> {
        to.clear();
        reserve(to, self.num_items, "the others of a row")?;
        let others = (0..self.num_items).filter(|&other| other != row);
        to.extend(others.map(|other| Other::new(self.get(row, other), other)));
        if keep < to.len() {
            to.select_nth_unstable(keep);
            to.truncate(keep);
        }
        to.sort_unstable();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_equal_ones_by_number() {
        // Of 0 with 1, 2, 3, 4; of 1 with 2, 3, 4; of 2 with 3, 4; of 3 with 4.
        let values = [0.5, -0.0, 0.0, 0.5, f32::NAN, 1.0, -1.0, -2.0, f32::INFINITY, 0.25];
        let triangle = Triangle { values: &values, num_items: 5 };
        let nearest = |row, keep| {
            let mut others = vec![Other(7); 3];
            triangle.nearest(row, keep, &mut others).unwrap();
            others.into_iter().map(Other::item).collect::<Vec<_>>()
        };
        assert_eq!(nearest(0, 9), [1, 4, 2, 3]);
        assert_eq!(nearest(1, 4), [3, 0, 4, 2]);
        assert_eq!(nearest(2, 4), [4, 0, 3, 1]);
        assert_eq!([nearest(4, 1), nearest(3, 2)], [vec![2], vec![1, 4]]);
        assert_eq!([Triangle::len(0), Triangle::len(1), Triangle::len(5)], [0, 0, 10]);
    }

    #[test]
    fn the_order_is_that_of_floats() {
        let rising = [f32::NEG_INFINITY, -1.0, -1e-45, 0.0, 1e-45, 1.0, f32::INFINITY];
        assert!(rising.map(falling).windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!(falling(-0.0), falling(0.0));
        assert!(falling(f32::NAN) > falling(f32::NEG_INFINITY));
    }
}
