//! `vkd bench --quick` as users run it, on the CPU engine and on llvmpipe. No speed is asserted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::Folder;
use serde_json::Value;

fn vkd(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vkd"));
    command.arg("bench").args(arguments);
    for variable in ["VKD_DEVICE", "VKD_MEMORY_LIMIT"] {
        command.env_remove(variable);
    }
    if std::env::var_os("VKD_PIPELINE_CACHE").is_none() {
        command.env("VKD_PIPELINE_CACHE", env!("CARGO_TARGET_TMPDIR"));
    }
    command
}

/// Where the report of a device is, in both forms.
struct Reports {
    markdown: String,
    json: Value,
}

fn measure(device: &str, folder: &Folder, more: &[&str]) -> Reports {
    let (markdown, json) = (folder.path("report.md"), folder.path("report.json"));
    let mut command = vkd(&["--quick", "--device", device, "--report"]);
    command.arg(&markdown).arg("--json").arg(&json).args(more);
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    // It tells what it does to a terminal only.
    assert!(stdout.is_empty() && stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    assert_eq!(folder.names(), ["report.json", "report.md"]);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    Reports { markdown: read(&markdown), json: serde_json::from_str(&read(&json)).unwrap() }
}

impl Reports {
    fn check(&self, device: &str, kind: &str) {
        let Reports { markdown, json } = self;
        assert!(json["device"]["name"].as_str().unwrap().starts_with(device), "{json}");
        assert_eq!(json["device"]["kind"], kind);
        assert_eq!(json["quick"], true);
        for key in ["vkd", "date"] {
            assert!(json[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {json}");
        }
        for key in ["system", "processor"] {
            assert!(json["machine"][key].is_string(), "{key}: {json}");
        }
        assert!(json["golden"]["cases"].as_u64().unwrap() > 100);
        assert_eq!(json["golden"]["failures"], Value::Array(Vec::new()));
        let corpora = ["Psalms", "synthetic"];
        for (kind, keys) in [
            ("sequences", &["picks_per_second", "bytes_read", "bytes_per_second", "fraction"][..]),
            ("neighbors", &["k", "multiply_adds_per_second"][..]),
        ] {
            let measured = json[kind].as_array().unwrap();
            let names: Vec<&str> =
                measured.iter().map(|one| one["corpus"].as_str().unwrap()).collect();
            assert_eq!(names, corpora, "{kind}");
            for one in measured {
                for key in keys {
                    assert!(one[key].as_f64().unwrap() > 0.0, "{key}: {one}");
                }
                for phase in ["prepare", "upload", "matrix", "steps", "download"] {
                    assert!(one["phases"][phase].is_number(), "{phase}: {one}");
                }
                assert!(one["phases"]["steps"].as_f64().unwrap() > 0.0, "{one}");
            }
        }
        assert_eq!(json["skipped"], Value::Array(Vec::new()));
        let rows = |begin: &str| markdown.lines().filter(|line| line.starts_with(begin)).count();
        assert_eq!((rows("| Psalms |"), rows("| synthetic |"), rows("|---")), (2, 2, 2));
        assert!(markdown.contains("right to the bit"), "{markdown}");
    }
}

#[test]
fn a_quick_report_of_the_cpu_engine() {
    let folder = Folder::new();
    let found = measure("cpu", &folder, &[]);
    found.check("CPU (", "CPU engine");
    assert_eq!(found.json["bandwidth"]["measured"], true);
    assert!(found.json["bandwidth"]["bytes_per_second"].as_f64().unwrap() > 0.0);
    assert!(found.json["sequences"][0]["phases"]["matrix"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_quick_report_of_llvmpipe() {
    let folder = Folder::new();
    let found = measure("llvmpipe", &folder, &[]);
    found.check("llvmpipe", "software driver");
    assert_eq!(found.json["bandwidth"]["measured"], true);
    // Its bindings hold no more.
    assert_eq!(found.json["bandwidth"]["buffer_bytes"], 128 << 20);
}

#[test]
fn a_bandwidth_may_be_given_and_files_are_replaced_on_request_only() {
    let folder = Folder::new();
    let found = measure("cpu", &folder, &["--bandwidth", "1000"]);
    assert_eq!(found.json["bandwidth"]["measured"], false);
    assert_eq!(found.json["bandwidth"]["bytes_per_second"], 1e12);
    let sequences = &found.json["sequences"][0];
    let rate = sequences["bytes_per_second"].as_f64().unwrap();
    // Numbers of JSON are read with an error in the last digit.
    assert!((sequences["fraction"].as_f64().unwrap() / (rate / 1e12) - 1.0).abs() < 1e-12);

    let report = folder.path("report.md");
    let refused = vkd(&["--quick", "--device", "cpu", "--report"]).arg(&report).output().unwrap();
    let text = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text.contains("is there already") && text.contains("--overwrite"), "{text}");
    assert_eq!(std::fs::read_to_string(&report).unwrap(), found.markdown);
    measure("cpu", &folder, &["--overwrite"]);
}

#[test]
fn what_has_no_room_is_named_and_left_out() {
    let mut command = vkd(&["--quick", "--device", "cpu", "--bandwidth", "20"]);
    let output = command.env("VKD_MEMORY_LIMIT", "12M").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let skipped = "- Not measured: Psalms, 2461 x 384: 256 sequences: ";
    assert!(text.lines().any(|line| line.starts_with(skipped)), "{text}");
    assert!(text.contains("right to the bit"), "{text}");
}

#[test]
fn what_cannot_be_done_is_refused_before_any_work() {
    let folder = Folder::new();
    let nowhere = folder.path("none/report.md");
    let cases: [(&[&str], &str); 3] = [
        (&["--device", "voodoo"], "matches no device"),
        (&["--bandwidth", "0"], "above 0"),
        (&["--report", nowhere.to_str().unwrap()], "cannot write"),
    ];
    for (arguments, says) in cases {
        let output = vkd(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(says), "{text}");
        assert!(output.stdout.is_empty());
    }
    let file = folder.path("x.md");
    let output = vkd(&["--device", "voodoo", "--report"]).arg(&file).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(folder.names(), [""; 0]);
}
