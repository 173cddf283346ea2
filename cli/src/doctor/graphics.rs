//! The GPUs of the machine as the kernel shows them, and why a driver may not reach one.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use super::drivers::{elsewhere, Driver};
use super::finding::Finding;
use super::packages;
use super::system::System;

/// The folder of the kernel's nodes for GPUs.
const NODES: &str = "/dev/dri";
const NVIDIA_VERSION: &str = "/proc/driver/nvidia/version";

/// Looks at the nodes, and compares them with what the drivers give.
pub(crate) fn examine(system: &System, drivers: &[Driver]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let nodes: Vec<String> =
        system.list(NODES).into_iter().filter(|name| name.starts_with("renderD")).collect();
    for node in &nodes {
        findings.push(render_node(system, node, drivers));
    }
    findings.extend(nvidia(system, drivers));
    findings.extend(without_kernel_driver(system, nodes.is_empty()));
    if findings.is_empty() {
        findings.push(Finding::note(
            "none that this machine shows (no /dev/dri/renderD*, no /dev/nvidia*); in a container: \
             start it with the GPU (--device /dev/dri, or --gpus all)",
        ));
    }
    findings
}

/// A node that Vulkan drivers open.
fn render_node(system: &System, node: &str, drivers: &[Driver]) -> Finding {
    let path = system.path(NODES).join(node);
    let kernel = kernel_driver(system, node);
    let name = format!("{NODES}/{node} ({})", kernel.as_deref().unwrap_or("unknown driver"));
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    match opened.map_err(|error| (error.kind(), error)) {
        Err((ErrorKind::PermissionDenied, _)) => no_permission(system, &path, &name),
        Err((_, error)) => Finding::wrong(
            format!("{name} cannot be opened: {error}"),
            "start the container with the node (--device /dev/dri), or look into dmesg",
        ),
        Ok(_) => match (kernel.as_deref().and_then(mesa_driver), reached(drivers)) {
            (Some(_), false) => Finding::wrong(
                format!("{name}: a GPU is there, but no driver gives a device of it"),
                "apt install libvulkan1 mesa-vulkan-drivers",
            ),
            _ => Finding::ok(name),
        },
    }
}

/// Whether a driver gives any device: which one is told elsewhere.
fn reached(drivers: &[Driver]) -> bool {
    let is_hardware = |driver: &&Driver| !driver.library.contains("libvulkan_lvp");
    drivers.iter().filter(is_hardware).any(|driver| !driver.devices.is_empty())
}

/// The name of the kernel's driver of a node.
fn kernel_driver(system: &System, node: &str) -> Option<String> {
    let link = system.path(format!("/sys/class/drm/{node}/device/driver"));
    let target = std::fs::read_link(link).ok()?;
    Some(target.file_name()?.to_string_lossy().into_owned())
}

/// Mesa's driver for a kernel's one, where it has one for sure.
fn mesa_driver(kernel: &str) -> Option<&'static str> {
    match kernel {
        "amdgpu" => Some("radeon"),
        "i915" | "xe" => Some("intel"),
        _ => None,
    }
}

/// The number of a file's group.
#[cfg(unix)]
fn group_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(std::fs::metadata(path).ok()?.gid())
}

#[cfg(not(unix))]
fn group_of(_: &Path) -> Option<u32> {
    None
}

/// Names the group that may open a file, and the command that joins it.
fn no_permission(system: &System, path: &Path, name: &str) -> Finding {
    let user = system.variable("USER").or_else(|| system.variable("LOGNAME"));
    let user = user.map_or("USER".into(), |user| user.to_string_lossy().into_owned());
    let number = group_of(path);
    let next = match number.map(|number| (system.group(number), number)) {
        Some((Some(group), _)) => format!(
            "join the group {group}: usermod -aG {group} {user} (as root), then log in again; in a \
             container: --group-add {group}"
        ),
        Some((None, number)) => format!(
            "give the group {number}, which has no name here: in a container --group-add {number}"
        ),
        None => format!("join the group render: usermod -aG render {user}"),
    };
    Finding::wrong(format!("{name}: no permission to open it"), next)
}

/// NVIDIA's driver in the kernel, and whether its Vulkan half is there.
fn nvidia(system: &System, drivers: &[Driver]) -> Option<Finding> {
    let version = system.read(NVIDIA_VERSION);
    let node = ["/dev/nvidia0", "/dev/nvidiactl"].into_iter().find(|node| system.exists(node));
    if version.is_none() && node.is_none() {
        return None;
    }
    let version = version.as_deref().and_then(nvidia_version).unwrap_or("of unknown version");
    let name = format!("NVIDIA's kernel driver {version}");
    let node_path = node.map(|node| system.path(node));
    if let Some(path) = &node_path {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        if opened.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) {
            return Some(no_permission(system, path, &name));
        }
    }
    let mut own = drivers.iter().filter(|driver| driver.is_nvidia()).peekable();
    let next = packages::nvidia(system.is_container());
    Some(match (own.peek().is_some(), own.any(|driver| !driver.devices.is_empty())) {
        (_, true) => Finding::ok(name),
        (true, false) => {
            Finding::wrong(format!("{name} is there, but its Vulkan driver gives no device"), next)
        }
        (false, false) => match elsewhere(system) {
            Some(path) => Finding::wrong(
                format!("{name} is there, and its JSON file where the loader does not look"),
                format!("export VK_DRIVER_FILES={}; apt install libegl1", path.display()),
            ),
            None => Finding::wrong(format!("{name} is there, but no Vulkan driver of it"), next),
        },
    })
}

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 ...": the number.
fn nvidia_version(text: &str) -> Option<&str> {
    let is_version =
        |word: &&str| word.contains('.') && word.split('.').all(|part| part.parse::<u32>().is_ok());
    text.lines().next()?.split_whitespace().find(is_version)
}

