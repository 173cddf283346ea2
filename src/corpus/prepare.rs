//! Preparation: the checks of the input and the step from floats to integers.
//!
//! All in f64 and in the orders of the contract, so that the result depends neither on the number
//! of threads nor on the width of vectors. `Preparation` is what is known after a look at all rows;
//! it makes any row of integers, for those who need not hold them all. Who holds them has them made
//! in the same pass over the embeddings. Beside its result a preparation takes a number for each
//! item and the mean.

use super::crew::Crew;
use super::elements::Elements;
use super::input::Input;
use super::mean::{check_finite, mean};
use super::measure::measure;
use super::prepared::Corpus;
use super::quantize::quantize_row;
use super::rows::Rows;
use super::shape::{Shape, SLACK};
use crate::error::{Error, Result};
use crate::memory::{collected, copied, zeroed, Bytes, Pages};
use crate::progress::Progress;
use crate::threads;

/// Rows that a thread takes at once.
const ROWS_AT_ONCE: usize = 16;

impl Corpus {
    /// Checks `input` and prepares it, on as many threads as `VKD_THREADS` says or the machine has;
    /// where it asks for that, the mean embedding is subtracted first.
    ///
    /// Errors name the offending item (0-based), and for NaN and infinity the dimension.
    pub fn prepare(input: &Input) -> Result<Corpus> {
        Corpus::prepare_by(&Crew::new(threads::count(None)?, &Progress::default()), input)
    }

    /// The same by a certain crew.
    pub(crate) fn prepare_by(crew: &Crew, input: &Input) -> Result<Corpus> {
        prepare(input, mean_of(input, crew)?, crew)
    }

    /// Prepares queries for this corpus: rows of the same dimensions, less the corpus's mean if it
    /// was centred, and rows of zeros as among its own.
    pub fn prepare_queries(&self, elements: Elements, shape: Shape) -> Result<Corpus> {
        let progress = Progress::default();
        self.prepare_queries_by(&Crew::new(threads::count(None)?, &progress), elements, shape)
    }

    /// The same by a certain crew.
    pub(crate) fn prepare_queries_by(
        &self,
        crew: &Crew,
        elements: Elements,
        shape: Shape,
    ) -> Result<Corpus> {
        let Shape { num_items, dim } = shape;
        if dim != self.dim() {
            return Err(Error::QueryDim { dim, corpus_dim: self.dim() });
        }
        let zero_rows = self.zero_rows;
        let queries = Input { zero_rows, ..Input::new(elements, num_items, dim) };
        queries.check()?;
        let mean = self.mean.as_deref();
        let mean = mean.map(|mean| copied(mean, "the mean embedding")).transpose()?;
        prepare(&queries, mean, crew)
    }
}

/// Embeddings that were looked at: how long each is, and what is subtracted.
pub(crate) struct Preparation<'a> {
    input: Input<'a>,
    mean: Option<Vec<f64>>,
    norms: Vec<f64>,
    longest: f64,
}

impl<'a> Preparation<'a> {
    /// Checks `input`, and takes its mean where it asks for that.
    pub(crate) fn new(crew: &Crew, input: &Input<'a>) -> Result<Preparation<'a>> {
        let mean = mean_of(input, crew)?;
        Preparation::less(input, mean, &mut [], crew)
    }

    /// The most bytes that one holds, and a row.
    pub(crate) fn bytes(shape: Shape) -> Bytes {
        let mean_and_row = Bytes::of::<f64>(shape.dim.into()) * 2;
        Bytes::of::<f64>(shape.num_items.into()) + mean_and_row
    }

    /// Measures the rows of `input`, less `mean`, and writes their integers to `quantized` unless
    /// that is empty.
    fn less(
        input: &Input<'a>,
        mean: Option<Vec<f64>>,
        quantized: &mut [i16],
        crew: &Crew,
    ) -> Result<Preparation<'a>> {
        let rows = rows(input, &mean);
        let norms = zeroed::<f64>(input.num_items as usize, "the row lengths");
        // Where there is no memory, what is wrong with the values is said first.
        let mut norms = norms
            .or_else(|refused| check_finite(&rows, input.num_items, crew).and(Err(refused)))?;
        measure(&rows, &mut norms, quantized, crew)?;
        let longest = norms.iter().copied().fold(0.0, f64::max);
        Ok(Preparation { input: *input, mean, norms, longest })
    }

