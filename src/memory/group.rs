//! What the control groups of this process leave it.
//!
//! Limits hold for a group and all below it, so every group from the process's own up to the root
//! counts, and the least that one of them leaves. In use counts without `inactive_file`: pages of
//! files that the kernel drops before it refuses anything. Both versions of control groups are
//! read, wherever they are mounted; a container may see only a part of the tree, which its mount
//! names.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use super::bytes::Bytes;

/// The files of a version of control groups.
struct Version {
    limit: &'static str,
    used: &'static str,
    /// The line of `memory.stat` that counts the pages of files, also of the groups below.
    file_pages: &'static str,
}

const V1: Version = Version {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    file_pages: "total_inactive_file",
};

const V2: Version =
    Version { limit: "memory.max", used: "memory.current", file_pages: "inactive_file" };

/// Bytes that the groups of this process leave. `None`: none of them has a limit. `root` is "/".
pub(super) fn rest(root: &Path) -> Option<Bytes> {
    let groups = read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::parse).collect();
    let rests = groups.lines().filter_map(|line| rest_of_hierarchy(root, line, &mounts));
    rests.min()
}

/// What a line of /proc/self/cgroup leaves: "0::/path" for version 2, "4:memory:/path" for 1.
fn rest_of_hierarchy(root: &Path, line: &str, mounts: &[Mount]) -> Option<Bytes> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
    let is_v2 = controllers.is_empty();
    if !is_v2 && !controllers.split(',').any(|controller| controller == "memory") {
        return None;
    }
    let version = if is_v2 { V2 } else { V1 };
    let fitting = mounts.iter().filter(|mount| mount.is_v2 == is_v2);
    // Of several mounts the one that shows the group itself, else one that shows what is above it.
    let mount = fitting.max_by_key(|mount| mount.shows(group))?;
    let top = root.join(mount.place.strip_prefix("/").unwrap_or(&mount.place));
    let own = top.join(mount.below(group));
    let groups = own.ancestors().take_while(|group| group.starts_with(&top));
    groups.filter_map(|group| rest_of_group(group, &version)).min()
}

/// What one group leaves; `None` where it has no limit ("max", or a number beyond every memory).
fn rest_of_group(group: &Path, version: &Version) -> Option<Bytes> {
    let number = |file: &str| read_to_string(group.join(file)).ok()?.trim().parse::<u64>().ok();
    let limit = number(version.limit).filter(|&limit| limit < 1 << 62)?;
    let used = number(version.used)?;
    let stat = read_to_string(group.join("memory.stat")).unwrap_or_default();
    let file_pages = stat.lines().find_map(|line| {
        line.strip_prefix(version.file_pages)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
    });
    let used = Bytes::new(used).less(Bytes::new(file_pages.unwrap_or(0)));
    Some(Bytes::new(limit).less(used))
}

/// A mounted tree of groups that limit memory.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    is_v2: bool,
    /// The group that is mounted.
    group: String,
    place: PathBuf,
}

impl Mount {
    /// Reads a line of /proc/self/mountinfo: "36 31 0:33 /group /place options - type source all".
    fn parse(line: &str) -> Option<Mount> {
        let (before, behind) = line.split_once(" - ")?;
        let mut about = behind.split(' ');
        let (kind, _, options) = (about.next()?, about.next()?, about.next()?);
        let is_v2 = match kind {
            "cgroup2" => true,
            "cgroup" if options.split(',').any(|option| option == "memory") => false,
            _ => return None,
        };
        let mut fields = before.split(' ').skip(3).map(unescaped);
        let (group, place) = (fields.next()?, fields.next()?);
        Some(Mount { is_v2, group, place: place.into() })
    }

    /// Whether the group is in the mounted part of the tree.
    fn shows(&self, group: &str) -> bool {
        Path::new(group).starts_with(&self.group)
    }

    /// Where in the mount the group is. One that is not shown has the limits of the mounted one, so
    /// far as can be seen.
    fn below<'a>(&self, group: &'a str) -> &'a Path {
        let below = Path::new(group).strip_prefix(&self.group).unwrap_or(Path::new(""));
        below.strip_prefix("/").unwrap_or(below)
    }
}

