//! Drivers are asked in a child of the command: one that crashes or hangs is a finding then, not
//! the end of doctor; and the loader's own messages can be read.
//!
//! The child is `vkd doctor --probe QUESTION`, and its answer a line of JSON on standard output.
//! Whatever else a driver prints there stands before it.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{json, Value};
use vkd::engine::vulkan::{self, DeviceReport};
use vkd::engine::DeviceKind;

use crate::failure::Failure;
use crate::golden::{self, Effort};
use crate::show::out;

/// What a child is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// The loader and the devices.
    Devices,
    /// The golden cases on a device, by its UUID or "cpu".
    Test(String),
}

impl Question {
    /// As the command line says it.
    pub(crate) fn parse(text: &str) -> Question {
        match text.strip_prefix("test:") {
            Some(device) => Question::Test(device.into()),
            None => Question::Devices,
        }
    }

    fn text(&self) -> String {
        match self {
            Question::Devices => "devices".into(),
            Question::Test(device) => format!("test:{device}"),
        }
    }

    /// How long an answer may take.
    fn patience(&self) -> Duration {
        match self {
            Question::Devices => Duration::from_secs(60),
            Question::Test(_) => Duration::from_secs(300),
        }
    }
}

/// How a child ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Given(Value),
    /// It crashed, in words.
    Crashed(String),
    /// It was ended after so long.
    Silent(Duration),
}

/// An answer, and what the loader and the drivers said meanwhile.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) answer: Answer,
    /// How the child ended behind its answer, if not well.
    pub(crate) crash: Option<String>,
    pub(crate) said: String,
}

/// Asks a child. `driver`: with this driver alone.
pub(crate) fn ask(question: &Question, driver: Option<&Path>) -> std::io::Result<Heard> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["doctor", "--probe", &question.text()]).stdin(Stdio::null());
    command.env("VK_LOADER_DEBUG", "error,warn");
    if let Some(driver) = driver {
        // The older name is for loaders before 1.3.207.
        command.env("VK_DRIVER_FILES", driver).env("VK_ICD_FILENAMES", driver);
        command.env_remove("VK_ADD_DRIVER_FILES");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (out, said) = (read(child.stdout.take()), read(child.stderr.take()));
    let ended = wait(&mut child, question.patience())?;
    let text = |thread: thread::JoinHandle<String>| thread.join().unwrap_or_default();
    let (out, said) = (text(out), text(said));
    let crash = ended.filter(|status| !status.success()).map(|status| status.to_string());
    let answer = match (ended, last_json(&out)) {
        (None, _) => Answer::Silent(question.patience()),
        (Some(_), Some(value)) => Answer::Given(value),
        (Some(status), None) => Answer::Crashed(status.to_string()),
    };
    Ok(Heard { answer, crash, said })
}

/// Reads all that a child says.
fn read(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is what there is.
        let _ = from.map(|mut from| from.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for the end, or makes it. `None`: it was made.
fn wait(child: &mut Child, patience: Duration) -> std::io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn last_json(text: &str) -> Option<Value> {
    text.lines().rev().find_map(|line| serde_json::from_str(line).ok().filter(Value::is_object))
}

/// The child's side: answers the question.
pub(crate) fn answer(question: &Question) -> Result<(), Failure> {
    let answer = match question {
        Question::Devices => devices(),
        Question::Test(device) => test(device),
    };
    out::print(&format!("{answer}\n"))
}

fn devices() -> Value {
    let version = match vulkan::loader() {
        Ok(version) => version,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let loader = json!({ "version": version, "file": loader_file() });
    match vulkan::reports() {
        Ok(devices) => {
            let devices: Vec<Value> = devices.iter().map(device).collect();
            json!({ "loader": loader, "devices": devices })
        }
        Err(error) => json!({ "loader": loader, "devices": [], "error": error.to_string() }),
    }
}

/// The file that is mapped into this process.
fn loader_file() -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let chosen = std::env::var("VKD_VULKAN_LIBRARY").unwrap_or_default();
    let is_loader = |path: &&str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        name.starts_with("libvulkan.so") || (!chosen.is_empty() && *path == chosen)
    };
    let mut paths = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..]));
    paths.find(is_loader).map(str::to_owned)
}

fn device(report: &DeviceReport) -> Value {
    let Some(details) = &report.usable else {
        return json!({ "name": report.name, "version": report.version, "usable": false });
    };
    let info = &details.info;
    let (smallest, largest) = details.subgroup_sizes;
    json!({
        "name": report.name,
        "version": report.version,
        "usable": true,
        "driver": info.driver,
        "kind": kind(info.kind),
        "uuid": uuid(&info.uuid),
        "memory_bytes": info.memory_bytes,
        "free_bytes": details.free_bytes,
        "max_binding_bytes": info.max_binding_bytes,
        "bindings": details.bindings,
        "subgroup_size": info.subgroup_size,
        "smallest_subgroup": smallest,
        "largest_subgroup": largest,
        "subgroup_arithmetic": details.subgroup_arithmetic,
        "shared_bytes": details.shared_bytes,
        "workgroup": details.workgroup,
        "loop_budget": info.loop_budget,
        "software": details.is_software,
    })
}

/// The kind of a device as readers know it.
pub(crate) fn kind(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::DiscreteGpu => "discrete GPU",
        DeviceKind::IntegratedGpu => "integrated GPU",
        DeviceKind::VirtualGpu => "virtual GPU",
        DeviceKind::Cpu => "CPU engine",
        DeviceKind::SoftwareVulkan => "software driver",
        DeviceKind::OtherVulkan => "other Vulkan device",
        DeviceKind::Reference => "reference engine",
        DeviceKind::Several => "several devices",
    }
}

/// A UUID in hex, which names a device.
pub(crate) fn uuid(bytes: &[u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn test(device: &str) -> Value {
    let begin = Instant::now();
    match golden::check(Some(device), Effort::Quick, |_| ()) {
        Ok(outcome) => json!({
            "right": outcome.is_right(),
            "cases": outcome.cases,
            "failures": outcome.failures,
            "seconds": begin.elapsed().as_secs_f64(),
        }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_last_json_whatever_a_driver_prints() {
        let text = "MESA: hello\n{\"a\": 1}\n{\"b\": 2}\nbye\n7\n";
        assert_eq!(last_json(text), Some(json!({ "b": 2 })));
        assert_eq!(last_json("7\n[]\n"), None);
    }

    #[test]
    fn questions_are_read_as_they_are_written() {
        for question in [Question::Devices, Question::Test("cpu".into())] {
            assert_eq!(Question::parse(&question.text()), question);
        }
    }
}
