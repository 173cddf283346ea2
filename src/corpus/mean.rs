//! The mean embedding: the sum of each dimension in item order, over the number of items.
//!
//! Threads share the dimensions and not the items, so that no order of additions depends on them.

use super::crew::Crew;
use super::input::Input;
use super::rows::{Rows, WIDTH};
use super::zero_rows::ZeroRows;
use crate::error::Result;
use crate::memory::zeroed;

/// Dimensions of one thread are a multiple of so many. Rows of fewer belong to one thread: what
/// reads a part of each takes as long as what reads them from one end to the other.
const STRIP: usize = 1024;

/// The mean of all rows. An error where a value is not finite.
pub(super) fn mean(input: &Input, crew: &Crew) -> Result<Vec<f64>> {
    let (values, dim) = (input.shape().values(), input.dim as usize);
    let rows = Rows { elements: input.elements, dim, mean: None, zero_rows: ZeroRows::Admit };
    let mut sums = zeroed::<f64>(dim, "the mean embedding")?;
    let width = dim.div_ceil(crew.num_threads(values)).next_multiple_of(STRIP);
    let strips = (0..).step_by(width).zip(sums.chunks_mut(width));
    crew.share(values, strips, |(first, sums)| add_up(&rows, input.num_items, first, sums, crew))?;
    // What is not finite stays that in a sum; so may be what is too large.
    if sums.iter().any(|sum| !sum.is_finite()) {
        check_finite(&rows, input.num_items, crew)?;
    }
    sums.iter_mut().for_each(|sum| *sum /= f64::from(input.num_items));
    Ok(sums)
}

/// Adds up dimensions from `first` on, of all items.
fn add_up(rows: &Rows, num_items: u32, first: usize, sums: &mut [f64], crew: &Crew) -> Result<()> {
    let mut wide = [0.0; WIDTH];
    for item in 0..num_items as usize {
        crew.check()?;
        for (first, sums) in (first..).step_by(WIDTH).zip(sums.chunks_mut(WIDTH)) {
            let wide = &mut wide[..sums.len()];
            rows.load(item, first, wide);
            sums.iter_mut().zip(wide).for_each(|(sum, value)| *sum += *value);
        }
    }
    Ok(())
}

/// Refuses the first value that is not finite.
pub(super) fn check_finite(rows: &Rows, num_items: u32, crew: &Crew) -> Result<()> {
    for item in 0..num_items as usize {
        crew.check()?;
        rows.not_finite(item).map_or(Ok(()), Err)?;
    }
    Ok(())
}