    /// Writes the integers of the rows from `first` on to `to`, which has room for some.
    pub(crate) fn rows(&self, crew: &Crew, first: u32, to: &mut [i16]) -> Result<()> {
        let (rows, dim) = (rows(&self.input, &self.mean), self.input.dim as usize);
        let values = to.len() as u64;
        let pieces =
            to.chunks_mut(dim * ROWS_AT_ONCE).zip((first as usize..).step_by(ROWS_AT_ONCE));
        crew.share(values, pieces, |(piece, begin)| {
            for (row, item) in piece.chunks_mut(dim).zip(begin..) {
                quantize_row(&rows, item, self.norms[item], row);
            }
            Ok(())
        })
    }

    /// The weights of all rows.
    pub(crate) fn weights(&self) -> impl ExactSizeIterator<Item = u16> + '_ {
        // Where all rows are zeros none has a weight. A length that counts is far above this one.
        let longest = self.longest.max(f64::MIN_POSITIVE);
        // f64::round takes halves away from zero, as the contract asks.
        self.norms.iter().map(move |norm| (norm / longest * 32768.0).round() as u16)
    }
}

fn rows<'a>(input: &Input<'a>, mean: &'a Option<Vec<f64>>) -> Rows<'a> {
    let Input { elements, zero_rows, .. } = *input;
    Rows { elements, dim: input.dim as usize, mean: mean.as_deref(), zero_rows }
}

/// Checks the shape of `input`, and takes its mean where it asks for that.
fn mean_of(input: &Input, crew: &Crew) -> Result<Option<Vec<f64>>> {
    input.check()?;
    input.center.then(|| mean(input, crew)).transpose()
}

/// Prepares `input`, whose shape is checked, less `mean`.
fn prepare(input: &Input, mean: Option<Vec<f64>>, crew: &Crew) -> Result<Corpus> {
    let shape = input.shape();
    let mut rows = Pages::zeroed(shape.values() + SLACK, "the prepared rows");
    // Where there is no memory for the rows, what is wrong with the embeddings is said first.
    let quantized =
        rows.as_mut().map_or(&mut [][..], |rows| &mut rows.get_mut()[..shape.values() as usize]);
    let preparation = Preparation::less(input, mean, quantized, crew)?;
    let (rows, weights) = (rows?, collected(preparation.weights(), "the weights of the rows")?);
    let (mean, zero_rows) = (preparation.mean, input.zero_rows);
    Ok(Corpus { shape, rows, weights, mean, zero_rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::ZeroRows;

    fn prepare(values: &[f32], dim: u32, center: bool) -> Result<Corpus> {
        let (elements, num_items) = (Elements::F32(values), values.len() as u32 / dim);
        Corpus::prepare(&Input { center, ..Input::new(elements, num_items, dim) })
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
    fn rows_of_zeros_are_orthogonal_to_all_where_they_are_admitted() {
        let admitted = |values: &[f32], center| {
            let progress = Progress::default();
            let elements = Elements::F32(values);
            let num_items = values.len() as u32 / 2;
            let plain = Input::new(elements, num_items, 2);
            let input = Input { center, zero_rows: ZeroRows::Admit, ..plain };
            Corpus::prepare_by(&Crew::new(1, &progress), &input)
        };
        let corpus = admitted(&[0.0, -0.0, 3.0, 4.0, 0.0, 0.0], false).unwrap();
        assert_eq!([corpus.row(0), corpus.row(2)], [[0, 0], [0, 0]]);
        assert_eq!(corpus.row(1), [19660, 26214]);
        assert_eq!(corpus.weights(), [0, 32768, 0]);
        let none = admitted(&[0.0; 4], false).unwrap();
        assert_eq!(none.weights(), [0, 0]);
        assert_eq!(admitted(&[2.0, 1.0, 2.0, 1.0], true).unwrap().row(1), [0, 0]);
        // So are queries.
        let queries = corpus.prepare_queries(Elements::F32(&[0.0; 2]), Shape::new(1, 2)).unwrap();
        assert_eq!((queries.row(0), queries.weights()), (&[0, 0][..], &[0][..]));
        let nan = admitted(&[0.0, 0.0, f32::NAN, 0.0], false).unwrap_err();
        assert_eq!(nan, Error::NotFinite { item: 1, dimension: 0, value: "a NaN" });
    }

    #[test]
    fn lengths_beyond_f64_are_an_error() {
        let pair = |values: &[f64]| {
            let elements = Elements::F64(values);
            Corpus::prepare(&Input::new(elements, 1, 2))
        };
        let huge = pair(&[1e300, 1e300]);
        assert_eq!(huge.unwrap_err(), Error::NormRange { item: 0 });
        let tiny = pair(&[1e-200, 1e-200]);
        assert_eq!(tiny.unwrap_err(), Error::NormRange { item: 0 });
    }
}
