//! The caller's embeddings as they lie in memory: f32, f16 or f64, row after row.
//!
//! One place widens them to f64; nothing is copied before that.

use half::f16;
use half::slice::HalfFloatSliceExt;

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
        self.widen(item * row.len(), row);
    }

    /// Writes the values from the one with index `first` on, widened to f64, to all of `to`.
    pub(super) fn widen(&self, first: usize, to: &mut [f64]) {
        let range = first..first + to.len();
        match self {
            Elements::F32(values) => widen_f32(&values[range], to),
            Elements::F16(values) => widen_f16(&values[range], to),
            Elements::F64(values) => to.copy_from_slice(&values[range]),
        }
    }
}

fn widen_f32(from: &[f32], to: &mut [f64]) {
    for (wide, &narrow) in to.iter_mut().zip(from) {
        *wide = narrow.into();
    }
}

/// By way of f32, which holds every f16: processors convert slices of these at once.
fn widen_f16(from: &[f16], to: &mut [f64]) {
    const WIDTH: usize = 128;
    let mut single = [0.0_f32; WIDTH];
    for (from, to) in from.chunks(WIDTH).zip(to.chunks_mut(WIDTH)) {
        let single = &mut single[..from.len()];
        from.convert_to_f32_slice(single);
        widen_f32(single, to);
    }
}
