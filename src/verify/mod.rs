//! Checks results against the embeddings they came from, in f64 and without any of the integers.
//!
//! `regrets` says how far each pick is from the best one, `coverage` how well the picks cover the
//! corpus. Both take the embeddings from `rows`, which widens them row by row, each time anew:
//! beside them a check holds some numbers for each item, some rows of scratch and a sequence, and
//! it is refused where there is no memory for those. `spread` chooses a sample.

mod coverage;
mod regrets;
mod rows;
mod spread;

pub use coverage::{coverage, Coverage, CoverageSample};
pub use regrets::{verify, Report, Sample};
