//! `vkd doctor`: what this machine has for vkd, and why a device is not used.
//!
//! `finding` is a line of what is found; `manifests` and `drivers` look at the drivers, `graphics`
//! at the GPUs that the kernel shows, `devices` at what vkd sees and at the golden cases, `host` at
//! memory and the folder of compiled kernels. Drivers are asked in children (`probe`). `system` is
//! where files and variables are read, `packages` knows what to install.

mod devices;
mod drivers;
mod finding;
mod graphics;
mod host;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod imitation;
mod manifests;
mod packages;
pub(crate) mod probe;
mod system;

use clap::Args;
use serde_json::{json, Value};
use vkd::engine::cpu;
use vkd::engine::vulkan::KernelCache;
use vkd::MemoryState;

use crate::failure::Failure;
use crate::show::out;
use finding::{Block, Finding};
use probe::Question;
use system::System;

/// Look at this machine: drivers, devices, memory, and a self-test of every device
///
/// Each finding is a line: ok, note or WRONG, which says what to install or run. The exit code is 1
/// where something is wrong; a machine without a GPU is not.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Skip the self-test
    #[arg(long)]
    no_test: bool,
    /// Answer a question of the command itself
    #[arg(long, hide = true, value_name = "QUESTION")]
    probe: Option<String>,
}

/// Examines the machine and prints what is found.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(question) = &arguments.probe {
        return probe::answer(&Question::parse(question));
    }
    match examine(arguments)? {
        0 => Ok(()),
        1 => Err(Failure::Failed("1 finding is wrong: see the line that begins so".into())),
        wrong => Err(Failure::Failed(format!("{wrong} findings are wrong: see their lines"))),
    }
}

/// Prints a block when it is there, or in the end the JSON of all. Returns how much is wrong.
struct Report {
    is_json: bool,
    blocks: Vec<Block>,
}

impl Report {
    fn add(&mut self, title: &'static str, findings: Vec<Finding>) -> Result<(), Failure> {
        let block = Block { title, findings };
        if !self.is_json {
            out::print(&block.text())?;
        }
        self.blocks.push(block);
        Ok(())
    }

    fn finish(self, devices: &[Value]) -> Result<usize, Failure> {
        let wrong = self.blocks.iter().map(Block::wrong).sum();
        if self.is_json {
            let blocks: Vec<Value> = self.blocks.iter().map(Block::json).collect();
            let version = env!("CARGO_PKG_VERSION");
            let all =
                json!({ "vkd": version, "wrong": wrong, "blocks": blocks, "devices": devices });
            out::print(&format!("{all}\n"))?;
        }
        Ok(wrong)
    }
}

fn examine(arguments: &Arguments) -> Result<usize, Failure> {
    let system = System::here();
    let mut report = Report { is_json: arguments.json, blocks: Vec::new() };
    let processor = processor();
    report
        .add("vkd", vec![Finding::ok(concat!("version ", env!("CARGO_PKG_VERSION"))), processor])?;
    let seen = devices::examine();
    report.add("Vulkan loader", seen.loader)?;
    let drivers = drivers::examine(&system);
    report.add("Drivers", drivers.findings)?;
    report.add("GPUs of this machine", graphics::examine(&system, &drivers.drivers))?;
    report.add("Vulkan devices", seen.findings)?;
    let cache = host::cache(&KernelCache::check(), !seen.devices.is_empty());
    report.add("Compiled kernels", vec![cache])?;
    report.add("Memory of the host", host::memory(&MemoryState::now()))?;
    if !arguments.no_test {
        let mut findings = vec![devices::test("CPU engine", "cpu")];
        for device in &seen.devices {
            let text = |key: &str| device[key].as_str().unwrap_or_default();
            findings.push(devices::test(text("name"), text("uuid")));
        }
        report.add("Self-test", findings)?;
    }
    report.finish(&seen.devices)
}

/// Threads and instruction set.
fn processor() -> Finding {
    match cpu::default_device_info() {
        Ok(info) => Finding::ok(info.name),
        Err(error) => Finding::wrong(error.to_string(), "see VKD_THREADS and ulimit"),
    }
}