/// Display controllers on the bus that no driver of the kernel has.
fn without_kernel_driver(system: &System, no_nodes: bool) -> Vec<Finding> {
    const BUS: &str = "/sys/bus/pci/devices";
    let text = |device: &str, file: &str| system.read(format!("{BUS}/{device}/{file}"));
    let mut findings = Vec::new();
    for device in system.list(BUS) {
        let is_display = text(&device, "class").is_some_and(|class| class.starts_with("0x03"));
        if !is_display || !no_nodes {
            continue;
        }
        let vendor = text(&device, "vendor").unwrap_or_default();
        let (maker, next) = match vendor.trim() {
            "0x10de" => ("NVIDIA", "install its driver (Debian: apt install nvidia-driver)"),
            "0x1002" => ("AMD", "install its firmware (apt install firmware-amd-graphics)"),
            "0x8086" => ("Intel", "use a newer kernel, or start the container with /dev/dri"),
            _ => continue,
        };
        let has_driver = system.exists(format!("{BUS}/{device}/driver"));
        if has_driver {
            continue;
        }
        let text = format!("a GPU of {maker} is on the bus ({device}), without a kernel driver");
        findings.push(Finding::note(format!("{text}: {next}")));
    }
    findings
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::doctor::finding::Level;
    use crate::doctor::imitation::Imitation;

    const VERSION: &str = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 \
                           19:39:15 UTC 2024\nGCC version: 12.2.0\n";

    fn driver(library: &str, devices: &[&str]) -> Driver {
        let devices = devices.iter().map(|&name| name.to_owned()).collect();
        Driver { library: library.into(), devices }
    }

    #[test]
    fn nvidia_without_its_vulkan_half_is_wrong() {
        let machine = Imitation::new("nvidia");
        machine.write("proc/driver/nvidia/version", VERSION);
        let system = machine.system(&[]);
        let of = |drivers: &[Driver]| nvidia(&system, drivers).unwrap();
        let none = of(&[driver("libvulkan_lvp.so", &["llvmpipe"])]);
        assert_eq!(none.level, Level::Wrong);
        assert!(none.text.contains("535.183.01") && none.text.contains("no Vulkan driver"));
        assert!(none.next.unwrap().contains("libegl1"));
        let silent = of(&[driver("libGLX_nvidia.so.0", &[])]);
        assert!(silent.level == Level::Wrong && silent.text.contains("gives no device"));
        let right = of(&[driver("libGLX_nvidia.so.0", &["RTX 4090"])]);
        assert_eq!(right.level, Level::Ok);
        machine.write(".dockerenv", "");
        let container = of(&[]);
        assert!(container.next.unwrap().contains("NVIDIA_DRIVER_CAPABILITIES=all"));
        machine.write("usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json", "{}");
        assert!(of(&[]).next.unwrap().contains("VK_DRIVER_FILES=/usr/local/nvidia/"));
    }

    #[test]
    fn a_gpu_that_no_driver_gives_is_wrong() {
        let machine = Imitation::new("amd");
        machine.write("dev/dri/renderD128", "");
        machine.write("drivers/amdgpu/x", "");
        let system = machine.system(&[]);
        let link = system.path("/sys/class/drm/renderD128/device/driver");
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(system.path("/drivers/amdgpu"), link).unwrap();
        let of = |drivers: &[Driver]| examine(&system, drivers).remove(0);
        let none = of(&[driver("libvulkan_lvp.so", &["llvmpipe"])]);
        assert!(none.text.contains("(amdgpu)") && none.level == Level::Wrong, "{none:?}");
        assert!(none.next.unwrap().contains("mesa-vulkan-drivers"));
        let right = of(&[driver("libvulkan_radeon.so", &["RX 580"])]);
        assert_eq!(right.level, Level::Ok);
    }

    #[test]
    fn the_group_to_join_is_named() {
        let machine = Imitation::new("group");
        machine.write("dev/dri/renderD128", "");
        let path = machine.system(&[]).path("/dev/dri/renderD128");
        let number = group_of(&path).unwrap();
        let of = |system: &System| no_permission(system, &path, "node").next.unwrap();
        let nameless = of(&machine.system(&[]));
        assert!(nameless.contains(&format!("--group-add {number}")), "{nameless}");
        machine.write("etc/group", &format!("video:x:4444:\nrender:x:{number}:ada\n"));
        let named = of(&machine.system(&[("USER", "ada")]));
        assert!(named.contains("usermod -aG render ada"), "{named}");
    }

    #[test]
    fn a_machine_without_a_gpu_is_not_wrong() {
        let machine = Imitation::new("plain");
        let found = examine(&machine.system(&[]), &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].level, Level::Note);
        machine.write("sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n");
        machine.write("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
        let found = examine(&machine.system(&[]), &[]);
        assert!(found[0].text.contains("NVIDIA") && found[0].level == Level::Note);
    }
}
