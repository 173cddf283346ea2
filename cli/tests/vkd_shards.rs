//! `vkd order --shard` and `vkd merge`: parts become what one machine writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;

use common::{ended, printed, refusal, vkd, Folder};

#[test]
fn parts_become_the_file_of_one_machine() {
    let folder = Folder::new();
    let (corpus, whole, merged) =
        (folder.random("corpus.npy", 50, 5), folder.path("whole"), folder.path("merged"));
    printed(args!["order", corpus, "-o", whole]);
    let parts = ["1", "2", "3"].map(|index| folder.path(index));
    for (index, part) in (1..).zip(&parts) {
        let shard = format!("{index}/3");
        printed(args!["order", corpus, "-o", part, "--shard", shard]);
        let info = printed(args!["info", part]);
        assert!(info.contains(&format!("shard         {index}/3\n")), "{info}");
    }
    let [first, second, third] = &parts;
    let said = refusal(1, args!["merge", first, third, "-o", merged]);
    assert!(said.contains("part 2 of 3 is missing"), "{said}");
    assert!(!merged.exists());
    let line = args!["merge", third, first, second, "-o", merged, "--check", "4"];
    assert!(refusal(2, line.clone()).contains("--corpus"));
    let mut command = vkd(line);
    command.arg("--corpus").arg(&corpus);
    assert_eq!(ended(command).printed(), "");
    assert!(fs::read(&merged).unwrap() == fs::read(&whole).unwrap());
    let other = folder.random("other.npy", 50, 6);
    let said = refusal(1, args!["merge", first, second, third, "-o", merged, "--corpus", other]);
    assert!(said.contains("its fingerprint is"), "{said}");
}

#[test]
fn an_array_of_jobs_says_which_part_is_whose() {
    let folder = Folder::new();
    let corpus = folder.random("corpus.npy", 20, 5);
    let order = |shard: &str| vkd(args!["order", corpus, "--length", "3", "--shard", shard]);
    let mut command = order("auto");
    command.env("JOB_COMPLETION_INDEX", "1").env("VKD_SHARDS", "4");
    assert_eq!(ended(command).printed(), ended(order("2/4")).printed());
    assert!(ended(order("auto")).refusal(2).contains("neither is set"));
    assert!(ended(order("5/4")).refusal(2).contains("from 1 to 4"));
    assert!(ended(order("1/21")).refusal(1).contains("at most that many shards"));
}
