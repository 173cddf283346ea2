//! `vkd devices`: what can be chosen with --device.

use clap::Args;
use serde_json::Value;
use vkd::context::devices;
use vkd::engine::{DeviceInfo, DeviceKind};

use crate::failure::Failure;
use crate::show::out::Out;
use crate::show::report::Report;

/// List the devices, best first; their numbers and names go with --device
#[derive(Debug, Args)]
pub(crate) struct Devices {
    /// Print one JSON object for each device
    #[arg(long)]
    json: bool,
}

impl Devices {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut out = Out::new();
        for (index, device) in devices()?.iter().enumerate() {
            match self.json {
                true => out.json(&report(index, device).into_json())?,
                false => {
                    if index > 0 {
                        out.line("")?;
                    }
                    report(index, device).print_lines(&mut out)?;
                }
            }
        }
        out.finish()
    }
}

fn report(index: usize, device: &DeviceInfo) -> Report {
    let mut report = Report::default();
    report.add("device", index).add("name", device.name.as_str()).add("kind", kind(device.kind));
    report.add("driver", device.driver.as_str()).add("uuid", uuid(device.uuid));
    match device.memory_bytes {
        0 => report.add_as("memory", Value::Null, "unknown"),
        bytes => report.add_bytes("memory", bytes),
    };
    report.add("subgroup_size", device.subgroup_size);
    report
}

pub(crate) fn kind(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::DiscreteGpu => "discrete GPU",
        DeviceKind::IntegratedGpu => "integrated GPU",
        DeviceKind::VirtualGpu => "virtual GPU",
        DeviceKind::Cpu => "processor, built in",
        DeviceKind::SoftwareVulkan => "Vulkan in software",
        DeviceKind::OtherVulkan => "other Vulkan",
        DeviceKind::Reference => "reference, built in",
        DeviceKind::Several => "several",
    }
}

fn uuid(bytes: [u8; 16]) -> Option<String> {
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    (bytes != [0; 16]).then_some(text)
}
