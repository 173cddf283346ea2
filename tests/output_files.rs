//! What a run may write over, and who writes: only regular files of vkd's own are replaced, all is
//! checked before any work, and however many runs in however many threads and processes want one
//! name, whoever is told that it holds their results finds them there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(target_os = "linux")]

mod common;

use std::ffi::CString;
use std::os::unix::fs::{symlink, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use common::{random, Npy};
use vkd::context::{start_site_write, Destination, NeighborsRequest};
use vkd::job::Job;
use vkd::plan::Plan;
use vkd::site::{Site, Source};
use vkd::store::{
    Begun, NeighborsFile, OutputFile, ResultsKind, SequencesFile, SequencesMeta, SequencesWriter,
};
use vkd::{Context, ContextOptions, Error, Request, Rule};

/// A folder of its own, removed at the end; in memory, where nothing waits for a disk.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = parent.join(format!("vkd-output-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// All names in it.
    fn names(&self) -> Vec<String> {
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<String> = std::fs::read_dir(&self.0).unwrap().map(name).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn cpu() -> Context {
    let (device, threads) = (Some("cpu".into()), Some(1));
    let mut options = ContextOptions { device, ..Default::default() };
    options.cpu.threads = threads;
    Context::new(&options).unwrap()
}

fn to(path: &Path, overwrite: bool) -> OutputFile {
    OutputFile { path: path.to_owned(), overwrite, ids: None }
}

fn request(length: u32) -> Request {
    Request { length, ..Request::default() }
}

fn sequences(context: &Context, npy: &Npy, length: u32, file: &OutputFile) -> Result<(), Error> {
    let job = context.start(&npy.input(false), &request(length), Destination::File(file))?;
    job.into_result().map(|_| ())
}

fn neighbors(context: &Context, npy: &Npy, k: u32, file: &OutputFile) -> Result<(), Error> {
    let search = NeighborsRequest { input: npy.input(false), k, queries: None };
    context.start_neighbors(&search, Destination::File(file))?.into_result().map(|_| ())
}

/// Waits until a job has the engine: the thread of a later one may be faster.
fn until_at_work<T>(job: &Job<T>) {
    while job.progress().steps_done() == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Writes the rankings of three items.
fn rankings(path: &Path) -> Result<(), Error> {
    let source = Source::Sequences {
        num_items: 3,
        length: 3,
        items: vec![0, 1, 2, 1, 2, 0],
        rule: Rule::Centroid,
    };
    let site = Site { rankings: Some(path.to_owned()), ..Site::default() };
    start_site_write(source, site)?.into_result()
}

/// A corpus that no run gets past: to be refused for its file, a run must look at that first.
fn unusable() -> Npy {
    let mut npy = random(50, 3, 1);
    npy.values[7] = f32::NAN;
    npy
}

fn make_fifo(path: &Path) {
    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a path that ends with NUL.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

/// Every way to write a result at `path`, with and without overwriting.
fn every_way(path: &Path) -> Vec<Error> {
    let (context, npy) = (cpu(), unusable());
    let mut errors = vec![rankings(path).unwrap_err()];
    let site = Site { rankings: Some(path.to_owned()), ..Site::default() };
    let search = NeighborsRequest { input: npy.input(false), k: 9, queries: None };
    // Before the job, where nothing was left by another run.
    if partial(path).symlink_metadata().is_err() {
        errors.push(context.start_site(&search, site.clone()).unwrap_err());
    }
    for overwrite in [false, true] {
        let file = to(path, overwrite);
        errors.push(sequences(&context, &npy, 9, &file).unwrap_err());
        errors.push(neighbors(&context, &npy, 9, &file).unwrap_err());
    }
    errors
}

#[test]
fn only_files_of_ours_are_replaced_and_all_else_is_refused_before_any_work() {
    let folder = Folder::new("foreign");
    let path = |name| folder.join(name);
    std::fs::create_dir(path("folder")).unwrap();
    make_fifo(&path("fifo"));
    std::fs::write(path("poem"), "my only copy of a poem").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    symlink("/dev/null", path("null")).unwrap();
    symlink("folder", path("link-to-folder")).unwrap();
    symlink("loop", path("loop")).unwrap();
    for name in ["null", "fifo", "folder", "socket", "poem", "empty", "link-to-folder", "loop"] {
        let before = folder.names();
        for error in every_way(&path(name)) {
            assert!(matches!(error, Error::NotReplaced { .. }), "{name}: {error}");
            assert!(!error.to_string().contains("overwrite"), "{name}: {error}");
        }
        assert_eq!(folder.names(), before, "{name}");
    }
    assert!(path("fifo").symlink_metadata().unwrap().file_type().is_fifo());
    assert!(Path::new("/dev/null").metadata().unwrap().file_type().is_char_device());
    assert_eq!(std::fs::read(path("poem")).unwrap(), b"my only copy of a poem");
    for name in ["missing/file", "poem/file"] {
        for error in every_way(&path(name)) {
            assert!(matches!(error, Error::File { action: "open", .. }), "{name}: {error}");
        }
    }
    for error in every_way(Path::new(&format!("{}/new/", folder.0.display()))) {
        assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
    }
}

#[test]
fn what_lies_at_the_partial_name_is_as_safe() {
    let folder = Folder::new("partial");
    let (path, victim) = (folder.join("file"), folder.join("victim"));
    std::fs::write(&victim, "precious").unwrap();
    let refused = |what: &str| {
        for error in every_way(&path) {
            assert!(matches!(error, Error::NotReplaced { .. }), "{what}: {error}");
            assert!(error.to_string().contains("file.partial is not"), "{what}: {error}");
        }
        std::fs::remove_file(partial(&path)).unwrap();
        assert_eq!(folder.names(), ["victim"], "{what}");
    };
    std::fs::write(partial(&path), "a file of mine").unwrap();
    refused("a text");
    symlink("victim", partial(&path)).unwrap();
    refused("a link");
    symlink("nothing", partial(&path)).unwrap();
    refused("a link to nothing");
    make_fifo(&partial(&path));
    refused("a FIFO");
    std::fs::hard_link(&victim, partial(&path)).unwrap();
    refused("a second name");
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

/// The rows of an interrupted run of sequences are lost to nothing but the overwrite flag.
#[test]
fn neighbors_and_rankings_leave_an_interrupted_run_alone() {
    let folder = Folder::new("interrupted");
    let (path, context, npy) = (folder.join("file"), cpu(), random(60, 4, 2));
    sequences(&context, &npy, 9, &to(&path, false)).unwrap();
    std::fs::rename(&path, partial(&path)).unwrap();
    let before = std::fs::read(partial(&path)).unwrap();
    let error = neighbors(&context, &npy, 9, &to(&path, false)).unwrap_err();
    assert!(matches!(error, Error::FileMismatch { what: "format", .. }), "{error}");
    rankings(&path).unwrap_err();
    let error = sequences(&context, &npy, 8, &to(&path, false)).unwrap_err();
    assert!(matches!(error, Error::FileMismatch { what: "length", .. }), "{error}");
    assert!(std::fs::read(partial(&path)).unwrap() == before);
    sequences(&context, &npy, 9, &to(&path, false)).unwrap();
    assert!(std::fs::read(&path).unwrap() == before);
    // Neighbours go by the same rules.
    neighbors(&context, &npy, 9, &to(&path, true)).unwrap();
    std::fs::rename(&path, partial(&path)).unwrap();
    let before = std::fs::read(partial(&path)).unwrap();
    for (k, npy, what) in [(8, &npy, "k"), (9, &random(60, 4, 3), "corpus fingerprint")] {
        let error = neighbors(&context, npy, k, &to(&path, false)).unwrap_err();
        assert!(matches!(error, Error::FileMismatch { what: w, .. } if w == what), "{error}");
    }
    let error = sequences(&context, &npy, 9, &to(&path, false)).unwrap_err();
    assert!(matches!(error, Error::OtherKind { .. }), "{error}");
    assert!(std::fs::read(partial(&path)).unwrap() == before);
    neighbors(&context, &npy, 9, &to(&path, false)).unwrap();
    assert!(std::fs::read(&path).unwrap() == before);
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn rankings_replace_rankings_only() {
    let folder = Folder::new("rankings");
    let (path, results) = (folder.join("rankings.json"), folder.join("results"));
    rankings(&path).unwrap();
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&text[..40], b"..., cut short"].concat()).unwrap();
    rankings(&path).unwrap();
    assert!(std::fs::read(&path).unwrap() == text);
    sequences(&cpu(), &random(60, 4, 2), 9, &to(&results, false)).unwrap();
    let before = std::fs::read(&results).unwrap();
    let site = Site { rankings: Some(results.clone()), ..Site::default() };
    let write = || start_site_write(Source::open(&results).unwrap(), site.clone())?.into_result();
    let error = write().unwrap_err();
    assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
    assert!(std::fs::read(&results).unwrap() == before);
    // And results do not replace rankings.
    let error = sequences(&cpu(), &unusable(), 9, &to(&path, true)).unwrap_err();
    assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
    assert_eq!(folder.names(), ["rankings.json", "results"]);
}

#[test]
fn a_link_stays_a_link_and_its_target_is_replaced() {
    let (folder, elsewhere) = (Folder::new("link"), Folder::new("elsewhere"));
    let (link, file) = (folder.join("link"), elsewhere.join("file"));
    symlink(elsewhere.0.join("other"), &link).unwrap();
    symlink("file", elsewhere.join("other")).unwrap();
    let (context, npy) = (cpu(), random(60, 4, 2));
    // To nothing yet, then to a shorter file, then to one of another corpus.
    for (npy, length, overwrite) in
        [(&npy, 7, false), (&npy, 9, false), (&random(60, 4, 9), 9, true)]
    {
        sequences(&context, npy, length, &to(&link, overwrite)).unwrap();
        assert!(link.is_symlink() && elsewhere.join("other").is_symlink());
        assert_eq!(SequencesFile::open(&file).unwrap().meta().length, length);
    }
    neighbors(&context, &npy, 9, &to(&link, true)).unwrap();
    NeighborsFile::open(&file).unwrap();
    assert_eq!(
        (folder.names(), elsewhere.names()),
        (vec!["link".into()], vec!["file".into(), "other".to_owned()])
    );
}

/// Without the other end of a FIFO, opening it would wait for ever.
#[test]
fn what_is_no_regular_file_is_not_read() {
    let folder = Folder::new("read");
    let fifo = folder.join("fifo");
    make_fifo(&fifo);
    for path in [&fifo, Path::new("/dev/zero"), &folder.0] {
        for error in [
            SequencesFile::open(path).unwrap_err(),
            NeighborsFile::open(path).unwrap_err(),
            ResultsKind::of(path).unwrap_err(),
            Source::open(path).unwrap_err(),
        ] {
            assert!(matches!(error, Error::NoResults { .. }), "{error}");
        }
    }
}

/// What happens to the names while a run is at work is noticed before anything is replaced.
#[test]
fn a_name_that_was_taken_or_lost_meanwhile_is_an_error() {
    let folder = Folder::new("meanwhile");
    let path = folder.join("file");
    let plan =
        Plan::new(&Request { starts: Some(vec![0]), length: 1, ..Request::default() }, 9).unwrap();
    let meta = SequencesMeta {
        version: "0.1.0".into(),
        fingerprint: "00112233445566778899aabbccddeeff".into(),
        centered: false,
        num_items: 9,
        count: 1,
        length: 1,
        head: 1,
        rule: Rule::Centroid,
        values: false,
        shard: None,
    };
    let begin = |overwrite| match SequencesWriter::begin(&to(&path, overwrite), &meta, &plan) {
        Ok(Begun::Open(writer, rest)) => (writer, rest),
        other => panic!("{other:?}"),
    };
    for overwrite in [false, true] {
        let (writer, rest) = begin(overwrite);
        std::fs::write(&path, "a poem").unwrap();
        let error = writer.finish(rest).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"a poem");
        std::fs::remove_file(&path).unwrap();
    }
    // The partial file is whole, but for its name.
    let (writer, rest) = begin(false);
    writer.finish(rest).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for change in [
        (|path| std::fs::remove_file(path)) as fn(&Path) -> std::io::Result<()>,
        |path| std::fs::rename(path, path.with_extension("moved")),
        |path| std::fs::remove_file(path).and_then(|()| std::fs::write(path, "another's")),
    ] {
        let (writer, rest) = begin(true);
        change(&partial(&path)).unwrap();
        let error = writer.finish(rest).unwrap_err();
        assert!(error.to_string().contains("while the run was at work"), "{error}");
        let _ = std::fs::remove_file(partial(&path));
        assert!(std::fs::read(&path).unwrap() == whole);
    }
}

#[test]
fn a_relative_path_is_what_it_was_at_the_start() {
    let folder = Folder::new("chdir");
    common::alone("child_changes_its_folder", |command: &mut Command| {
        command.env("VKD_TEST_PATH", &folder.0);
    })
    .unwrap_or_else(|printed| panic!("{printed}"));
}

#[test]
#[ignore = "run by a_relative_path_is_what_it_was_at_the_start"]
fn child_changes_its_folder() {
    let folder = PathBuf::from(std::env::var("VKD_TEST_PATH").unwrap());
    let (context, npy) = (cpu(), random(700, 4, 2));
    std::fs::create_dir(folder.join("one")).unwrap();
    std::env::set_current_dir(folder.join("one")).unwrap();
    let file = to(Path::new("file"), false);
    let search = NeighborsRequest { input: npy.input(false), k: 9, queries: None };
    let job = context.start(&npy.input(false), &request(0), Destination::File(&file)).unwrap();
    let found = to(Path::new("neighbors"), false);
    let second = context.start_neighbors(&search, Destination::File(&found)).unwrap();
    std::env::set_current_dir("/").unwrap();
    std::fs::rename(folder.join("one"), folder.join("two")).unwrap();
    job.into_result().unwrap();
    second.into_result().unwrap();
    SequencesFile::open(&folder.join("two/file")).unwrap().verify().unwrap();
    NeighborsFile::open(&folder.join("two/neighbors")).unwrap().verify().unwrap();
}

/// A job that was cancelled while it waits for the engine ends for its watchers before its thread
/// does; the file is free all the same.
#[test]
fn a_cancelled_job_does_not_keep_its_file() {
    let folder = Folder::new("cancelled");
    let (context, npy) = (cpu(), random(3000, 8, 4));
    let long = context.start(&npy.input(false), &request(0), Destination::Memory).unwrap();
    let small = random(60, 4, 2);
    until_at_work(&long);
    for overwrite in [false, true] {
        let file = to(&folder.join("sequences"), overwrite);
        let start = || context.start(&small.input(false), &request(0), Destination::File(&file));
        let cancelled = start().unwrap();
        cancelled.cancel();
        assert!(matches!(cancelled.wait(None).unwrap().as_ref(), Err(Error::Cancelled)));
        let again = start().unwrap();
        again.cancel();
        again.wait(None).unwrap();
        std::mem::forget((cancelled, again));
    }
    long.cancel();
    drop(long);
    sequences(&context, &small, 0, &to(&folder.join("sequences"), false)).unwrap();
    assert_eq!(folder.names(), ["sequences"]);
}

/// A child that lives on while the run ends, or the whole process.
#[test]
fn a_forked_child_keeps_no_lock() {
    let folder = Folder::new("fork");
    let path = folder.join("file");
    let printed = common::alone("child_forks", |command: &mut Command| {
        command.env("VKD_TEST_PATH", &path);
    });
    printed.unwrap_or_else(|printed| panic!("{printed}"));
    let child: i32 = std::fs::read_to_string(folder.join("child")).unwrap().parse().unwrap();
    // It lets go of the file before it sleeps, which can be after the end of its parent.
    let state = || std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    let asleep = || state().contains(") S");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !asleep() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    let state = state();
    let alive = asleep();
    let result = sequences(&cpu(), &random(60, 4, 2), 0, &to(&path, false));
    // SAFETY: no conditions; the child of a test of this program.
    unsafe { libc::kill(child, libc::SIGKILL) };
    assert!(alive, "the child did not live long enough to tell: {state}");
    result.unwrap();
}

/// Forks a child that does nothing for a minute.
fn sleeping_child() -> i32 {
    // SAFETY: the child calls nothing but close, sleep and _exit.
    let child = unsafe {
        let child = libc::fork();
        if child == 0 {
            // The pipes of whoever waits for this test.
            (0..3).for_each(|descriptor| assert_eq!(libc::close(descriptor), 0));
            libc::sleep(60);
            libc::_exit(0);
        }
        child
    };
    assert!(child > 0);
    child
}

#[test]
#[ignore = "run by a_forked_child_keeps_no_lock"]
fn child_forks() {
    let path = PathBuf::from(std::env::var("VKD_TEST_PATH").unwrap());
    let (context, busy_input, small) = (cpu(), random(3000, 8, 4), random(60, 4, 2));
    let long = context.start(&busy_input.input(false), &request(0), Destination::Memory).unwrap();
    let file = to(&path, false);
    let start = || context.start(&small.input(false), &request(0), Destination::File(&file));
    until_at_work(&long);
    let waiting = start().unwrap();
    let busy = sequences(&cpu(), &small, 0, &file).unwrap_err();
    assert!(matches!(busy, Error::FileBusy { .. }), "{busy}");
    let first = sleeping_child();
    long.cancel();
    waiting.cancel();
    drop((long, waiting));
    // The run has ended, and the file is free.
    let long = context.start(&busy_input.input(false), &request(0), Destination::Memory).unwrap();
    until_at_work(&long);
    let held = start().unwrap();
    // SAFETY: no conditions; a child of this process.
    unsafe { libc::kill(first, libc::SIGKILL) };
    let second = sleeping_child();
    std::fs::write(path.with_file_name("child"), second.to_string()).unwrap();
    // The process ends with the file locked.
    std::mem::forget((long, held));
}

// Many runs, one name

/// Seconds of each stress test.
fn stress_seconds() -> f64 {
    std::env::var("VKD_STRESS_SECONDS").map_or(1.5, |text| text.parse().unwrap())
}

/// What a run of a random size into one path is told; OK must be true.
fn one_run(context: &Context, npy: &Npy, kind: u32, size: u32, path: &Path) -> Result<u32, Error> {
    let file = to(path, false);
    match kind {
        0 => sequences(context, npy, size, &file).map(|()| size),
        _ => neighbors(context, npy, size, &file).map(|()| size),
    }
}

fn held_size(kind: u32, path: &Path) -> u32 {
    match kind {
        0 => {
            let file = SequencesFile::open(path).unwrap();
            file.verify().unwrap();
            file.meta().length
        }
        _ => {
            let file = NeighborsFile::open(path).unwrap();
            file.verify().unwrap();
            file.meta().k
        }
    }
}

/// Six threads at once want six sizes: the file that is left holds the largest of those who were
/// told that it is done. A reader keeps what it has mapped.
#[test]
fn threads_on_one_path_get_what_they_were_told() {
    let folder = Folder::new("threads");
    let contexts: Vec<Context> = (0..6).map(|_| cpu()).collect();
    let npy = random(80, 4, 2);
    let (begin, mut rounds, mut done) = (Instant::now(), 0u32, 0usize);
    while begin.elapsed().as_secs_f64() < stress_seconds() {
        let (kind, path) = (rounds % 2, folder.join("file"));
        let (barrier, told) = (Barrier::new(contexts.len()), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for (place, context) in (0..).zip(&contexts) {
                let (barrier, told, npy, path) = (&barrier, &told, &npy, &path);
                scope.spawn(move || {
                    barrier.wait();
                    let size = 8 + (rounds * 7 + place * 11) % 70;
                    let result = one_run(context, npy, kind, size, path);
                    told.lock().unwrap().push(result);
                });
            }
        });
        let told = told.into_inner().unwrap();
        let sizes = told.iter().filter_map(|result| result.as_ref().ok());
        done += sizes.clone().count();
        let largest = *sizes.max().unwrap();
        for error in told.iter().filter_map(|result| result.as_ref().err()) {
            // Another's partial file is of another length while that one is at work.
            assert!(matches!(error, Error::FileBusy { .. }), "round {rounds}: {error}");
        }
        assert_eq!(held_size(kind, &path), largest, "round {rounds}: {told:?}");
        assert_eq!(folder.names(), ["file"], "round {rounds}");
        std::fs::remove_file(&path).unwrap();
        rounds += 1;
    }
    assert!(rounds > 10 && done >= rounds as usize, "{rounds} rounds, {done} runs");
}

/// Processes on one path, again and again: after each OK the file holds at least as much, and a
/// reader's file, replaced or not, stays as it was mapped.
#[test]
fn processes_on_one_path_get_what_they_were_told() {
    let folder = Folder::new("processes");
    let command = |seed: u32| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child_runs", "--ignored", "--nocapture"]);
        command.env("VKD_TEST_PATH", folder.join("file")).env("VKD_TEST_SEED", seed.to_string());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(command).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && printed.contains("1 passed"), "{printed}{errors}");
    }
}

