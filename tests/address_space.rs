//! Small limits of what a process may have: address space, control groups, threads, and what the
//! environment says of memory and threads. Whatever they are, a call ends with a status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]
#![cfg(target_os = "linux")]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use common::programs::{library_folder, program, root};
use common::{alone, random};
use vkd::context::{Destination, NeighborsRequest};
use vkd::engine::cpu::{CpuEngine, Settings};
use vkd::engine::neighbors::Query;
use vkd::engine::Engine;
use vkd::progress::Progress;
use vkd::store::{OutputFile, SequencesFile};
use vkd::verify::{verify, Sample};
use vkd::{Context, ContextOptions, Corpus, Elements, Error, Request, Shape};

/// A folder of its own, gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("vkd-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn cpu() -> vkd::Result<Context> {
    Context::new(&ContextOptions { device: Some("cpu".into()), ..Default::default() })
}

fn compiled(folder: &Path) -> PathBuf {
    let (libraries, binary) = (library_folder(), folder.join("address_space"));
    let mut cc = program("cc");
    cc.args(["-std=gnu99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-Iinclude"]);
    cc.arg("tests/c/address_space.c").arg("-o").arg(&binary).current_dir(root());
    cc.arg("-L").arg(&libraries).arg("-lvkd");
    cc.arg(format!("-Wl,-rpath,{}", libraries.display()));
    assert!(cc.status().unwrap().success(), "{cc:?}");
    binary
}

/// From what the process has mapped to 40 MB more: where the least suffice, all is done.
#[test]
fn whatever_the_limit_of_address_space_a_call_ends_with_a_status() {
    let folder = Folder::new("space");
    let binary = compiled(&folder.0);
    let mut command = std::process::Command::new(binary);
    command.args(["512", "80"]).arg(&folder.0).env_remove("LD_LIBRARY_PATH");
    let output = command.env("VKD_THREADS", "2").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.starts_with("0 done") && !text.contains(" 0 refused"), "{text}");
}

