//! Ctrl-C and SIGTERM end the command, and the same command goes on where it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{ended, printed, vkd, Ended, Folder};
use vkd::store::UnfinishedSequences;

/// Ends the child by a signal, once it listens and `is_time`.
fn interrupted(mut command: Command, signal: &str, is_time: impl Fn() -> bool) -> Ended {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).env("VKD_THREADS", "1");
    let mut child = command.spawn().unwrap();
    while !listens(&child) || !is_time() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before the signal");
        sleep(Duration::from_millis(1));
    }
    kill(&child, signal);
    Ended::of(child.wait_with_output().unwrap())
}

/// Whether the child has a handler of SIGTERM.
fn listens(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() >> (15 - 1) & 1 == 1
}

fn kill(child: &Child, signal: &str) {
    // The shell's own: a bare Debian has no program of this name.
    let line = format!("kill {signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

fn after(milliseconds: u64) -> impl Fn() -> bool {
    move || {
        sleep(Duration::from_millis(milliseconds));
        true
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn rows_done(path: &Path) -> u32 {
    let found = UnfinishedSequences::read(&partial(path)).ok().flatten();
    found.map_or(0, |found| found.rows_done)
}

#[test]
fn an_interrupted_run_is_gone_on_with_to_the_same_bytes() {
    let folder = Folder::new();
    let corpus = folder.random("corpus.npy", 3000, 32);
    let order = |path: &Path| vkd(args!["order", corpus, "-o", path, "--starts", "0-999"]);
    let whole = folder.path("whole");
    assert_eq!(ended(order(&whole)).printed(), "");
    for signal in ["-INT", "-TERM"] {
        let path = folder.path(signal);
        let said = interrupted(order(&path), signal, || rows_done(&path) > 0).refusal(130);
        assert!(said.starts_with("interrupted; ") && said.contains("the same command"), "{said}");
        let kept = rows_done(&path);
        assert!(kept > 0 && !path.exists(), "{kept} rows");
        let info = printed(args!["info", partial(&path)]);
        assert!(info.contains(&format!("rows done    {kept}\n")), "{info}");
        assert!(info.contains("complete     no\n"), "{info}");
        assert_eq!(ended(order(&path)).printed(), "");
        assert!(fs::read(&path).unwrap() == fs::read(&whole).unwrap());
        assert!(!partial(&path).exists());
    }
}

/// On a driver that may compile for longer than anyone waits.
#[test]
fn a_run_on_a_vulkan_driver_is_interrupted_at_any_time() {
    let folder = Folder::new();
    let corpus = folder.random("corpus.npy", 6000, 32);
    for milliseconds in [0, 5, 20, 40, 100, 400] {
        let path = folder.path(&milliseconds.to_string());
        let mut command = vkd(args!["order", corpus, "-o", path]);
        command.env("VKD_DEVICE", "llvmpipe");
        let said = interrupted(command, "-TERM", after(milliseconds)).refusal(130);
        assert!(said.starts_with("interrupted; "), "{said}");
        assert!(!path.exists());
    }
}

#[test]
fn who_prints_rows_is_interrupted_too() {
    let folder = Folder::new();
    let corpus = folder.random("corpus.npy", 3000, 32);
    let command = vkd(args!["order", corpus, "-o", "-"]);
    let said = interrupted(command, "-INT", after(300)).refusal(130);
    assert_eq!(said, "interrupted; nothing was written");
    // While it waits for standard input.
    let mut command = vkd(["order", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input = child.stdin.take();
    while !listens(&child) {
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_millis(100));
    kill(&child, "-INT");
    let end = Ended::of(child.wait_with_output().unwrap());
    drop(input);
    assert_eq!(end.refusal(130), "interrupted; nothing was written");
}