#[test]
#[ignore = "run by processes_on_one_path_get_what_they_were_told"]
fn child_runs() {
    let path = PathBuf::from(std::env::var("VKD_TEST_PATH").unwrap());
    let mut state = 1 + std::env::var("VKD_TEST_SEED").unwrap().parse::<u64>().unwrap();
    let (context, npy) = (cpu(), random(80, 4, 2));
    let (begin, mut done) = (Instant::now(), 0);
    while begin.elapsed().as_secs_f64() < stress_seconds() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let size = 8 + (state >> 40) as u32 % 70;
        if size > 74 {
            // As a user who tidies up: no run may then take another's file for its own.
            let _ = std::fs::remove_file(&path);
        }
        match one_run(&context, &npy, 0, size, &path) {
            Ok(size) => {
                done += 1;
                let Ok(file) = SequencesFile::open(&path) else { continue };
                let inode = path.metadata().map(|about| about.ino());
                file.verify().unwrap_or_else(|error| panic!("of {size}, {inode:?}: {error}"));
                std::thread::sleep(Duration::from_micros(200));
                file.verify().unwrap_or_else(|error| panic!("later: of {size}: {error}"));
            }
            Err(Error::FileBusy { .. }) => {}
            // Who tidies up does so at any moment, also between a look and the naming.
            Err(Error::File { action: "finish", .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(done > 10, "{done} runs");
}
