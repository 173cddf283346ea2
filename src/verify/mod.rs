//! Checks results against the embeddings they came from, in f64 and without any of the integers.
//!
//! `regrets` says how far each pick is from the best one, `coverage` how well the picks cover the
//! corpus. Both take the embeddings from `rows`, which widens them row by row, each time anew:
//! beside them a check holds some numbers for each item, some rows of scratch and a sequence, and
//! it is refused where there is no memory for those.

mod coverage;
mod regrets;
mod rows;

pub use coverage::{coverage, Coverage, CoverageSample};
pub use regrets::{verify, Report, Sample};

/// `wanted` numbers below `count`, evenly spread, the last one among them.
fn spread(count: u32, wanted: u32) -> impl Iterator<Item = u32> {
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
