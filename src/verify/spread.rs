//! Samples that are spread evenly.

/// `wanted` numbers below `count`, evenly spread, the last one among them.
pub(super) fn spread(count: u32, wanted: u32) -> impl Iterator<Item = u32> {
    let wanted = wanted.min(count);
    (1..=u64::from(wanted)).map(move |at| (at * u64::from(count) / u64::from(wanted)) as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_and_hold_the_last() {
        assert_eq!(spread(10, 3).collect::<Vec<_>>(), [2, 5, 9]);
        assert_eq!(spread(2, 9).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(spread(0, 9).count(), 0);
    }
}
