//! The drivers: each JSON file, whether its library loads, and the devices that it gives.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::finding::Finding;
use super::manifests::{self, Library, Manifests};
use super::packages::{install, is_nvidia, is_other_architecture, linker_error};
use super::probe::{self, Answer, Heard, Question};
use super::system::System;

/// A driver, and what came of asking it.
#[derive(Debug)]
pub(crate) struct Driver {
    /// The library that its manifest names.
    pub(crate) library: String,
    /// Names of the devices that it gives.
    pub(crate) devices: Vec<String>,
}

impl Driver {
    pub(crate) fn is_nvidia(&self) -> bool {
        is_nvidia(&self.library)
    }
}

/// All drivers.
#[derive(Debug, Default)]
pub(crate) struct Drivers {
    pub(crate) findings: Vec<Finding>,
    pub(crate) drivers: Vec<Driver>,
}

/// Looks for drivers, and asks each in a child.
pub(crate) fn examine(system: &System) -> Drivers {
    let found = Manifests::find(system);
    let mut all = Drivers { findings: places(&found), drivers: Vec::new() };
    for manifest in &found.files {
        let library = match manifests::library(system, manifest) {
            Ok(library) => library,
            Err(reason) => {
                all.findings.push(damaged(manifest, &reason));
                continue;
            }
        };
        let heard = probe::ask(&Question::Devices, Some(manifest));
        let (finding, devices) = match heard {
            Ok(heard) => judge(manifest, &library, &heard, system.is_container()),
            Err(error) => (not_asked(manifest, &error), Vec::new()),
        };
        all.findings.push(finding);
        all.drivers.push(Driver { library: library.name, devices });
    }
    all
}

/// What is to be said of the places where drivers were looked for.
fn places(found: &Manifests) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(variable) = found.variable {
        findings.push(Finding::note(format!("{variable} is set: only its drivers are used")));
        for path in &found.missing {
            findings.push(Finding::wrong(
                format!("{variable} names {}, which is not there", path.display()),
                format!("correct the variable, or unset it (unset {variable})"),
            ));
        }
    }
    if found.files.is_empty() && found.missing.is_empty() {
        findings.push(Finding::note(
            "no driver's JSON file (vulkan/icd.d/*.json): there is no driver; for AMD, Intel and \
             software: apt install mesa-vulkan-drivers",
        ));
    }
    findings
}

fn damaged(manifest: &Path, reason: &str) -> Finding {
    let file = manifest.display();
    Finding::wrong(
        format!("{file}: no driver's JSON file: {reason}"),
        format!("install the package anew that has it (dpkg -S {file}), or remove it"),
    )
}

/// What a driver's answer says, and the devices that it gives.
fn judge(
    manifest: &Path,
    library: &Library,
    heard: &Heard,
    is_container: bool,
) -> (Finding, Vec<String>) {
    let driver = format!("{}: {}", manifest.display(), library.name);
    let fix = |missing: &str| install(missing, is_container);
    if is_other_architecture(&heard.said) {
        let text = format!("{driver}: for programs of another architecture, not used here");
        return (Finding::note(text), Vec::new());
    }
    if library.exists == Some(false) {
        let wrong = Finding::wrong(format!("{driver} is not there"), fix(&library.name));
        return (wrong, Vec::new());
    }
    let answer = match &heard.answer {
        Answer::Given(answer) => answer,
        other => return (failed(&driver, other), Vec::new()),
    };
    if answer["loader"].is_null() {
        let text = format!("{driver}: not asked, for there is no loader");
        return (Finding::note(text), Vec::new());
    }
    let devices: Vec<String> = answer["devices"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|device| device["name"].as_str().map(str::to_owned))
        .collect();
    let finding = match (&heard.crash, linker_error(&heard.said)) {
        (Some(crash), _) => Finding::wrong(
            format!("{driver}: the process ends badly when it has used this driver ({crash})"),
            "update the driver, or remove its JSON file",
        ),
        (None, Some(error)) if devices.is_empty() => {
            let missing = error.missing.as_deref().unwrap_or(&library.name);
            Finding::wrong(format!("{driver} does not load: {}", error.text), fix(missing))
        }
        _ if devices.is_empty() => {
            Finding::note(format!("{driver}: it loads, but has no device on this machine"))
        }
        _ => Finding::ok(format!("{driver}: {}", devices.join(", "))),
    };
    (finding, devices)
}

