//! The functions of the older interface for half floats.
//!
//! Into a half they round halves away from zero, and what is smaller than any normal half becomes a
//! zero: scripts compare their files of halves byte by byte. Back is exact.

use half::f16;

use super::boundary::{guard, guard_value, Group};
use crate::ffi::pointers::pointers;

/// Converts `count` floats to halves: rounded to the nearest, halves away from zero; below 2^-14 in
/// size a zero, beyond 65,504 an infinity, of a NaN 0x7c01, each with its sign. NULL does nothing.
///
/// # Safety
/// `floats` and `out_halves` must be NULL or valid for `count` values.
#[no_mangle]
pub unsafe extern "C" fn vkc_fp32_to_fp16(floats: *const f32, out_halves: *mut u16, count: u32) {
    if floats.is_null() || out_halves.is_null() || count == 0 {
        return;
    }
    guard(Group::Vkc, || {
        pointers!(floats; out = out_halves);
        let floats = floats.array(count.into())?;
        Ok(out.map(floats, count.into(), |&float| half_of(float))?)
    });
}

/// The float that a half stands for, exactly.
#[no_mangle]
pub extern "C" fn vkc_fp16_to_fp32(half: u16) -> f32 {
    guard_value(f32::NAN, || f16::from_bits(half).to_f32_const())
}

fn half_of(float: f32) -> u16 {
    let bits = float.to_bits();
    let (sign, size) = ((bits >> 16) as u16 & 0x8000, bits & 0x7fff_ffff);
    if float.is_nan() {
        return sign | 0x7c01;
    }
    // 2^-14.
    if size < 113 << 23 {
        return sign;
    }
    // A carry out of the fraction is one more in the exponent, which is right.
    let rounded = (size + 0x1000) >> 13;
    sign | (rounded - (112 << 10)).min(0x7c00) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_comes_back() {
        for half in 0..=u16::MAX {
            let (float, size) = (vkc_fp16_to_fp32(half), half & 0x7fff);
            let wanted = match size {
                // Subnormal halves are smaller than any normal one.
                ..0x400 => half & 0x8000,
                0x400..=0x7c00 => half,
                _ => half & 0x8000 | 0x7c01,
            };
            assert_eq!(half_of(float), wanted, "{half:#x}");
            let exact = match (size >> 10, size & 0x3ff) {
                (0, fraction) => f64::from(fraction) * 2.0_f64.powi(-24),
                (31, 0) => f64::INFINITY,
                (31, _) => f64::NAN,
                (exponent, fraction) => {
                    f64::from(1024 + fraction) * 2.0_f64.powi(i32::from(exponent) - 25)
                }
            };
            assert!(f64::from(float.abs()) == exact || float.is_nan() && exact.is_nan());
            assert_eq!(float.is_sign_negative(), half >= 0x8000, "{half:#x}");
        }
    }

    #[test]
    fn halves_between_two_round_away_from_zero() {
        for half in 0x400..0x7bff_u16 {
            let (low, high) = (vkc_fp16_to_fp32(half), vkc_fp16_to_fp32(half + 1));
            let middle = (low + high) / 2.0;
            assert_eq!([half_of(middle), half_of(middle.next_down())], [half + 1, half]);
            assert_eq!(half_of(-middle), 0x8000 | (half + 1));
        }
        assert_eq!([half_of(65_519.996), half_of(65_520.0)], [0x7bff, 0x7c00]);
        assert_eq!([half_of(f32::MAX), half_of(f32::NEG_INFINITY)], [0x7c00, 0xfc00]);
        let least = 2.0_f32.powi(-14);
        assert_eq!([half_of(least), half_of(least.next_down()), half_of(-0.0)], [0x400, 0, 0x8000]);
        assert_eq!([half_of(-least.next_down()), half_of(1e-45)], [0x8000, 0]);
        assert_eq!([half_of(f32::NAN), half_of(-f32::NAN)], [0x7c01, 0xfc01]);
    }

    #[test]
    fn pointers_that_are_null_do_nothing() {
        let mut halves = [7_u16; 2];
        let floats = [1.0_f32, -2.0];
        // SAFETY: NULL, or two values.
        unsafe {
            vkc_fp32_to_fp16(std::ptr::null(), halves.as_mut_ptr(), 2);
            vkc_fp32_to_fp16(floats.as_ptr(), std::ptr::null_mut(), 2);
            vkc_fp32_to_fp16(floats.as_ptr(), halves.as_mut_ptr(), 0);
        }
        assert_eq!(halves, [7, 7]);
        // SAFETY: two values each.
        unsafe { vkc_fp32_to_fp16(floats.as_ptr(), halves.as_mut_ptr(), 2) };
        assert_eq!(halves, [0x3c00, 0xc000]);
    }
}
