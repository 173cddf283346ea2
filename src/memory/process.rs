//! What the limits of this process leave it: RLIMIT_AS (`ulimit -v`) and RLIMIT_DATA (`ulimit -d`).

use super::bytes::Bytes;

/// Limits in bytes; `None`: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    /// Of all that is mapped.
    space: Option<u64>,
    /// Of what of it is private and can be written.
    data: Option<u64>,
}

#[cfg(target_os = "linux")]
fn limits() -> Limits {
    use rustix::process::{getrlimit, Resource};
    let soft = |resource| getrlimit(resource).current;
    Limits { space: soft(Resource::As), data: soft(Resource::Data) }
}

#[cfg(not(target_os = "linux"))]
fn limits() -> Limits {
    Limits { space: None, data: None }
}

#[cfg(target_os = "linux")]
fn page() -> Bytes {
    Bytes::new(rustix::param::page_size() as u64)
}

#[cfg(not(target_os = "linux"))]
fn page() -> Bytes {
    Bytes::new(4096)
}

/// Bytes that the limits leave. `None`: there is no limit.
pub(super) fn rest() -> Option<Bytes> {
    let limits = limits();
    if limits.space.is_none() && limits.data.is_none() {
        return None;
    }
    rest_of(limits, &std::fs::read_to_string("/proc/self/statm").ok()?, page())
}

/// `statm` counts pages: all, resident, shared, text, libraries, data and stack.
fn rest_of(limits: Limits, statm: &str, page: Bytes) -> Option<Bytes> {
    let used = |field: usize| Some(page * statm.split_whitespace().nth(field)?.parse().ok()?);
    let left = |limit: Option<u64>, field| Some(Bytes::new(limit?).less(used(field)?));
    [left(limits.space, 0), left(limits.data, 5)].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_both_limits_counts() {
        let rest = |space, data| {
            let statm = "100 50 20 10 0 30 0\n";
            rest_of(Limits { space, data }, statm, Bytes::new(4096)).map(Bytes::get)
        };
        assert_eq!(rest(None, None), None);
        assert_eq!(rest(Some(1 << 20), None), Some((1 << 20) - 100 * 4096));
        assert_eq!(rest(None, Some(1 << 20)), Some((1 << 20) - 30 * 4096));
        assert_eq!(rest(Some(1 << 20), Some(1 << 20)), Some((1 << 20) - 100 * 4096));
        assert_eq!(rest(Some(1 << 20), Some(4096)), Some(0));
    }
}
