//! How much memory this process may take: what is free, and the limit that the user sets.

use crate::environment;
use crate::error::{Error, Result};

/// The variable of the limit.
const LIMIT: &str = "VKD_MEMORY_LIMIT";

/// Bytes that are free for this process: what the system can give without swapping, and what the
/// limit of its control group leaves. `None` where the system does not tell.
pub(crate) fn available_bytes() -> Option<u64> {
    let system = meminfo(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    let read = |file: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok();
    let group = group_rest(read("memory.max"), read("memory.current"));
    Some(system.min(group.unwrap_or(u64::MAX)))
}

/// The limit in bytes that `VKD_MEMORY_LIMIT` sets: a number, or one with K, M, G or T behind it
/// (powers of 1,024).
pub(crate) fn limit() -> Result<Option<u64>> {
    let Some(text) = environment::text(LIMIT)? else { return Ok(None) };
    match parse(&text) {
        Some(limit) => Ok(Some(limit)),
        None => Err(Error::BadOption {
            option: LIMIT,
            got: text,
            allowed: "set it to a number of bytes from 1, such as 3000000000, 500M or 2G".into(),
        }),
    }
}

fn parse(text: &str) -> Option<u64> {
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
    number.checked_mul(1 << shift).filter(|&bytes| bytes > 0)
}

/// `MemAvailable` of /proc/meminfo.
fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// What a control group (version 2) leaves; its file says "max" where there is no limit.
fn group_rest(limit: Option<String>, used: Option<String>) -> Option<u64> {
    let limit: u64 = limit?.trim().parse().ok()?;
    let used: u64 = used?.trim().parse().ok()?;
    Some(limit.saturating_sub(used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_units() {
        assert_eq!(parse("3000"), Some(3000));
        assert_eq!(parse("2G"), Some(2 << 30));
        assert_eq!(parse("500 mb"), Some(500 << 20));
        assert_eq!([parse("0"), parse("-1"), parse("2X"), parse("G")], [None; 4]);
    }

    #[test]
    fn reads_what_the_system_writes() {
        let text = "MemTotal:       24676512 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(meminfo(text), Some(20_480_000_000));
        assert_eq!(meminfo("MemTotal: 3 kB"), None);
        assert_eq!(group_rest(Some("max\n".into()), Some("5\n".into())), None);
        assert_eq!(group_rest(Some("100\n".into()), Some("30\n".into())), Some(70));
    }
}
