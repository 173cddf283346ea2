//! The arithmetic of the fast engines: from a dot product of two prepared rows to what it adds to a
//! score, to the order of neighbours and to the similarities and values that are reported.
//!
//! What decides an order is exact integers, so that every engine gives the same bits. The reference
//! engine has loops of its own and takes nothing from here: what is wrong here shows against it,
//! but for `similarity`, which turns the dot products of all engines into what is reported. The
//! GLSL twins are shaders/weighted.glsl and shaders/sequence.glsl.

use crate::rule::{Lambda, Rule};

/// g: the similarity of two items in Q15, dot / 2^15, rounded, within -32767..=32767.
#[inline(always)]
pub(crate) fn similarity_q15(dot: i32) -> i16 {
    ((dot + (1 << 14)) >> 15).clamp(-32767, 32767) as i16
}

/// What picking an item of weight `weight` adds to the score of an item, given their dot product:
/// g x weight / 2^(15 + `extra_shift`), rounded. Fits an i16.
#[inline(always)]
pub(crate) fn contribution(dot: i32, weight: u16, extra_shift: u32) -> i16 {
    let g = i32::from(similarity_q15(dot));
    ((i32::from(weight) * g + (1 << (14 + extra_shift))) >> (15 + extra_shift)) as i16
}

/// The value of a pick of a rule: what its cost says of it, computed in f64 and rounded once. For
/// `centroid` the mean of the contributions of the `picked` items before it (of rows of equal
/// length the mean similarity), for the others the similarity that the rule is about.
pub(crate) fn value(rule: Rule, cost: i32, picked: u32, extra_shift: u32) -> f32 {
    let cost = f64::from(cost);
    // 0 - cost: the negation of 0 is 0.
    let value = match rule {
        Rule::Centroid => {
            cost * f64::from(1 << extra_shift) / (f64::from(Lambda::ONE) * f64::from(picked))
        }
        Rule::Farthest => cost / 32767.0,
        Rule::Mmr(_) => (0.0 - cost) / (f64::from(Lambda::ONE) * 32767.0),
        Rule::Chain => (0.0 - cost) / 32767.0,
    };
    value as f32
}

/// The extra shift e: the smallest with `num_items` <= 65536 x 2^e, so that a sum of so many
/// contributions fits an i32.
pub(crate) fn extra_shift(num_items: u32) -> u32 {
    num_items.div_ceil(65_536).next_power_of_two().trailing_zeros()
}

/// The order of neighbours as one number, smallest first: the greater dot product, on equal ones
/// the lower item. The dot product stands above, turned around; the item below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u64);

impl Key {
    /// After every item that there is.
    pub(crate) const LAST: Key = Key(u64::MAX);

    #[inline(always)]
    pub(crate) fn new(dot: i32, item: u32) -> Key {
        Key(u64::from(!(dot as u32 ^ 1 << 31)) << 32 | u64::from(item))
    }

    #[inline(always)]
    pub(crate) fn dot(self) -> i32 {
        (!((self.0 >> 32) as u32) ^ 1 << 31) as i32
    }

    #[inline(always)]
    pub(crate) fn item(self) -> u32 {
        self.0 as u32
    }
}

/// The cosine similarity that a dot product of prepared rows stands for: dot / 32767^2, computed in
/// f64 and rounded once, within -1..=1. Rounded rows are up to sqrt(D)/2 longer than 32767, so that
/// the quotient alone reaches 1.000061 (at 65,536 equal dimensions).
pub fn similarity(dot: i32) -> f32 {
    (f64::from(dot) / (32767.0 * 32767.0)).clamp(-1.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_round_and_clamp() {
        assert_eq!(contribution(32767 * 32767, 32768, 0), 32766);
        assert_eq!(contribution(i32::MAX - (1 << 14), 32768, 0), 32767);
        assert_eq!(contribution(-(1 << 30) - (1 << 20), 32768, 0), -32767);
        assert_eq!(contribution(1 << 14, 32768, 0), 1);
        assert_eq!(contribution((1 << 14) - 1, 32768, 0), 0);
        assert_eq!(contribution(-(1 << 14) - 1, 32768, 0), -1);
        assert_eq!(contribution(32767 << 15, 16384, 1), 8192);
    }

    #[test]
    fn the_extra_shift_grows_where_a_sum_would_overflow() {
        let cases = [(1, 0), (65_536, 0), (65_537, 1), (131_072, 1), (131_073, 2), (u32::MAX, 16)];
        for (num_items, shift) in cases {
            assert_eq!(extra_shift(num_items), shift, "{num_items} items");
        }
    }

    #[test]
    fn keys_order_by_falling_dot_then_rising_item() {
        let cases = [(i32::MAX, 9), (5, 0), (5, 1), (0, 0), (-1, 0), (i32::MIN, 0)];
        let keys = cases.map(|(dot, item)| Key::new(dot, item));
        assert!(keys.is_sorted());
        assert_eq!(keys.map(|key| (key.dot(), key.item())), cases);
        assert_eq!(Key::LAST.dot(), i32::MIN);
    }

    #[test]
    fn similarities_are_fractions_of_a_whole_row() {
        assert_eq!(similarity(32767 * 32767), 1.0);
        assert_eq!(similarity(0), 0.0);
        assert_eq!([similarity(128 * 128 * 65_536), similarity(i32::MIN)], [1.0, -1.0]);
        assert_eq!(similarity(-32767 * 16384), -0.500_015_26);
    }
}
