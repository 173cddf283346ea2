//! How much memory this process may still take.

/// Bytes that are free for this process: what the system can give without swapping, and what the limit of its control group
/// leaves. `None` where the system does not tell.
pub(super) fn available_bytes() -> Option<u64> {
    let system = meminfo(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    let read = |file: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok();
    let group = group_rest(read("memory.max"), read("memory.current"));
    Some(system.min(group.unwrap_or(u64::MAX)))
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
    fn reads_what_the_system_writes() {
        let text = "MemTotal:       24676512 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(meminfo(text), Some(20_480_000_000));
        assert_eq!(meminfo("MemTotal: 3 kB"), None);
        assert_eq!(group_rest(Some("max\n".into()), Some("5\n".into())), None);
        assert_eq!(group_rest(Some("100\n".into()), Some("30\n".into())), Some(70));
    }
}
