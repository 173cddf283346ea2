//! What cannot be done is said in one line, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(target_os = "linux")]

mod common;

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use common::{ended, golden, refusal, vkd, Folder};

#[test]
fn files_that_are_none_are_named() {
    let folder = Folder::new();
    let (missing, text) = (folder.path("missing.npy"), folder.text("text", "no embeddings\n"));
    let out = folder.path("out");
    for command in ["order", "neighbors", "similarity", "site", "info", "convert", "plan"] {
        for (file, why) in [(&missing, "No such file"), (&text, "it is in no format")] {
            let mut line = args![command, file].to_vec();
            match command {
                "neighbors" => line.extend(args!["-k", "1", "-o", out]),
                "convert" => line.extend(args!["-o", out, "--to", "npy"]),
                "info" | "plan" => {}
                _ => line.extend(args!["-o", out]),
            }
            let said = refusal(1, line);
            assert!(said.contains(why) && said.contains(file.to_str().unwrap()), "{said}");
            assert_eq!(folder.names(), ["text"], "{command}");
        }
    }
    for line in [
        args!["verify", missing, missing].to_vec(),
        args!["export", missing, "-o", out].to_vec(),
        args!["order", golden("odd_257x7.npy"), "--starts", "@nothing"].to_vec(),
    ] {
        assert!(refusal(1, line).contains("No such file"));
    }
    // What was given raw says so.
    let line = args!["order", golden("odd_257x7.npy"), "--raw", "f64", "--dim", "1000"];
    assert!(refusal(1, line).contains("a whole number of rows"));
}

#[test]
fn items_that_are_none_are_named() {
    let folder = Folder::new();
    let (poems, plain) = (folder.poems(), golden("odd_257x7.npy"));
    let starts = |code, corpus: &OsString, list: &str| {
        refusal(code, args!["order", corpus, "--starts", list])
    };
    let (poems, plain) = (poems.into_os_string(), plain.into_os_string());
    let said = starts(1, &poems, "sea,Sea");
    assert!(said.contains("no item of") && said.contains("\"Sea\""), "{said}");
    let said = starts(1, &plain, "sea");
    assert!(said.contains("have no ids") && said.contains("--ids FILE"), "{said}");
    assert!(starts(1, &plain, "257").contains("from 0 to 256"));
    assert!(starts(1, &plain, "250-260").contains("from 0 to 256"));
    assert!(starts(1, &plain, "0-4294967295").contains("from 0 to 256"));
    assert!(starts(2, &plain, "9-3").contains("lower number first"));
    assert!(starts(2, &plain, "1,,2").contains("every comma"));
    assert!(starts(2, &plain, "").contains("every comma"));
    assert!(starts(2, &plain, "99999999999").contains("so many items"));
    let heads = |code, list: &str| refusal(code, args!["order", plain, "--heads", list]);
    assert!(heads(2, "1,2;3").contains("head 1 has 1 items, the first 2"));
    assert!(heads(1, "1,1").contains("stands twice"));
    let line = args!["order", plain, "--heads", "1,2", "--starts", "3"];
    assert!(refusal(2, line).contains("cannot be used with"));
}

#[test]
fn wrong_usage_is_told_from_what_fails() {
    let corpus = golden("odd_257x7.npy");
    for line in [
        &["--rule", "median"][..],
        &["--lambda", "0.5"],
        &["--rule", "mmr", "--lambda", "2"],
        &["--length", "0"],
        &["--length", "-1"],
        &["--raw", "f32"],
        &["--dim", "7"],
        &["--memory-limit", "much"],
        &["--no-such-option"],
    ] {
        let mut command = vkd(args!["order", corpus]);
        command.args(line);
        ended(command).refusal(2);
    }
    for line in [&[][..], &["nope"], &["order"], &["export", "x"], &["neighbors", "x"]] {
        refusal(2, line);
    }
    let length = args!["order", corpus, "--starts", "0", "--length", "300"];
    assert!(refusal(1, length).contains("more than the number of items, 257"));
    let device = args!["order", corpus, "--starts", "0", "--device", "no such card"];
    assert!(refusal(1, device).contains("matches no device; choose"));
    let memory = args!["order", corpus, "--starts", "0", "--memory-limit", "1K"];
    assert!(refusal(1, memory).contains("not enough memory"));
    let zero = Folder::new();
    let zeros = zero.text("zeros.json", "[[1, 0], [0, 0], [0, 1]]");
    assert!(refusal(1, args!["order", zeros]).contains("(--zero-rows)"));
    ended(vkd(args!["order", zeros, "--zero-rows"])).printed();
}

/// With at most so many blocks of 512 bytes for each file.
fn limited(blocks: u32, line: &[OsString]) -> Command {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_vkd")]).args(line);
    command.env("VKD_DEVICE", "cpu");
    command
}

#[test]
fn a_full_disk_leaves_nothing() {
    let folder = Folder::new();
    let corpus = folder.random("corpus.npy", 500, 64);
    let out = folder.path("out");
    let export = {
        let results = folder.path("results");
        ended(vkd(args!["order", corpus, "-o", results])).printed();
        args!["export", results, "-o", out].to_vec()
    };
    for line in [
        args!["order", corpus, "-o", out].to_vec(),
        args!["neighbors", corpus, "-k", "400", "-o", out].to_vec(),
        args!["similarity", corpus, "-o", out].to_vec(),
        args!["convert", corpus, "-o", out, "--to", "safetensors"].to_vec(),
        export,
    ] {
        let said = ended(limited(64, &line)).refusal(1);
        assert!(said.contains("make room"), "{said}");
        assert_eq!(folder.names(), ["corpus.npy", "results"], "{line:?}");
    }
    let said = ended(limited(1, &args!["site", corpus, "-o", out, "-k", "400"])).refusal(1);
    assert!(said.contains("make room"), "{said}");
}

/// Not even root makes files there.
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let corpus = golden("odd_257x7.npy");
    let file = "/sys/vkd.out";
    for line in [
        args!["order", corpus, "-o", file].to_vec(),
        args!["neighbors", corpus, "-k", "4", "-o", file].to_vec(),
        args!["similarity", corpus, "-o", file].to_vec(),
        args!["convert", corpus, "-o", file, "--to", "npy"].to_vec(),
        args!["site", corpus, "-o", file].to_vec(),
        args!["man", file].to_vec(),
    ] {
        let said = refusal(1, line);
        assert!(said.contains(file) && said.contains("; "), "{said}");
    }
}

#[test]
fn what_is_not_vkds_is_never_replaced() {
    let folder = Folder::new();
    let (corpus, poem) = (golden("odd_257x7.npy"), folder.text("poem", "my only copy"));
    for line in [
        args!["order", corpus, "-o", poem, "--overwrite"].to_vec(),
        args!["neighbors", corpus, "-k", "4", "-o", poem, "--overwrite"].to_vec(),
        args!["similarity", corpus, "-o", poem].to_vec(),
        args!["convert", corpus, "-o", poem, "--to", "npy", "--overwrite"].to_vec(),
    ] {
        assert!(refusal(1, line).contains("is not replaced"));
        assert_eq!(fs::read(&poem).unwrap(), b"my only copy");
    }
    assert_eq!(folder.names(), ["poem"]);
}
