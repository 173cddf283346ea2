//! Numbers of texts as f32, each rounded as `str::parse` rounds it.
//!
//! Up to 19 digits are an integer, which times a power of ten gives an f64 that is wrong by 3 units
//! in its last place at the most. Where no boundary between two f32 is that near, rounding it once
//! more gives the right f32. Else, and for the largest and smallest numbers, `str::parse` is asked.

/// The exponents of the table run from minus this.
const LEAST: i64 = 32;

/// Powers of ten, each the nearest f64.
const POWERS: [f64; 55] = [
    1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20,
    1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6,
    1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// How many digits fit a u64 whatever they are.
const DIGITS: usize = 19;

/// Bits of an f64 that an f32 has no room for.
const LOW_BITS: u64 = (1 << 29) - 1;
/// These bits half way between two f32.
const HALF_WAY: u64 = 1 << 28;
/// Units in the last place of an f64: more than the product is wrong by.
const NEAR: u64 = 8;

/// Products in between have all the bits of a normal f32, wrong as they may be.
const SMALLEST: f64 = 2.0 * f32::MIN_POSITIVE as f64;
const LARGEST: f64 = 0.5 * f32::MAX as f64;

/// A number of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub(super) value: f32,
    /// Where it ends.
    pub(super) end: usize,
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoNumber {
    /// Something else is there.
    Malformed,
    /// A number that no f32 can hold, and its end.
    TooLarge(usize),
}

/// Reads a number as JSON writes them, from byte `begin` on.
#[inline]
pub(super) fn scan(bytes: &[u8], begin: usize) -> Result<Number, NoNumber> {
    let negative = bytes.get(begin) == Some(&b'-');
    let (first, mut mantissa, mut exponent) = (begin + usize::from(negative), 0, 0);
    let mut end = digits(bytes, first, &mut mantissa);
    let whole = end - first;
    if whole == 0 || (whole > 1 && bytes[first] == b'0') {
        return Err(NoNumber::Malformed);
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = many_digits(bytes, fraction, &mut mantissa);
        if end == fraction {
            return Err(NoNumber::Malformed);
        }
        exponent = -((end - fraction) as i64);
    }
    let text = &bytes[first..end];
    if let Some(b'e' | b'E') = bytes.get(end) {
        let written = exponent_at(bytes, end + 1).ok_or(NoNumber::Malformed)?;
        exponent += written.value;
        end = written.end;
    }
    // The point counts, too.
    let fits = text.len() <= DIGITS || significant(text) <= DIGITS;
    match fast(mantissa, exponent).filter(|_| fits) {
        Some(value) => Ok(Number { value: if negative { -value } else { value }, end }),
        None => exact(bytes, begin, end),
    }
}

/// The f32 nearest to `mantissa` times ten to the `exponent`, where that is easily told.
#[inline]
fn fast(mantissa: u64, exponent: i64) -> Option<f32> {
    if mantissa == 0 {
        return Some(0.0);
    }
    let power = POWERS.get(usize::try_from(exponent + LEAST).ok()?)?;
    let wide = mantissa as f64 * power;
    let distance = (wide.to_bits() & LOW_BITS).abs_diff(HALF_WAY);
    let is_clear = (SMALLEST..LARGEST).contains(&wide) && distance > NEAR;
    is_clear.then_some(wide as f32)
}

/// The number from `begin` to `end`, by the standard library.
#[cold]
fn exact(bytes: &[u8], begin: usize, end: usize) -> Result<Number, NoNumber> {
    let text = std::str::from_utf8(&bytes[begin..end]).map_err(|_| NoNumber::Malformed)?;
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(Number { value, end }),
        Ok(_) => Err(NoNumber::TooLarge(end)),
        Err(_) => Err(NoNumber::Malformed),
    }
}

/// Digits of a number, without the zeros that it begins with. The small values of long embeddings
/// begin with some, so this is asked of most.
#[inline]
fn significant(text: &[u8]) -> usize {
    let Some(mut rest) = text.strip_prefix(b"0.") else {
        let has_point = text.contains(&b'.');
        return text.len() - usize::from(has_point);
    };
    while let Some(eight) = rest.first_chunk::<8>() {
        let others = u64::from_le_bytes(*eight) ^ 0x3030_3030_3030_3030;
        rest = &rest[others.trailing_zeros() as usize / 8..];
        if others != 0 {
            return rest.len();
        }
    }
    rest.len()
}

/// Reads digits one by one. Where they are too many, `mantissa` is of no use.
#[inline]
fn digits(bytes: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&d| d < 10) {
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
        at += 1;
    }
    at
}

