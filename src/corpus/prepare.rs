//! Preparation: the checks of the input and the step from floats to integers.
//!
//! All in f64 and in item order, row by row with one row of scratch, so that the result does not
//! depend on threads or vector width. `Preparation` is what is known after a look at all rows; it
//! makes any row of integers, for those who need not hold them all.

use super::elements::Elements;
use super::input::Input;
use super::prepared::Corpus;
use super::shape::Shape;
use crate::error::{Error, Result};
use crate::memory::{collected, copied, zeroed, zeroed_of, Bytes};

impl Corpus {
    /// Checks `input` and prepares it; where it asks for that, the mean embedding is subtracted
    /// first.
    ///
    /// Errors name the offending item (0-based), and for NaN and infinity the dimension.
    pub fn prepare(input: &Input) -> Result<Corpus> {
        Preparation::new(input)?.into_corpus()
    }

    /// Prepares queries for this corpus: rows of the same dimensions, less the corpus's mean if it
    /// was centred.
    pub fn prepare_queries(&self, elements: Elements, shape: Shape) -> Result<Corpus> {
        let Shape { num_items, dim } = shape;
        if dim != self.dim() {
            return Err(Error::QueryDim { dim, corpus_dim: self.dim() });
        }
        let queries = Input { elements, num_items, dim, center: false };
        let mean = self.mean.as_deref();
        let mean = mean.map(|mean| copied(mean, "the mean embedding")).transpose()?;
        let checked = |scratch: &mut [f64]| check_and_sum(&queries, scratch).map(|_| mean);
        Preparation::less(&queries, checked)?.into_corpus()
    }
}

/// Embeddings that were looked at: how long each is, and what is subtracted.
pub(crate) struct Preparation<'a> {
    input: Input<'a>,
    mean: Option<Vec<f64>>,
    norms: Vec<f64>,
    longest: f64,
    /// A row in f64.
    scratch: Vec<f64>,
}

impl<'a> Preparation<'a> {
    /// Checks `input`, and takes its mean where it asks for that.
    pub(crate) fn new(input: &Input<'a>) -> Result<Preparation<'a>> {
        Preparation::less(input, |scratch| check_and_sum(input, scratch))
    }

    /// The most bytes that one holds, and a row.
    pub(crate) fn bytes(shape: Shape) -> Bytes {
        let rows_of_scratch = Bytes::of::<f64>(shape.dim.into()) * 2;
        Bytes::of::<f64>(shape.num_items.into()) + rows_of_scratch
    }

    /// `mean` checks the input, by way of a row of scratch, and gives what is to be subtracted.
    fn less(
        input: &Input<'a>,
        mean: impl FnOnce(&mut [f64]) -> Result<Option<Vec<f64>>>,
    ) -> Result<Preparation<'a>> {
        input.check()?;
        let mut scratch = zeroed::<f64>(input.dim as usize, "one row of embeddings")?;
        let mean = mean(&mut scratch)?;
        let norms = measure(input, mean.as_deref(), &mut scratch)?;
        let longest = norms.iter().copied().fold(0.0, f64::max);
        Ok(Preparation { input: *input, mean, norms, longest, scratch })
    }

    /// Writes the integers of row `item` to `row`.
    pub(crate) fn row(&mut self, item: u32, row: &mut [i16]) {
        let Preparation { input, mean, scratch, .. } = self;
        load_row(input.elements, item as usize, mean.as_deref(), scratch);
        let norm = self.norms[item as usize];
        for (quantised, value) in row.iter_mut().zip(&self.scratch) {
            // f64::round takes halves away from zero, as the contract asks.
            *quantised = (value / norm * 32767.0).round() as i16;
        }
    }

    /// The weights of all rows.
    pub(crate) fn weights(&self) -> impl ExactSizeIterator<Item = u16> + '_ {
        self.norms.iter().map(|norm| (norm / self.longest * 32768.0).round() as u16)
    }

    fn into_corpus(mut self) -> Result<Corpus> {
        let shape = self.input.shape();
        let mut rows = zeroed_of::<i16>(shape.values() + 31, "the prepared rows")?;
        for (item, row) in (0..shape.num_items).zip(rows.chunks_exact_mut(shape.dim as usize)) {
            self.row(item, row);
        }
        let weights = collected(self.weights(), "the weights of the rows")?;
        Ok(Corpus { shape, rows, weights, mean: self.mean })
    }
}

