//! `vkd plan` and `vkd devices` say what the library says; completions, man pages and help.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;

use common::{cpu, ended, golden, open, printed, refusal, vkd, Folder};
use serde_json::Value;
use vkd::context::{devices, Destination, NeighborsRequest};
use vkd::Request;

#[test]
fn a_plan_is_the_librarys() {
    let corpus = golden("half_1000x48.npy");
    let embeddings = open(&corpus);
    let plan = |more: &[&str]| -> Value {
        let mut command = vkd(args!["plan", corpus, "--json"]);
        command.args(more);
        serde_json::from_str(&ended(command).printed()).unwrap()
    };
    let request = Request { starts: Some(vec![1, 2]), length: 9, ..Request::default() };
    let expected = cpu().plan(embeddings.shape(), &request, Destination::Memory).unwrap();
    let found = plan(&["--starts", "1,2", "--length", "9"]);
    assert_eq!((&found["rows"], &found["steps"]), (&2.into(), &16.into()));
    assert_eq!(found["corpus_bytes"], expected.corpus_bytes.get());
    assert_eq!(found["host_bytes"], expected.host_bytes.get());
    assert_eq!(found["output_bytes"], expected.output_bytes.get());
    let search = NeighborsRequest { input: embeddings.input(), k: 7, queries: None };
    let expected = cpu().plan_neighbors(&search.shape(), Destination::Memory).unwrap();
    let found = plan(&["-k", "7"]);
    assert_eq!((found["steps"].as_u64(), expected.steps), (Some(1_000_000), 1_000_000));
    assert_eq!(found["output_bytes"], expected.output_bytes.get());
    let said = refusal(1, args!["plan", corpus, "--memory-limit", "100K"]);
    assert!(said.contains("not enough memory") && said.contains("102,400"), "{said}");
    assert!(printed(args!["plan", corpus]).contains("row source"));
}

#[test]
fn all_devices_are_listed() {
    let out = printed(["devices", "--json"]);
    let found: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = devices().unwrap();
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!((&found["device"], &found["name"]), (&index.into(), &(&*expected.name).into()));
    }
    assert!(printed(["devices"]).contains("processor, built in"));
}

#[test]
fn shells_complete_the_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = printed(["completions", shell]);
        assert!(text.contains("neighbors") && text.contains("memory-limit"), "{shell}");
    }
}

#[test]
fn every_subcommand_has_a_man_page() {
    let folder = Folder::new();
    assert_eq!(printed(args!["man", folder.path("")]), "");
    let help = printed(["--help"]);
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let names = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<&str> = names.filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(names.len() >= 11 && names.contains(&"verify"), "{names:?}");
    for name in names {
        let page = fs::read_to_string(folder.path(&format!("vkd-{name}.1"))).unwrap();
        assert!(page.contains(".TH"), "{name}");
    }
    assert!(folder.path("vkd.1").is_file());
    assert!(refusal(1, args!["man", folder.path("missing")]).contains("name a folder"));
}

#[test]
fn help_says_how_the_command_ends() {
    let help = printed(["--help"]);
    assert!(
        help.contains("Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted"),
        "{help}"
    );
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    assert!(printed(["--version"]).starts_with("vkd "));
    assert!(printed(["order", "--help"]).contains("--memory-limit <SIZE>"));
}
