//! The caller's embeddings as they lie in memory: f32, f16 or f64, row after row.
//!
//! One place widens them to f64; nothing is copied before that.

use half::f16;

/// N x D embedding values, row-major, in the element type they came in.
#[derive(Debug, Clone, Copy)]
pub enum Elements<'a> {
    /// IEEE 754 binary32.
    F32(&'a [f32]),
    /// IEEE 754 binary16.
    F16(&'a [f16]),
    /// IEEE 754 binary64.
    F64(&'a [f64]),
}

impl Elements<'_> {
    /// How many values there are (N x D).
    pub fn len(&self) -> usize {
        match self {
            Elements::F32(values) => values.len(),
            Elements::F16(values) => values.len(),
            Elements::F64(values) => values.len(),
        }
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the `row.len()` values of row `item`, widened to f64, to `row`.
    pub(crate) fn widen_row(&self, item: usize, row: &mut [f64]) {
        let first = item * row.len();
        let range = first..first + row.len();
        match self {
            Elements::F32(values) => widen(&values[range], row, f64::from),
            Elements::F16(values) => widen(&values[range], row, f64::from),
            Elements::F64(values) => row.copy_from_slice(&values[range]),
        }
    }
}

fn widen<T: Copy>(from: &[T], to: &mut [f64], convert: impl Fn(T) -> f64) {
    for (wide, &narrow) in to.iter_mut().zip(from) {
        *wide = convert(narrow);
    }
}
