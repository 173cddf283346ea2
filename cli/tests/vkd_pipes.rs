//! Standard input and output: pipes that close, a full disk behind them, no colours where nobody
//! looks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::process::Stdio;

use common::{ended, fed, golden, printed, vkd, Ended, Folder, POEMS};

#[test]
fn embeddings_come_from_standard_input() {
    let folder = Folder::new();
    let poems = folder.poems();
    let temporary = folder.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let piped = |line: &[&str]| {
        let mut command = vkd(line);
        command.env("TMPDIR", &temporary);
        fed(command, POEMS.as_bytes())
    };
    let expected = printed(args!["order", poems, "--starts", "sea"]);
    assert_eq!(piped(&["order", "-", "--starts", "sea"]).printed(), expected);
    assert!(piped(&["info", "-"]).printed().contains("items      5\n"));
    // Into a file whose rows are gone on with, though the corpus has no name.
    let results = folder.path("results").into_os_string().into_string().unwrap();
    for length in ["2", "4"] {
        assert_eq!(piped(&["order", "-", "-o", &results, "--length", length]).printed(), "");
    }
    let npy = fs::read(golden("odd_257x7.npy")).unwrap();
    let expected = printed(args!["order", golden("odd_257x7.npy"), "--starts", "3"]);
    assert_eq!(fed(vkd(["order", "-", "--starts", "3"]), &npy).printed(), expected);
    let said = fed(vkd(["order", "-"]), b"no embeddings\n").refusal(1);
    assert!(said.starts_with("standard input: it is in no format"), "{said}");
    assert!(fed(vkd(["order", "-"]), b"").refusal(1).starts_with("standard input: it holds no"));
    let said = piped(&["order", "-", "--starts", "lake"]).refusal(1);
    assert!(said.starts_with("no item of standard input has the id \"lake\""), "{said}");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    let mut command = vkd(["order", "-"]);
    command.env("TMPDIR", folder.path("missing"));
    assert!(ended(command).refusal(1).contains("set TMPDIR"));
}

#[test]
fn a_pipe_that_closes_is_no_failure() {
    let corpus = golden("half_1000x48.npy");
    // Far more than a pipe holds.
    let commands = [
        args!["order", corpus, "-o", "-", "--length", "500"],
        args!["neighbors", corpus, "-o", "-", "-k", "500"],
    ];
    for line in commands {
        let mut command = vkd(line);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 8];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let Ended { code, err, .. } = Ended::of(child.wait_with_output().unwrap());
        assert_eq!((code, &*err), (Some(0), ""));
    }
    for line in [&["--help"][..], &["completions", "bash"], &["devices"]] {
        let mut command = vkd(line);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let Ended { code, err, .. } = Ended::of(child.wait_with_output().unwrap());
        assert_eq!((code, &*err), (Some(0), ""), "{line:?}");
    }
}

#[test]
fn a_full_disk_behind_standard_output_is_said() {
    let corpus = golden("odd_257x7.npy");
    for line in [
        args!["order", corpus, "--starts", "0"].to_vec(),
        args!["similarity", corpus, "-o", "-"].to_vec(),
        args!["convert", corpus, "-o", "-", "--to", "npy"].to_vec(),
        args!["devices"].to_vec(),
        args!["info", corpus].to_vec(),
    ] {
        let mut command = vkd(line);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        command.stderr(Stdio::piped());
        let said = Ended::of(command.spawn().unwrap().wait_with_output().unwrap()).refusal(1);
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
}

#[test]
fn without_a_terminal_there_are_neither_colours_nor_progress() {
    let folder = Folder::new();
    let corpus = folder.random("corpus.npy", 800, 16);
    let order = args!["order", corpus, "-o", folder.path("results")];
    for line in [&order[..], &args!["order", "--help"], &args!["--help"], &args!["info", corpus]] {
        for color in [false, true] {
            let mut command = vkd(line);
            if color {
                command.env("NO_COLOR", "1");
            }
            let out = ended(command).printed();
            assert!(!out.contains('\x1b'), "{out}");
        }
    }
    let said = ended(vkd(["order"])).refusal(2);
    assert!(!said.contains('\x1b'), "{said}");
}

/// `script` gives the command a terminal.
#[test]
fn on_a_terminal_there_is_progress_unless_it_is_not_wanted() {
    let folder = Folder::new();
    let corpus = folder.random("corpus.npy", 1500, 16);
    let vkd = env!("CARGO_BIN_EXE_vkd");
    let seen = |quiet: &str, name: &str| {
        let line =
            format!("{vkd} order {} -o {} {quiet}", corpus.display(), folder.path(name).display());
        let mut command = std::process::Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        command.env("VKD_DEVICE", "cpu").env("NO_COLOR", "1").env("TERM", "xterm");
        let output = command.output().expect("script (package bsdutils) is installed");
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let text = seen("", "loud");
    assert!(text.contains("% ") || text.contains(" %"), "{text:?}");
    assert!(text.contains("is written: 1500 sequences of 1500 items"), "{text:?}");
    // Moving the cursor is no colour.
    assert!(!text.contains("\x1b[3") && !text.contains("\x1b[1m"), "{text:?}");
    assert_eq!(seen("--quiet", "quiet"), "");
}
