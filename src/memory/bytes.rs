//! Counts of bytes that cannot wrap.
//!
//! Every size that is planned is one of these. A sum or product beyond 2^64 becomes
//! [`Bytes::UNCOUNTABLE`] and stays that, and no memory has room for it, so huge counts end in a
//! refusal and never in a small number.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul};
use std::str::FromStr;

use crate::error::Error;

/// A number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u64);

impl Bytes {
    /// None.
    pub const ZERO: Bytes = Bytes(0);
    /// More than can be counted, and than any memory has.
    pub const UNCOUNTABLE: Bytes = Bytes(u64::MAX);

    /// `bytes` bytes.
    pub const fn new(bytes: u64) -> Bytes {
        Bytes(bytes)
    }

    /// `count` values of type `T`.
    pub const fn of<T>(count: u64) -> Bytes {
        Bytes(count.saturating_mul(size_of::<T>() as u64))
    }

    /// The number; `u64::MAX` for [`Bytes::UNCOUNTABLE`].
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether `available` has room for so many.
    pub fn fit(self, available: Bytes) -> bool {
        self < Bytes::UNCOUNTABLE && self <= available
    }

    /// What is left of these when `taken` are gone; none where that is more.
    pub const fn less(self, taken: Bytes) -> Bytes {
        Bytes(self.0.saturating_sub(taken.0))
    }

    /// How many times `part`, which is not 0, fits in.
    pub const fn times(self, part: Bytes) -> u64 {
        self.0 / part.0
    }
}

impl FromStr for Bytes {
    type Err = Error;

    /// A number of bytes, or one with K, M, G or T behind it (powers of 1,024; also KB, KiB).
    fn from_str(text: &str) -> Result<Bytes, Error> {
        parse(text).ok_or_else(|| Error::BadOption {
            option: "the size",
            got: format!("\"{text}\""),
            allowed: "give a number of bytes from 1, such as 3000000000, 500M or 2G".into(),
        })
    }
}

fn parse(text: &str) -> Option<Bytes> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &*text[digits.len()..].to_ascii_uppercase() {
        "" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return None,
    };
    let number: u64 = digits.trim_end().parse().ok()?;
    number.checked_mul(1 << shift).filter(|&bytes| bytes > 0).map(Bytes::new)
}

impl Add for Bytes {
    type Output = Bytes;

    fn add(self, more: Bytes) -> Bytes {
        Bytes(self.0.saturating_add(more.0))
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, more: Bytes) {
        *self = *self + more;
    }
}

impl Mul<u64> for Bytes {
    type Output = Bytes;

    fn mul(self, count: u64) -> Bytes {
        Bytes(self.0.saturating_mul(count))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(all: I) -> Bytes {
        all.fold(Bytes::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let bytes = |text| parse(text).map(Bytes::get);
        assert_eq!(bytes("3000"), Some(3000));
        assert_eq!(bytes("2G"), Some(2 << 30));
        assert_eq!(bytes("500 mb"), Some(500 << 20));
        assert_eq!([bytes("0"), bytes("-1"), bytes("2X"), bytes("G"), bytes("")], [None; 5]);
        assert_eq!([bytes("1 2"), bytes("1e9"), bytes("99999999999999999999T")], [None; 3]);
        let error = "2X".parse::<Bytes>().unwrap_err().to_string();
        assert!(error.starts_with("the size is \"2X\"; "), "{error}");
    }

    #[test]
    fn nothing_wraps_and_nothing_holds_what_would() {
        let most = u64::from(u32::MAX);
        let huge = Bytes::of::<u16>(most * most) * 2 + Bytes::new(5);
        assert_eq!(huge, Bytes::UNCOUNTABLE);
        assert!(!huge.fit(Bytes::UNCOUNTABLE));
        assert!(Bytes::new(7).fit(Bytes::UNCOUNTABLE) && Bytes::new(7).fit(Bytes::new(7)));
        assert_eq!(Bytes::new(5).less(Bytes::new(7)), Bytes::ZERO);
        let sum: Bytes = [Bytes::new(1), Bytes::UNCOUNTABLE, Bytes::new(2)].into_iter().sum();
        assert_eq!(sum, Bytes::UNCOUNTABLE);
    }
}