/// Finds values that are not finite; returns the mean embedding when centring is asked for.
fn check_and_sum(input: &Input, scratch: &mut [f64]) -> Result<Option<Vec<f64>>> {
    let mut sum = zeroed::<f64>(scratch.len(), "the mean embedding")?;
    for item in 0..input.num_items {
        input.elements.widen_row(item as usize, scratch);
        if let Some(dimension) = scratch.iter().position(|value| !value.is_finite()) {
            let value = if scratch[dimension].is_nan() { "a NaN" } else { "an infinity" };
            return Err(Error::NotFinite { item, dimension: dimension as u32, value });
        }
        if input.center {
            sum.iter_mut().zip(scratch.iter()).for_each(|(total, value)| *total += value);
        }
    }
    sum.iter_mut().for_each(|total| *total /= f64::from(input.num_items));
    Ok(input.center.then_some(sum))
}

fn load_row(elements: Elements, item: usize, mean: Option<&[f64]>, row: &mut [f64]) {
    elements.widen_row(item, row);
    if let Some(mean) = mean {
        row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
    }
}

/// The Euclidean length of every row.
fn measure(input: &Input, mean: Option<&[f64]>, scratch: &mut [f64]) -> Result<Vec<f64>> {
    let mut norms = zeroed::<f64>(input.num_items as usize, "the row lengths")?;
    for (item, norm) in norms.iter_mut().enumerate() {
        load_row(input.elements, item, mean, scratch);
        *norm = scratch.iter().map(|value| value * value).sum::<f64>().sqrt();
        let item = item as u32;
        if *norm == 0.0 && scratch.iter().all(|value| *value == 0.0) {
            return Err(match mean {
                Some(_) => Error::ZeroNormCentered { item },
                None => Error::ZeroNorm { item },
            });
        }
        // A subnormal length has lost its digits: x / norm could leave -1..1 and wrap an i16.
        if !norm.is_finite() || !(*norm * *norm).is_normal() {
            return Err(Error::NormRange { item });
        }
    }
    Ok(norms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepare(values: &[f32], dim: u32, center: bool) -> Result<Corpus> {
        let (elements, num_items) = (Elements::F32(values), values.len() as u32 / dim);
        Corpus::prepare(&Input { elements, num_items, dim, center })
    }

    #[test]
    fn rows_are_unit_length_in_q15_and_weights_follow_the_norms() {
        let corpus = prepare(&[3.0, 4.0, 0.0, -1.0], 2, false).unwrap();
        assert_eq!(corpus.row(0), [19660, 26214]);
        assert_eq!(corpus.row(1), [0, -32767]);
        assert_eq!(corpus.weights(), [32768, 6554]);
    }

    #[test]
    fn halves_round_away_from_zero() {
        // 0.6 * 32767 = 19660.2 and 0.8 * 32767 = 26213.6: signs mirror exactly.
        let corpus = prepare(&[0.6, 0.8, -0.6, -0.8], 2, false).unwrap();
        let mirrored: Vec<i16> = corpus.row(0).iter().map(|q| -q).collect();
        assert_eq!(corpus.row(1), mirrored);
    }

    #[test]
    fn centring_subtracts_the_mean() {
        let corpus = prepare(&[1.0, 5.0, 3.0, 5.0], 2, true).unwrap();
        assert_eq!(corpus.row(0), [-32767, 0]);
        assert_eq!(corpus.row(1), [32767, 0]);
    }

    #[test]
    fn bad_values_name_item_and_dimension() {
        let nan = prepare(&[1.0, 2.0, 3.0, f32::NAN], 2, false).unwrap_err();
        assert_eq!(nan, Error::NotFinite { item: 1, dimension: 1, value: "a NaN" });
        let infinite = prepare(&[f32::NEG_INFINITY, 2.0], 2, true).unwrap_err();
        assert_eq!(infinite, Error::NotFinite { item: 0, dimension: 0, value: "an infinity" });
        assert_eq!(prepare(&[1.0, 0.0], 1, false).unwrap_err(), Error::ZeroNorm { item: 1 });
        let same = prepare(&[2.0, 2.0], 1, true).unwrap_err();
        assert_eq!(same, Error::ZeroNormCentered { item: 0 });
    }

    #[test]
    fn lengths_beyond_f64_are_an_error() {
        let pair = |values: &[f64]| {
            let elements = Elements::F64(values);
            Corpus::prepare(&Input { elements, num_items: 1, dim: 2, center: false })
        };
        let huge = pair(&[1e300, 1e300]);
        assert_eq!(huge.unwrap_err(), Error::NormRange { item: 0 });
        let tiny = pair(&[1e-200, 1e-200]);
        assert_eq!(tiny.unwrap_err(), Error::NormRange { item: 0 });
    }
}