/// A path of mountinfo: blanks and backslashes stand there as \040 and the like.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(code) => {
                plain.push(code.into());
                plain.push_str(&part[3..]);
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system in a folder.
    struct System(PathBuf);

    impl System {
        fn new(name: &str, groups: &str, mounts: &str) -> System {
            let folder = format!("vkd-groups-{}-{name}", std::process::id());
            let system = System(std::env::temp_dir().join(folder));
            system.write("proc/self", "cgroup", groups);
            system.write("proc/self", "mountinfo", mounts);
            system
        }

        fn write(&self, folder: &str, file: &str, text: &str) {
            let folder = self.0.join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(file), text).unwrap();
        }

        fn group_v2(&self, group: &str, limit: &str, used: u64, inactive_file: u64) {
            self.write(group, "memory.max", &format!("{limit}\n"));
            self.write(group, "memory.current", &format!("{used}\n"));
            let stat = format!("anon 5\nfile 900\ninactive_file {inactive_file}\nslab 1\n");
            self.write(group, "memory.stat", &stat);
        }

        fn rest(&self) -> Option<u64> {
            rest(&self.0).map(Bytes::get)
        }
    }

    impl Drop for System {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const MOUNT_V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_own_group_of_a_service_counts_and_not_the_root_alone() {
        let system = System::new("service", "0::/system.slice/poems.service\n", MOUNT_V2);
        // The root has no memory.max.
        system.write("sys/fs/cgroup", "cgroup.procs", "1\n");
        system.group_v2("sys/fs/cgroup/system.slice", "max", 9000, 0);
        system.group_v2("sys/fs/cgroup/system.slice/poems.service", "1000", 300, 0);
        assert_eq!(system.rest(), Some(700));
    }

    #[test]
    fn the_least_of_all_groups_above_counts_and_file_pages_are_free() {
        let system = System::new("least", "0::/a/b/c\n", MOUNT_V2);
        system.group_v2("sys/fs/cgroup/a", "5000", 4900, 300);
        system.group_v2("sys/fs/cgroup/a/b", "max", 4000, 0);
        system.group_v2("sys/fs/cgroup/a/b/c", "3000", 2900, 2000);
        assert_eq!(system.rest(), Some(400));
        system.group_v2("sys/fs/cgroup/a", "5000", 5100, 0);
        assert_eq!(system.rest(), Some(0));
    }

    #[test]
    fn version_1_and_a_container_that_sees_its_part_of_the_tree() {
        let groups = "9:name=systemd:/x\n4:cpu,memory:/docker/12\n0::/\n";
        let mounts =
            "35 31 0:32 /docker/12 /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let system = System::new("v1", groups, mounts);
        let write = |file: &str, text: &str| system.write("sys/fs/cgroup/mem ory", file, text);
        write("memory.limit_in_bytes", "9223372036854771712\n");
        write("memory.usage_in_bytes", "800\n");
        assert_eq!(system.rest(), None);
        write("memory.limit_in_bytes", "1000\n");
        assert_eq!(system.rest(), Some(200));
        write("memory.stat", "inactive_file 1\ntotal_inactive_file 500\n");
        assert_eq!(system.rest(), Some(700));
    }

    #[test]
    fn a_group_that_is_not_shown_has_the_limits_of_the_mounted_one() {
        let mounts = MOUNT_V2.replace(" / /sys", " /pod /sys");
        let system = System::new("above", "0::/../elsewhere\n", &mounts);
        system.group_v2("sys/fs/cgroup", "100", 10, 0);
        assert_eq!(system.rest(), Some(90));
    }

    #[test]
    fn systems_without_groups_have_no_limit() {
        assert_eq!(rest(Path::new("/nowhere")), None);
        let system = System::new("none", "garbage\n:::\n0::/\n", "garbage - \n- - -\n");
        assert_eq!(system.rest(), None);
    }
}
