//! The length of every row, and with it its integers, on all threads in one pass.
//!
//! The squares of a row are added in the order of its dimensions, as the contract says, so one
//! addition has to wait for the last: several rows are added up at once. A length also tells
//! whether anything is wrong with its row, which is looked at again only then. The error is the one
//! that a loop over the items finds, which first looks for values that are not finite and then at
//! the lengths.

use std::sync::Mutex;

use super::crew::Crew;
use super::quantize::{quantize, quantize_row};
use super::rows::{Rows, WIDTH};
use super::zero_rows::ZeroRows;
use crate::error::{Error, Result};
use crate::threads::{lock, unlocked};

/// Rows that are added up at once.
const ROWS: usize = 4;

/// Values of the rows that a thread takes at a time: some 0.1 ms.
const BLOCK: usize = 1 << 16;

/// Some values of some rows, or all of short ones.
type Tile = [[f64; WIDTH]; ROWS];

/// Writes the lengths of all rows to `norms` and their integers to `quantized`, which may be empty:
/// then only the lengths are wanted.
pub(super) fn measure(
    rows: &Rows,
    norms: &mut [f64],
    quantized: &mut [i16],
    crew: &Crew,
) -> Result<()> {
    let items = (BLOCK / rows.dim).max(1).next_multiple_of(ROWS);
    let values = norms.len() as u64 * rows.dim as u64;
    let quantized = quantized.chunks_mut(items * rows.dim);
    let quantized = quantized.chain(std::iter::repeat_with(Default::default));
    let blocks = (0..).step_by(items).zip(norms.chunks_mut(items).zip(quantized));
    let faults = Mutex::new(Faults::default());
    let done = crew.share(values, blocks, |(first, (norms, quantized))| {
        measure_block(rows, first, norms, quantized, &faults)
    });
    unlocked(faults).into_result(done)
}

/// The same for the rows from `first` on. An error where no row behind these can matter.
fn measure_block(
    rows: &Rows,
    first: usize,
    norms: &mut [f64],
    quantized: &mut [i16],
    faults: &Mutex<Faults>,
) -> Result<()> {
    let mut tile = [[0.0; WIDTH]; ROWS];
    let quantized = quantized.chunks_mut(ROWS * rows.dim);
    let quantized = quantized.chain(std::iter::repeat_with(Default::default));
    let parts = norms.chunks_mut(ROWS).zip(quantized);
    for (first, (norms, quantized)) in (first..).step_by(ROWS).zip(parts) {
        add_squares(rows, first, norms, &mut tile);
        for (item, norm) in (first..).zip(norms.iter_mut()) {
            *norm = norm.sqrt();
            if let Some(fault) = Fault::of(rows, item, *norm) {
                lock(faults).add(item, fault)?;
            }
        }
        let quantized = quantized.chunks_mut(rows.dim).zip(norms.iter());
        for (at, (quantized, norm)) in quantized.enumerate() {
            match tile[at].get(..rows.dim) {
                Some(row) => quantize(row, *norm, quantized),
                None => quantize_row(rows, first + at, *norm, quantized),
            }
        }
    }
    Ok(())
}

/// Writes the sums of the squares of at most `ROWS` rows, from `first` on.
fn add_squares(rows: &Rows, first: usize, to: &mut [f64], tile: &mut Tile) {
    let mut sums = [0.0; ROWS];
    for dimension in (0..rows.dim).step_by(WIDTH) {
        let width = WIDTH.min(rows.dim - dimension);
        for (item, values) in (first..).zip(&mut tile[..to.len()]) {
            rows.load(item, dimension, &mut values[..width]);
        }
        // Where there are fewer rows, some sums mean nothing.
        add_tile(tile, width, &mut sums);
    }
    to.copy_from_slice(&sums[..to.len()]);
}

fn add_tile(tile: &Tile, width: usize, sums: &mut [f64; ROWS]) {
    for at in 0..width.min(WIDTH) {
        for (sum, values) in sums.iter_mut().zip(tile) {
            *sum += values[at] * values[at];
        }
    }
}

/// What is wrong with a row.
#[derive(Debug)]
enum Fault {
    /// One of its values is not finite.
    Value(Error),
    /// Its length is 0, or beyond what can be worked with.
    Norm(Error),
}

impl Fault {
    fn of(rows: &Rows, item: usize, norm: f64) -> Option<Fault> {
        // A subnormal length has lost its digits: x / norm could leave -1..1 and wrap an i16.
        if norm.is_finite() && (norm * norm).is_normal() {
            return None;
        }
        if let Some(error) = rows.not_finite(item) {
            return Some(Fault::Value(error));
        }
        let is_zero = norm == 0.0 && rows.find(item, |value| value != 0.0).is_none();
        if is_zero && rows.zero_rows == ZeroRows::Admit {
            return None;
        }
        let item = item as u32;
        Some(Fault::Norm(match rows.mean {
            _ if !is_zero => Error::NormRange { item },
            Some(_) => Error::ZeroNormCentered { item },
            None => Error::ZeroNorm { item },
        }))
    }
}

/// The first faults of each kind, with their items.
#[derive(Debug, Default)]
struct Faults {
    value: Option<(usize, Error)>,
    norm: Option<(usize, Error)>,
}

impl Faults {
    /// An error where the rest of the rows need not be looked at.
    fn add(&mut self, item: usize, fault: Fault) -> Result<()> {
        let (first, error, outcome) = match fault {
            Fault::Value(error) => (&mut self.value, error.clone(), Err(error)),
            Fault::Norm(error) => (&mut self.norm, error, Ok(())),
        };
        if first.as_ref().is_none_or(|(first, _)| item < *first) {
            *first = Some((item, error));
        }
        outcome
    }

    /// `done` is what the threads say, whose order is anyone's guess.
    fn into_result(self, done: Result<()>) -> Result<()> {
        let error = |fault: Option<(usize, Error)>| fault.map_or(Ok(()), |(_, error)| Err(error));
        error(self.value).and(done).and(error(self.norm))
    }
}