/// What is said of a child that gave no answer.
pub(crate) fn failed(what: &str, answer: &Answer) -> Finding {
    let next = "update the driver, or remove its JSON file";
    match answer {
        Answer::Silent(after) => {
            let seconds = after.as_secs();
            Finding::wrong(format!("{what}: no answer within {seconds} seconds"), next)
        }
        Answer::Crashed(how) => Finding::wrong(format!("{what} crashes ({how})"), next),
        Answer::Given(_) => Finding::note(what),
    }
}

fn not_asked(manifest: &Path, error: &std::io::Error) -> Finding {
    let file = manifest.display();
    Finding::wrong(
        format!("{file}: it cannot be asked ({error})"),
        "raise the limit for processes (ulimit -u), or end other programs",
    )
}

/// Places outside the loader's folders where containers have NVIDIA's manifest.
pub(crate) fn elsewhere(system: &System) -> Option<PathBuf> {
    const PLACES: [&str; 3] = [
        "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json",
        "/usr/local/nvidia/vulkan/icd.d/nvidia_icd.json",
        "/opt/nvidia/share/vulkan/icd.d/nvidia_icd.json",
    ];
    PLACES.map(PathBuf::from).into_iter().find(|path| system.exists(path))
}

/// Whether a device of an answer runs on the processor.
pub(crate) fn is_software(device: &Value) -> bool {
    device["software"].as_bool().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Level;

    fn heard(answer: Answer, said: &str) -> Heard {
        Heard { answer, crash: None, said: said.into() }
    }

    fn of(heard: &Heard) -> (Finding, Vec<String>) {
        let library = Library { name: "libvulkan_radeon.so".into(), exists: None };
        judge(Path::new("/etc/radeon.json"), &library, heard, false)
    }

    #[test]
    fn a_driver_is_judged_by_its_answer_and_by_what_the_loader_says() {
        let loader = json!({ "version": "1.3.239" });
        let given = |devices: Value| Answer::Given(json!({ "loader": loader, "devices": devices }));
        let none = || given(json!([]));
        let one = || given(json!([{ "name": "RX 580" }]));
        let linker = "ERROR: libLLVM-15.so.1: cannot open shared object file: No such file";
        let cases = [
            (heard(one(), ""), Level::Ok, "RX 580"),
            (heard(none(), ""), Level::Note, "no device on this machine"),
            (heard(Answer::Given(json!({ "error": "x" })), ""), Level::Note, "there is no loader"),
            (heard(none(), linker), Level::Wrong, "libLLVM-15.so.1: cannot open"),
            (heard(none(), "ERROR: a.so: wrong ELF class: ELFCLASS32"), Level::Note, "another arc"),
            (heard(Answer::Crashed("signal: 11".into()), ""), Level::Wrong, "signal: 11"),
            (heard(Answer::Silent(Duration::from_secs(60)), ""), Level::Wrong, "60 seconds"),
            (Heard { crash: Some("signal: 6".into()), ..heard(one(), "") }, Level::Wrong, "badly"),
        ];
        for (heard, level, text) in cases {
            let (finding, _) = of(&heard);
            assert_eq!(finding.level, level, "{finding:?}");
            assert!(finding.text.contains(text), "{finding:?}");
        }
        let (missing, _) = of(&heard(none(), linker));
        assert!(missing.next.unwrap().contains("mesa-vulkan-drivers"));
    }
}
