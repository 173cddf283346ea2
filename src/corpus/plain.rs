//! The contract's first two steps in plain loops, one item after the other, and what they are for:
//! whatever is prepared has their bits, or their error, on any number of threads.

use half::f16;

use super::crew::Crew;
use super::elements::Elements;
use super::input::Input;
use super::prepare::Preparation;
use super::prepared::Corpus;
use super::shape::{Shape, SLACK};
use super::zero_rows::ZeroRows;
use crate::error::{Error, Result};
use crate::memory::Pages;
use crate::progress::Progress;

/// All values in f64.
fn widened(elements: Elements) -> Vec<f64> {
    match elements {
        Elements::F32(values) => values.iter().map(|&value| value.into()).collect(),
        Elements::F16(values) => values.iter().map(|&value| value.into()).collect(),
        Elements::F64(values) => values.to_vec(),
    }
}

fn check_finite(values: &[f64], dim: usize) -> Result<()> {
    let Some(at) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let value = if values[at].is_nan() { "a NaN" } else { "an infinity" };
    Err(Error::NotFinite { item: (at / dim) as u32, dimension: (at % dim) as u32, value })
}

fn plain_mean(values: &[f64], dim: usize) -> Vec<f64> {
    let mut sums = vec![0.0; dim];
    for row in values.chunks(dim) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    let count = (values.len() / dim) as f64;
    sums.iter().map(|sum| sum / count).collect()
}

fn plain_norm(item: u32, row: &[f64], centered: bool) -> Result<f64> {
    let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
    if norm == 0.0 && row.iter().all(|value| *value == 0.0) {
        return Err(match centered {
            true => Error::ZeroNormCentered { item },
            false => Error::ZeroNorm { item },
        });
    }
    match norm.is_finite() && (norm * norm).is_normal() {
        true => Ok(norm),
        false => Err(Error::NormRange { item }),
    }
}

/// Prepares `elements`, less `mean` or their own.
fn plain(elements: Elements, shape: Shape, center: bool, mean: Option<&[f64]>) -> Result<Corpus> {
    let (mut values, dim) = (widened(elements), shape.dim as usize);
    check_finite(&values, dim)?;
    let own = center.then(|| plain_mean(&values, dim));
    let mean = own.or(mean.map(<[f64]>::to_vec));
    for row in values.chunks_mut(dim) {
        let mean = mean.iter().flatten();
        row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
    }
    let norms = (0..).zip(values.chunks(dim));
    let norms = norms.map(|(item, row)| plain_norm(item, row, mean.is_some()));
    let norms = norms.collect::<Result<Vec<f64>>>()?;
    let rounded = |value: f64| value.round();
    let quantized = values.chunks(dim).zip(&norms).flat_map(|(row, norm)| {
        row.iter().map(move |value| rounded(value / norm * 32767.0) as i16)
    });
    let mut rows = Pages::zeroed(shape.values() + SLACK, "the prepared rows")?;
    rows.get_mut().iter_mut().zip(quantized).for_each(|(row, value)| *row = value);
    let longest = norms.iter().copied().fold(0.0, f64::max);
    let weights = norms.iter().map(|norm| rounded(norm / longest * 32768.0) as u16).collect();
    Ok(Corpus { shape, rows, weights, mean, zero_rows: ZeroRows::Refuse })
}

/// What floats hide: the bits of the mean, in which 0 and -0 differ.
#[derive(Debug, Clone, PartialEq)]
struct Bits {
    rows: Vec<i16>,
    weights: Vec<u16>,
    mean: Option<Vec<u64>>,
}

fn bits(corpus: &Result<Corpus>) -> Result<Bits> {
    let Corpus { rows, weights, mean, .. } = corpus.as_ref().map_err(Clone::clone)?;
    let mean = mean.as_ref().map(|mean| mean.iter().map(|value| value.to_bits()).collect());
    Ok(Bits { rows: rows.get().to_vec(), weights: weights.clone(), mean })
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 ^ self.0 >> 33) >> 16
    }

    /// In -1..1.
    fn value(&mut self) -> f64 {
        (self.next() & 0xffff_ffff) as f64 / f64::from(1u32 << 31) - 1.0
    }
}

const THREADS: [usize; 5] = [1, 2, 3, 7, 16];

/// Compares the bits or errors on all numbers of threads; gives the plain result.
fn compare(elements: Elements, dim: u32, center: bool) -> Result<Corpus> {
    let num_items = (elements.len() / dim as usize) as u32;
    let input = Input { center, ..Input::new(elements, num_items, dim) };
    let wanted = plain(elements, input.shape(), center, None);
    let bits_wanted = bits(&wanted);
    for threads in THREADS {
        let progress = Progress::default();
        let crew = Crew::new(threads, &progress);
        let found = bits(&Corpus::prepare_by(&crew, &input));
        assert!(found == bits_wanted, "{threads} threads, {dim} dimensions, centred: {center}");
        let measured = Preparation::new(&crew, &input).map(|_| ());
        assert_eq!(measured, wanted.as_ref().map(|_| ()).map_err(Clone::clone));
    }
    wanted
}

/// The same of all three types of elements.
fn compare_types(values: &[f64], dim: u32, center: bool) {
    let single: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let half: Vec<f16> = values.iter().map(|&value| f16::from_f64(value)).collect();
    let all = [Elements::F64(values), Elements::F32(&single), Elements::F16(&half)];
    for elements in all {
        let _ = compare(elements, dim, center);
    }
}

