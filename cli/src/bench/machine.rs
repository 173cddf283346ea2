//! The machine that is measured, as a report has to name it.

use std::time::SystemTime;

use serde_json::{json, Value};
use vkd::engine::cpu::{self, Level};

/// What a report says of the machine.
pub(crate) struct Machine {
    pub(crate) system: String,
    pub(crate) processor: String,
    /// Threads and level of the CPU engine.
    pub(crate) engine: String,
    pub(crate) date: String,
}

impl Machine {
    pub(crate) fn here() -> Machine {
        let engine = cpu::default_device_info()
            .map_or_else(|_| Level::best().name().to_owned(), |info| info.name);
        let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Machine { system: system(), processor: processor(), engine, date }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "system": self.system, "processor": self.processor, "cpu_engine": self.engine })
    }
}

/// Its name and the kernel's version.
fn system() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let release = read("/etc/os-release");
    let name = field(&release, "PRETTY_NAME", '=').unwrap_or(std::env::consts::OS);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = Some(kernel.trim()).filter(|kernel| !kernel.is_empty());
    let kernel = kernel.map(|kernel| format!(", kernel {kernel}")).unwrap_or_default();
    format!("{name}{kernel}, {}", std::env::consts::ARCH)
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // Processors of Arm have no name there.
    field(&text, "model name", ':').unwrap_or("unknown processor").to_owned()
}

/// The value behind a name in lines such as "model name : X" or NAME="X".
fn field<'a>(text: &'a str, name: &str, sign: char) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(sign)?;
        (found.trim() == name).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_systems_write_them() {
        let release = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        let name = field(release, "PRETTY_NAME", '=');
        assert_eq!(name, Some("Debian GNU/Linux 12 (bookworm)"));
        let processor = field("model\t\t: 85\nmodel name\t: Xeon @ 2 GHz\n", "model name", ':');
        assert_eq!(processor, Some("Xeon @ 2 GHz"));
    }
}