/// A new group of this machine, with 64 MB; `None` where it may not be made.
fn group() -> Option<PathBuf> {
    let name = format!("vkd-test-{}", std::process::id());
    let (limit, bytes) = ("67108864", 67_108_864);
    for (place, file) in
        [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")]
    {
        let group = Path::new(place).join(&name);
        if fs::create_dir(&group).is_err() {
            continue;
        }
        // A folder of a plain file system has no such file of its own.
        let is_group = group.join("cgroup.procs").exists() && group.join(file).exists();
        let limited = is_group && fs::write(group.join(file), limit).is_ok();
        let got = fs::read_to_string(group.join(file)).ok();
        if limited && got.and_then(|got| got.trim().parse::<u64>().ok()) == Some(bytes) {
            return Some(group);
        }
        let _ = fs::remove_dir(&group);
    }
    None
}

#[test]
fn the_control_group_of_the_process_limits_it() {
    let Some(group) = group() else {
        return println!("no group can be made here: not tested");
    };
    let result = alone("in_a_control_group", |command| {
        command.env("VKD_TEST_GROUP", &group);
    });
    // The child has left.
    let _ = fs::remove_dir(&group);
    result.unwrap();
}

#[test]
#[ignore = "run by the_control_group_of_the_process_limits_it"]
fn in_a_control_group() {
    let group = std::env::var_os("VKD_TEST_GROUP").unwrap();
    let context = cpu().unwrap();
    let plan = |num_items: u32| {
        context.plan(Shape::new(num_items, 8), &Request::default(), Destination::Memory)
    };
    // The result is 144 MB, and what the machine has.
    plan(6000).unwrap();
    let procs = Path::new(&group).join("cgroup.procs");
    fs::write(&procs, std::process::id().to_string()).unwrap();
    let error = plan(6000).unwrap_err();
    let Error::TooLarge { available, .. } = error else { panic!("{error}") };
    assert!(available <= 67_108_864 && available > 30_000_000, "{available}");
    plan(1000).unwrap();
    // 60 MB of a file: most of its pages are cache that the kernel can drop.
    let folder = Folder::new("group");
    let path = folder.0.join("large");
    fs::write(&path, vec![7; 1 << 20].repeat(60)).unwrap();
    fs::File::open(&path).unwrap().sync_all().unwrap();
    let error = plan(6000).unwrap_err();
    let Error::TooLarge { available, .. } = error else { panic!("{error}") };
    assert!(available > 30_000_000, "{available}");
    // Back, so that the group can go.
    let parent = Path::new(&group).parent().unwrap().join("cgroup.procs");
    fs::write(parent, std::process::id().to_string()).unwrap();
}

/// No thread has room for such a stack.
#[test]
fn where_there_is_no_thread_that_is_a_status() {
    alone("without_threads", |command| {
        command.env("RUST_MIN_STACK", (1u64 << 46).to_string());
    })
    .unwrap();
}

#[test]
#[ignore = "run by where_there_is_no_thread_that_is_a_status"]
fn without_threads() {
    let npy = random(300, 8, 2);
    // The engine goes on with the thread that there is.
    let corpus = Corpus::prepare(&npy.input(false)).unwrap();
    let settings = Settings { threads: Some(4), ..Settings::default() };
    let mut engine = CpuEngine::new(&settings).unwrap();
    let query = Query { queries: None, k: 3 };
    engine.neighbors_in_memory(&corpus, &query, &Progress::default()).unwrap();
    // A job needs one.
    let request = NeighborsRequest { input: npy.input(false), k: 3, queries: None };
    let error = cpu().unwrap().neighbors(&request).unwrap_err();
    assert!(matches!(error, Error::NoThread { what: "a job", .. }), "{error}");
}

/// Values of a variable that are refused by its name.
fn refused(variable: &str, values: &[&[u8]]) {
    for value in values {
        alone("with_a_variable", |command| {
            command.env(variable, OsStr::from_bytes(value)).env("VKD_TEST_REFUSED", variable);
        })
        .unwrap();
    }
}

#[test]
fn odd_values_of_variables_are_refused_by_their_names() {
    let odd: [&[u8]; 6] = [b"0", b"-1", b"many", b"99999999999999999999", b"1 2", b"2\xff"];
    refused("VKD_MEMORY_LIMIT", &[&odd[..], &[b"G", b"1e9", b"0x10"]].concat());
    refused("VKD_THREADS", &[&odd[..], &[b"4097", b"2.5"]].concat());
}

#[test]
#[ignore = "run by odd_values_of_variables_are_refused_by_their_names"]
fn with_a_variable() {
    let variable = std::env::var("VKD_TEST_REFUSED").unwrap();
    let error = cpu().unwrap_err();
    assert!(matches!(error, Error::BadOption { .. }), "{error}");
    assert!(error.to_string().starts_with(&variable), "{error}");
}

#[test]
fn a_check_of_a_file_keeps_to_the_limit() {
    let folder = Folder::new("check");
    let target = OutputFile { path: folder.0.join("results"), overwrite: true, ids: None };
    let (npy, request) = (random(300, 8, 2), Request { length: 3, ..Request::default() });
    let file = Destination::File(&target);
    cpu().unwrap().start(&npy.input(false), &request, file).unwrap().into_result().unwrap();
    alone("checked_with_a_limit", |command| {
        command.env("VKD_TEST_RESULTS", &target.path).env("VKD_MEMORY_LIMIT", "2K");
    })
    .unwrap();
}

#[test]
#[ignore = "run by a_check_of_a_file_keeps_to_the_limit"]
fn checked_with_a_limit() {
    let path = std::env::var_os("VKD_TEST_RESULTS").unwrap();
    let file = SequencesFile::open(Path::new(&path)).unwrap();
    let npy = random(300, 8, 2);
    let shape = Shape::new(300, 8);
    let error = verify(&file, Elements::F32(&npy.values), shape, Sample::default()).unwrap_err();
    // For the fingerprint: a length of each item, two rows of doubles, and the prepared rows.
    let needed = 300 * 8 + 2 * 8 * 8 + 300 * 8 * 2;
    assert!(matches!(error, Error::TooLarge { needed: bytes, .. } if bytes == needed), "{error}");
}
