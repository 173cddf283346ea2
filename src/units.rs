//! Counts and sizes as the readers of messages see them.
//!
//! Counts, lengths and sizes are grouped by thousands, bytes have a unit before them. Numbers of
//! items, rows and places stay as they are: readers look them up and paste them into code. Knows
//! nothing of errors; lua/vkd/units.lua does the same for messages that are made there.

const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// A count: "1,234,567".
pub(crate) fn count(number: impl Into<u64>) -> String {
    grouped(&number.into().to_string())
}

/// So many things: "1 dimension", "3 dimensions".
pub(crate) fn many(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A size: "1.5 GB (1,500,000,000 bytes)". Sums that saturate at the largest number are more than
/// any machine has.
pub(crate) fn bytes(number: u64) -> String {
    let exact = match number {
        1 => return "1 byte".into(),
        0..1000 => return format!("{number} bytes"),
        u64::MAX => return "more than 18 EB".into(),
        _ => count(number),
    };
    let mut size = number as f64 / 1e3;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    // From here on one decimal is rounded to "1000.0".
    while size >= 999.95 {
        size /= 1e3;
        unit = units.next();
    }
    format!("{size:.1} {} ({exact} bytes)", unit.unwrap_or(&""))
}

/// A text that a message quotes: grouped where it is a plain number.
pub(crate) fn quoted(text: &str) -> String {
    let is_number = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        grouped(text)
    } else {
        text.to_owned()
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        let texts = [0u32, 7, 999, 1000, 65_536, 123_456, u32::MAX].map(count);
        assert_eq!(texts, ["0", "7", "999", "1,000", "65,536", "123,456", "4,294,967,295"]);
        assert_eq!(quoted("30000"), "30,000");
        assert_eq!(quoted("true"), "true");
        let digits = "1".repeat(32);
        assert_eq!(quoted(&digits), digits);
    }

    #[test]
    fn bytes_have_a_unit_and_all_digits() {
        assert_eq!([0, 1, 999].map(bytes), ["0 bytes", "1 byte", "999 bytes"]);
        assert_eq!(bytes(1000), "1.0 kB (1,000 bytes)");
        assert_eq!(bytes(999_949), "999.9 kB (999,949 bytes)");
        assert_eq!(bytes(999_950), "1.0 MB (999,950 bytes)");
        assert_eq!(bytes(1_500_000_000), "1.5 GB (1,500,000,000 bytes)");
        assert_eq!(bytes(u64::MAX - 1), "18.4 EB (18,446,744,073,709,551,614 bytes)");
        assert_eq!(bytes(u64::MAX), "more than 18 EB");
    }
}
