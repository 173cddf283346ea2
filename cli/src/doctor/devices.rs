//! The loader and the devices that vkd sees, with their limits, and the golden cases on each.

use serde_json::Value;

use super::drivers::{failed, is_software};
use super::finding::{size, Finding};
use super::probe::{self, Answer, Heard, Question};

/// What the loader gives with the drivers as they are.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) loader: Vec<Finding>,
    pub(crate) findings: Vec<Finding>,
    /// As the child tells them, each once.
    pub(crate) devices: Vec<Value>,
}

/// Asks the loader for all devices.
pub(crate) fn examine() -> Seen {
    match probe::ask(&Question::Devices, None) {
        Ok(heard) => judge(&heard),
        Err(error) => Seen { loader: vec![not_asked(&error)], ..Seen::default() },
    }
}

fn not_asked(error: &std::io::Error) -> Finding {
    Finding::wrong(
        format!("the command cannot start itself ({error})"),
        "raise the limit for processes (ulimit -u), or end other programs",
    )
}

fn judge(heard: &Heard) -> Seen {
    let mut seen = Seen::default();
    let answer = match &heard.answer {
        Answer::Given(answer) => answer,
        other => {
            seen.loader.push(failed("the Vulkan loader with its drivers", other));
            return seen;
        }
    };
    seen.loader.push(loader(answer));
    let mut uuids = Vec::new();
    for device in answer["devices"].as_array().into_iter().flatten() {
        if device["usable"] != true {
            seen.findings.push(unusable(device));
            continue;
        }
        // The same device under two drivers counts once.
        if uuids.contains(&&device["uuid"]) {
            let text = format!("{} is there under a second driver, not used", name(device));
            seen.findings.push(Finding::note(text));
            continue;
        }
        uuids.push(&device["uuid"]);
        seen.findings.push(limits(device));
        seen.devices.push(device.clone());
    }
    seen.findings.push(chosen(&seen.devices));
    seen
}

/// Names another file of the loader.
const LIBRARY: &str = "VKD_VULKAN_LIBRARY";

fn loader(answer: &Value) -> Finding {
    let Some(version) = answer["loader"]["version"].as_str() else {
        let reason = answer["error"].as_str().unwrap_or("it does not say why");
        if let Some(file) = std::env::var_os(LIBRARY).filter(|file| !file.is_empty()) {
            let text = format!("{LIBRARY} names {}, which does not load", file.display());
            return Finding::wrong(text, format!("correct the variable, or unset it ({reason})"));
        }
        return Finding::note(format!("none, so the CPU engine works alone: {reason}"));
    };
    let file = answer["loader"]["file"].as_str().unwrap_or("its file is not known");
    Finding::ok(format!("{file}, Vulkan {version}"))
}

fn name(device: &Value) -> &str {
    device["name"].as_str().unwrap_or_default()
}

fn unusable(device: &Value) -> Finding {
    let version = device["version"].as_str().unwrap_or_default();
    Finding::note(format!(
        "{} is not used: vkd needs Vulkan 1.1 with compute, and it has {version}; a newer driver \
         may help",
        name(device)
    ))
}

/// One line of what a device can do.
fn limits(device: &Value) -> Finding {
    let text = |key: &str| device[key].as_str().unwrap_or_default();
    let number = |key: &str| device[key].as_u64().unwrap_or(0);
    let free = match device["free_bytes"].as_u64() {
        Some(free) => format!(" ({} free)", size(free)),
        None => String::new(),
    };
    let (least, most) = (number("smallest_subgroup"), number("largest_subgroup"));
    let range = if least == most { String::new() } else { format!(" ({least} to {most})") };
    Finding::ok(format!(
        "{}: {}, {}, Vulkan {}; memory {}{free}, bindings of {} at most, subgroups of {}{range}, \
         {} shared",
        name(device),
        text("kind"),
        text("driver"),
        text("version"),
        size(number("memory_bytes")),
        size(number("max_binding_bytes")),
        number("subgroup_size"),
        size(number("shared_bytes")),
    ))
}

/// Which device vkd takes where none is named.
fn chosen(devices: &[Value]) -> Finding {
    let named = std::env::var("VKD_DEVICE").unwrap_or_default();
    if !named.trim().is_empty() {
        return Finding::note(format!("VKD_DEVICE is \"{named}\": that device is used"));
    }
    if devices.iter().any(|device| device["kind"].as_str().is_some_and(is_gpu)) {
        return Finding::ok("the best GPU is used where no device is named");
    }
    match devices.iter().any(is_software) {
        true => Finding::note(
            "software drivers only: the CPU engine is used where no device is named; it is faster",
        ),
        false => Finding::note("no GPU: the CPU engine is used"),
    }
}

fn is_gpu(kind: &str) -> bool {
    kind.ends_with("GPU")
}

/// The golden cases on a device, in a child.
pub(crate) fn test(name: &str, device: &str) -> Finding {
    let heard = match probe::ask(&Question::Test(device.into()), None) {
        Ok(heard) => heard,
        Err(error) => return not_asked(&error),
    };
    let answer = match &heard.answer {
        Answer::Given(answer) => answer,
        other => return failed(name, other),
    };
    if let Some(error) = answer["error"].as_str() {
        return Finding::wrong(format!("{name} does not open: {error}"), "see its driver above");
    }
    let (cases, seconds) = (&answer["cases"], answer["seconds"].as_f64().unwrap_or(0.0));
    let failures: Vec<&str> =
        answer["failures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match (answer["right"] == true, &heard.crash) {
        (true, None) => {
            Finding::ok(format!("{name}: {cases} golden cases right to the bit, {seconds:.1} s"))
        }
        (true, Some(crash)) => Finding::wrong(
            format!("{name}: {cases} golden cases right, but the process ends badly ({crash})"),
            "update the driver",
        ),
        (false, _) => Finding::wrong(
            format!(
                "{name}: {} of {cases} golden cases are wrong; the first: {}",
                failures.len(),
                failures.first().unwrap_or(&"none was asked")
            ),
            "do not use this device; update its driver, and report this line if that does not help",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Level;

    fn seen(answer: Value) -> Seen {
        judge(&Heard { answer: Answer::Given(answer), crash: None, said: String::new() })
    }

    #[test]
    fn a_machine_without_a_loader_is_not_wrong() {
        let seen = seen(json!({ "error": "no Vulkan loader could be opened" }));
        assert_eq!(seen.loader[0].level, Level::Note);
        assert!(seen.findings.iter().all(|finding| finding.level == Level::Note));
    }

    #[test]
    fn devices_count_once_and_old_ones_not_at_all() {
        let gpu = |uuid: &str| {
            json!({ "name": "RX 580", "usable": true, "uuid": uuid, "kind": "discrete GPU",
                    "free_bytes": null, "smallest_subgroup": 32, "largest_subgroup": 64 })
        };
        let old = json!({ "name": "Old", "usable": false, "version": "1.0.3" });
        let loader = json!({ "version": "1.3.239" });
        let found = seen(json!({ "loader": loader, "devices": [gpu("1"), old, gpu("1")] }));
        assert_eq!(found.devices.len(), 1);
        assert!(found.findings[0].text.contains("subgroups of 0 (32 to 64)"));
        assert!(found.findings[1].text.contains("Old is not used"));
        assert!(found.findings[2].text.contains("second driver"));
    }
}