#[test]
fn random_embeddings_have_the_bits_of_plain_loops() {
    let mut random = Random(7);
    // 500,000 values are worth five threads.
    for (num_items, dim) in [(1, 1), (9, 31), (17, 129), (1303, 384), (490, 1025), (40_001, 13)] {
        let values: Vec<f64> = (0..num_items * dim).map(|_| random.value()).collect();
        for center in [false, true] {
            compare_types(&values, dim as u32, center);
        }
    }
}

#[test]
fn extreme_embeddings_have_the_bits_of_plain_loops() {
    let mut random = Random(8);
    let powers = [-1074, -520, -511, -149, -126, -24, -14, 0, 1, 15, 127, 511];
    for round in 0..30 {
        let dim = [1, 4, 16, 40][round % 4];
        // Few powers of two at a time, so that not every round has a length out of range.
        let (some, first) = (round % 3 + 1, random.next() as usize);
        let values: Vec<f64> = (0..40 * dim)
            .map(|_| {
                let power = powers[(first + random.next() as usize % some) % powers.len()];
                let value = [1.0, -1.0, random.value(), 0.0][random.next() as usize % 4];
                value * 2.0_f64.powi(power / 2) * 2.0_f64.powi(power - power / 2)
            })
            .collect();
        for center in [false, true] {
            compare_types(&values, dim, center);
        }
    }
    // A sum that is too large for a float, of values that are not.
    let large = [f64::MAX, 1.0, f64::MAX, 2.0];
    let error = compare(Elements::F64(&large), 2, true).unwrap_err();
    assert_eq!(error, Error::NormRange { item: 0 });
}

#[test]
fn halves_in_both_directions_have_the_bits_of_plain_loops() {
    // The half of a row's length is 16383.5.
    for dim in [4, 128, 132] {
        let values: Vec<f64> = (0..24 * dim)
            .map(|at| match at % dim {
                within @ 0..4 => [1.0, -1.0][(within + at / dim) as usize % 2],
                _ => 0.0,
            })
            .collect();
        compare_types(&values, dim, false);
    }
}

/// 400 x 1,000 ones, which are worth four threads, and some others.
fn ones_but(others: &[(usize, f64)]) -> Vec<f64> {
    let mut values = vec![1.0; 400_000];
    for &(row, value) in others {
        let row = &mut values[row * 1000..][..1000];
        match value {
            0.0 => row.fill(0.0),
            _ => row[row.len() - 3] = value,
        }
    }
    values
}

#[test]
fn of_several_bad_items_the_first_that_a_loop_finds_is_named() {
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    let error = |others: &[_]| {
        let values = ones_but(others);
        compare_types(&values, 1000, false);
        compare_types(&values, 1000, true);
        compare(Elements::F64(&values), 1000, false).unwrap_err()
    };
    let not_finite = |item, value| Error::NotFinite { item, dimension: 997, value };
    assert_eq!(error(&[(3, 0.0), (390, 0.0)]), Error::ZeroNorm { item: 3 });
    assert_eq!(error(&[(3, 1e200), (2, 0.0)]), Error::ZeroNorm { item: 2 });
    assert_eq!(error(&[(3, 0.0), (2, 1e200)]), Error::NormRange { item: 2 });
    // Values that are not finite come before all lengths.
    let bad = [(1, 0.0), (2, 1e200), (399, nan), (250, -infinity), (251, nan)];
    assert_eq!(error(&bad), not_finite(250, "an infinity"));
    assert_eq!(error(&[(399, nan)]), not_finite(399, "a NaN"));
}

#[test]
fn queries_have_the_bits_of_plain_loops_less_the_mean_of_the_corpus() {
    let mut random = Random(9);
    let values: Vec<f64> = (0..600 * 700).map(|_| random.value()).collect();
    let elements = Elements::F64(&values);
    let (shape, progress) = (Shape::new(600, 700), Progress::default());
    for (center, threads) in [(false, 3), (true, 1), (true, 4)] {
        let crew = Crew::new(threads, &progress);
        let input = Input { center, ..Input::new(Elements::F64(&values[..7000]), 10, 700) };
        let corpus = Corpus::prepare_by(&crew, &input).unwrap();
        let found = corpus.prepare_queries_by(&crew, elements, shape);
        let wanted = plain(elements, shape, false, corpus.mean.as_deref());
        assert!(bits(&found) == bits(&wanted), "{threads} threads, centred: {center}");
    }
}

#[test]
fn a_cancelled_run_is_not_prepared() {
    let values = vec![1.0; 1_000_000];
    let input = Input::new(Elements::F64(&values), 1000, 1000);
    for center in [false, true] {
        let progress = Progress::default();
        progress.cancel();
        let prepared = Corpus::prepare_by(&Crew::new(3, &progress), &Input { center, ..input });
        assert_eq!(prepared, Err(Error::Cancelled));
    }
}

#[test]
fn rows_go_on_behind_their_end() {
    let values: Vec<f64> = (1..=6).map(f64::from).collect();
    let corpus = compare(Elements::F64(&values), 2, false).unwrap();
    assert_eq!(&corpus.rows_from(1)[..2], corpus.row(1));
    assert_eq!(corpus.rows_from(1).len(), 4 + 31);
    assert_eq!(corpus.rows_from(2)[2..], [0; 31]);
}
