//! The step from floats to integers: `q = round(x / norm * 32767)`, halves away from zero.
//!
//! f64::round is a call of a function, and a division takes several multiplications' time. Both
//! are spared where `x * (32767 / norm)` is not near a half: it is so near to what the contract
//! says that both round to the same integer.

use super::rows::{Rows, WIDTH};

/// A unit row has a length of so much.
const ONE: f64 = 32767.0;

/// How far from a half a product must be. It and the contract's are rounded twice each, by 2^-53 of
/// at most 32768, so they differ by less than 2e-11.
const NEAR_HALF: f64 = 0.5 - 1e-9;

/// 1.5 * 2^52: floats of this size are the integers, so what is added to it becomes one, and the
/// low bits of the sum are that integer's.
const INTEGERS: f64 = 6_755_399_441_055_744.0;

/// Writes the integers of row `item`, which is `norm` long.
pub(super) fn quantize_row(rows: &Rows, item: usize, norm: f64, to: &mut [i16]) {
    let mut wide = [0.0; WIDTH];
    for (first, to) in (0..).step_by(WIDTH).zip(to.chunks_mut(WIDTH)) {
        let wide = &mut wide[..to.len()];
        rows.load(item, first, wide);
        quantize(wide, norm, to);
    }
}

/// Writes the integers of values of a row that is `norm` long. A row without a length has zeros.
pub(super) fn quantize(values: &[f64], norm: f64, to: &mut [i16]) {
    if norm == 0.0 {
        return to.fill(0);
    }
    if near_halves(values, ONE / norm, to) {
        for (quantized, value) in to.iter_mut().zip(values) {
            *quantized = (value / norm * ONE).round() as i16;
        }
    }
}

/// Writes `value * scale`, rounded, for all values. Tells whether any product was near a half, so
/// that its integer may be a wrong one.
fn near_halves(values: &[f64], scale: f64, to: &mut [i16]) -> bool {
    let mut any = 0;
    for (quantized, value) in to.iter_mut().zip(values) {
        let product = value * scale;
        let sum = product + INTEGERS;
        let distance = (product - (sum - INTEGERS)).abs();
        any |= u64::from(distance > NEAR_HALF);
        *quantized = sum.to_bits() as i16;
    }
    any != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values times 32767 over `norm`, by both ways.
    fn compare(values: &[f64], norm: f64) {
        let mut quantized = vec![0; values.len()];
        // One at a time: another one's half must not help.
        for (quantized, value) in quantized.chunks_mut(1).zip(values.chunks(1)) {
            quantize(value, norm, quantized);
        }
        for (quantized, value) in quantized.iter().zip(values) {
            let plain = (value / norm * 32767.0).round() as i16;
            assert_eq!(*quantized, plain, "{value:e} of {norm:e}");
        }
    }

    /// A value and those next to it, on both sides of zero.
    fn around(value: f64) -> Vec<f64> {
        let (mut below, mut above, mut all) = (value, value, vec![value]);
        for _ in 0..4 {
            (below, above) = (below.next_down(), above.next_up());
            all.extend([below, above]);
        }
        all.extend([value * (1.0 - 3e-14), value * (1.0 + 3e-14)]);
        let negative: Vec<f64> = all.iter().map(|value| -value).collect();
        [all, negative].concat()
    }

    #[test]
    fn halves_and_their_neighbours_round_as_the_contract_says() {
        for norm in [1.0, 32767.0, 0.7, 3.3e150, 1.7e-150, 1.0 / 3.0, 65534.0, 1234.5678] {
            for half in 0..2 * 32767_u32 {
                let value = f64::from(half) * 0.5 / 32767.0 * norm;
                let within = |value: &f64| value.abs() <= norm;
                compare(&around(value).into_iter().filter(within).collect::<Vec<_>>(), norm);
            }
        }
    }

    #[test]
    fn the_smallest_values_become_zero_and_the_largest_one() {
        for norm in [1.0, 1.5e-154, 1.3e154] {
            let tiny = [0.0, -0.0, f64::MIN_POSITIVE, 5e-324, -5e-324];
            compare(&tiny.map(|value| value.min(norm)), norm);
            let one = [norm, norm.next_down(), norm.next_up(), -norm, -norm.next_up()];
            compare(&one, norm);
        }
    }
}