/// Reads digits eight at a time.
#[inline]
fn many_digits(bytes: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    const TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let (value, count) = leading_digits(u64::from_le_bytes(*eight));
        *mantissa = mantissa.wrapping_mul(TENS[count]).wrapping_add(value);
        at += count;
        if count < 8 {
            return at;
        }
    }
    digits(bytes, at, mantissa)
}

/// The number that the digits at the beginning of eight bytes make, and how many they are.
#[inline]
fn leading_digits(eight: u64) -> (u64, usize) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A digit becomes its value, all else more than 9.
    let values = eight ^ (EACH * 0x30);
    let others = (((values & (EACH * 0x7f)) + EACH * 0x76) | values) & (EACH * 0x80);
    let count = (others.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    // Zeros before them make them eight; then pairs, fours and all are added up.
    let values = values << (64 - 8 * count);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    const MASK: u64 = 0x0000_00ff_0000_00ff;
    let high = (pairs & MASK).wrapping_mul(100 + (1_000_000 << 32));
    let low = ((pairs >> 16) & MASK).wrapping_mul(1 + (10_000 << 32));
    (high.wrapping_add(low) >> 32, count)
}

/// What is written behind an e.
struct Exponent {
    value: i64,
    end: usize,
}

/// Reads an exponent. One beyond every number stays that.
fn exponent_at(bytes: &[u8], begin: usize) -> Option<Exponent> {
    let sign = bytes.get(begin).filter(|byte| matches!(byte, b'+' | b'-'));
    let first = begin + usize::from(sign.is_some());
    let rest = bytes.get(first..)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    let (mut value, mut count) = (0_i64, 0);
    for byte in digits {
        value = (value * 10 + i64::from(byte - b'0')).min(1 << 40);
        count += 1;
    }
    let value = if sign == Some(&b'-') { -value } else { value };
    (count > 0).then_some(Exponent { value, end: first + count })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(text: &str) {
        let (wanted, found) = (text.parse::<f32>().unwrap(), scan(text.as_bytes(), 0));
        match wanted.is_finite() {
            true => {
                let Number { value, end } = found.unwrap();
                assert_eq!((value.to_bits(), end), (wanted.to_bits(), text.len()), "{text}");
            }
            false => assert_eq!(found, Err(NoNumber::TooLarge(text.len())), "{text}"),
        }
        // What follows is no part of it, and is not needed to see its end.
        let longer = format!("{text},12345678");
        let end = scan(longer.as_bytes(), 0).map(|number| number.end);
        assert!(matches!(end, Ok(end) | Err(NoNumber::TooLarge(end)) if end == text.len()));
    }

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
        }
    }

    #[test]
    fn numbers_are_rounded_as_the_standard_library_does() {
        let mut random = Random(7);
        for _ in 0..300_000 {
            let bits = random.next();
            let value = f32::from_bits((bits >> 32) as u32);
            let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
            if value.is_finite() {
                compare(&value.to_string());
                compare(&format!("{value:e}"));
                compare(&f64::from(value).to_string());
                // Half way to the next one, and as near to that as an f64 comes.
                let half = (f64::from(value) + f64::from(value.next_up())) / 2.0;
                for near in [half, half.next_up(), half.next_down()] {
                    compare(&format!("{near:e}"));
                }
            }
            compare(&unit.to_string());
            compare(&format!("{unit:.8}"));
            let digits = (bits % 40) as usize;
            compare(&format!("{unit:.digits$}"));
            let text = format!("{}.{}e{}", bits % 1000, bits >> 20, (bits >> 8) as i8);
            compare(&text);
        }
    }

    #[test]
    fn odd_numbers() {
        for text in [
            "0",
            "-0",
            "0.0",
            "-0.0e5",
            "1",
            "16777217",
            "16777216.5",
            "1e-45",
            "7e-46",
            "1e-46",
            "3.4028235e38",
            "3.4028236e38",
            "1e39",
            "1e99999999999999999999999",
            "0e999",
            "1e-99999999999999999999",
            "340282346638528859811704183484516925440",
            "340282356779733661637539395458142568448",
            "0.00000000000000000000000000000000000001",
            "1.17549435e-38",
            "1.1754942e-38",
            "12345678901234567890",
            "9999999999999999999",
            "18446744073709551616",
            "123456789012345678901234567890e-30",
            "0.000000000000000000012345678901234567890123",
        ] {
            compare(text);
        }
        for text in ["", "-", ".5", "5.", "01", "-00", "1e", "1e+", "+1", "NaN", "--1", "1.e5"] {
            assert_eq!(scan(text.as_bytes(), 0), Err(NoNumber::Malformed), "{text}");
        }
    }
}
