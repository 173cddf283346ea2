//! What the limits of this process leave it: RLIMIT_AS (`ulimit -v`) and RLIMIT_DATA (`ulimit -d`).

use std::fs::read_to_string;
use std::path::Path;

use super::allocate::SPARE;
use super::bytes::Bytes;

/// Bytes that the limits leave, less those to spare. `None`: there is no limit. `root` is "/".
pub(super) fn rest(root: &Path) -> Option<Bytes> {
    let read = |file: &str| read_to_string(root.join("proc/self").join(file)).ok();
    let limits = read("limits")?;
    let named = [("Max address space", "VmSize:"), ("Max data size", "VmData:")];
    let limited = named.map(|(limit, used)| Some((soft(&limits, limit)?, used)));
    if limited == [None; 2] {
        return None;
    }
    let status = read("status")?;
    let rest = |(limit, used): (Bytes, &str)| limit.less(used_bytes(&status, used));
    limited.into_iter().flatten().map(rest).min().map(|rest| rest.less(SPARE))
}

/// A line of a file of /proc that counts in kB.
pub(super) fn kilobytes(text: &str, name: &str) -> Option<Bytes> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(Bytes::new(line.split_whitespace().next()?.parse().ok()?) * 1024)
}

fn used_bytes(status: &str, name: &str) -> Bytes {
    kilobytes(status, name).unwrap_or(Bytes::ZERO)
}

/// The limit that holds, of /proc/self/limits: "Max data size    unlimited    unlimited    bytes".
fn soft(limits: &str, name: &str) -> Option<Bytes> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    // "unlimited" is no number.
    line.split_whitespace().next()?.parse().ok().map(Bytes::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_both_limits_counts() {
        let folder = std::env::temp_dir().join(format!("vkd-limits-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            std::fs::create_dir_all(folder.join("proc/self")).unwrap();
            std::fs::write(folder.join("proc/self").join(file), text).unwrap();
        };
        write("status", "Name:\tx\nVmSize:\t    1024 kB\nVmData:\t     512 kB\n");
        let limits = |data: &str, space: &str| {
            let head = "Limit                     Soft Limit           Hard Limit   Units\n";
            let line = |name, soft| format!("{name:<26}{soft:<21}unlimited    bytes\n");
            let lines = line("Max data size", data) + &line("Max address space", space);
            write("limits", &format!("{head}{lines}"));
            rest(&folder).map(Bytes::get)
        };
        let (spare, limit) = (SPARE.get(), 1 << 30);
        assert_eq!(limits("unlimited", "unlimited"), None);
        assert_eq!(limits("unlimited", "1073741824"), Some(limit - (1 << 20) - spare));
        assert_eq!(limits("1073741824", "unlimited"), Some(limit - (1 << 19) - spare));
        assert_eq!(limits("1073741824", "1073741824"), Some(limit - (1 << 20) - spare));
        assert_eq!(limits("100", "1073741824"), Some(0));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
