//! Runs that are split into parts: what is merged has the bytes of one run, and what is no whole is
//! refused by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{random, Npy};
use vkd::context::{start_merge, Destination, RandomRows};
use vkd::engine::PutSequences;
use vkd::plan::Plan;
use vkd::sequence::Sequence;
use vkd::store::{Begun, OutputFile, SequencesFile, SequencesMeta, SequencesWriter};
use vkd::{Context, ContextOptions, Error, Heads, Ids, Request, Rule, Shape, Shard};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("vkd-merge-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn context(device: &str) -> Context {
    Context::new(&ContextOptions { device: Some(device.into()), ..Default::default() }).unwrap()
}

fn file(path: &Path) -> OutputFile {
    OutputFile { path: path.to_owned(), overwrite: false, ids: None }
}

fn ids(names: impl IntoIterator<Item = String>) -> Option<Arc<Ids>> {
    Some(Ids::new(names).unwrap().into())
}

/// A run into a file.
fn run(on: &Context, npy: &Npy, request: &Request, to: &OutputFile) -> Result<(), Error> {
    let job = on.start(&npy.input(false), request, Destination::File(to))?;
    job.into_result().map(|_| ())
}

fn shard(index: u32, count: u32) -> Option<Shard> {
    Some(Shard::new(index, count).unwrap())
}

/// A corpus, what is asked of it, and the ids of its items.
struct Case {
    npy: Npy,
    request: Request,
    ids: Option<Arc<Ids>>,
}

impl Case {
    fn new(request: Request) -> Case {
        Case { npy: random(40, 6, 3), request, ids: None }
    }

    fn to(&self, path: &Path) -> OutputFile {
        OutputFile { ids: self.ids.clone(), ..file(path) }
    }

    /// The file of one run on one machine.
    fn whole(&self, folder: &Folder) -> Vec<u8> {
        let path = folder.join("whole");
        let to = OutputFile { overwrite: true, ..self.to(&path) };
        run(&context("cpu"), &self.npy, &self.request, &to).unwrap();
        std::fs::read(path).unwrap()
    }

    /// The files of so many parts, each on the next of these devices.
    fn parts(&self, folder: &Folder, count: u32, devices: &[&Context]) -> Vec<PathBuf> {
        let part = |index| {
            let path = folder.join(&format!("{index} of {count}"));
            let request = Request { shard: shard(index, count), ..self.request.clone() };
            let device = devices[index as usize % devices.len()];
            let to = OutputFile { overwrite: true, ..self.to(&path) };
            run(device, &self.npy, &request, &to).unwrap();
            path
        };
        (1..=count).map(part).collect()
    }
}

fn merge(parts: &[PathBuf], to: &Path) -> Result<Vec<u8>, Error> {
    start_merge(parts, &file(to))?.into_result()?;
    Ok(std::fs::read(to).unwrap())
}

fn refused(parts: &[PathBuf], to: &Path) -> String {
    let there = std::fs::read(to).ok();
    let error = merge(parts, to).unwrap_err();
    assert_eq!(std::fs::read(to).ok(), there, "{error}");
    error.to_string()
}

/// Requests of every rule, with starts, heads, all items, values and lengths.
fn requests() -> Vec<Request> {
    let rules = Rule::NAMES.map(|name| Rule::new(name, None).unwrap());
    let heads = Heads { items: (0..9).flat_map(|head| [head * 3, 39 - head]).collect(), length: 2 };
    let mut all = Vec::new();
    for (rule, values) in rules.into_iter().zip([false, true, true, false]) {
        let plain = Request { rule, values, ..Request::default() };
        all.push(Request { length: 11, ..plain.clone() });
        all.push(Request { starts: Some(vec![7, 0, 39, 7, 12, 3, 21]), ..plain.clone() });
        all.push(Request { heads: Some(heads.clone()), length: 6, ..plain });
    }
    all
}

#[test]
fn merged_parts_have_the_bytes_of_one_run() {
    let folder = Folder::new("bytes");
    let devices = ["cpu", "reference"].map(context);
    for (at, request) in requests().into_iter().enumerate() {
        let mut case = Case::new(request);
        if at % 2 == 1 {
            case.ids = ids((0..40).map(|item| format!("poem {item}")));
        }
        let whole = case.whole(&folder);
        for count in 1..=7 {
            let mut parts = case.parts(&folder, count, &devices.each_ref());
            // In any order.
            parts.rotate_left(at % count as usize);
            parts.reverse();
            let to = folder.join("merged");
            assert!(merge(&parts, &to).unwrap() == whole, "{:?}, {count} parts", case.request);
            assert!(!folder.join("merged.partial").exists());
            std::fs::remove_file(to).unwrap();
        }
    }
}

#[test]
fn devices_and_versions_do_not_matter() {
    let folder = Folder::new("devices");
    let case = Case::new(Request { length: 9, values: true, ..Request::default() });
    let whole = case.whole(&folder);
    let devices = ["cpu", "reference", "llvmpipe"].map(context);
    let parts = case.parts(&folder, 3, &devices.each_ref());
    assert!(merge(&parts, &folder.join("merged")).unwrap() == whole);
    // Of one version, the parts' own; of several, this library's.
    let renamed = |version: &'static str, part: &PathBuf| {
        let path = folder.join(&format!("{version} {}", part.file_name().unwrap().display()));
        rewrite(part, &path, |meta, _| meta.version = version.into());
        path
    };
    let old: Vec<PathBuf> = parts.iter().map(|part| renamed("0.0.1", part)).collect();
    let merged = folder.join("old");
    assert!(merge(&old, &merged).unwrap() != whole);
    let merged = SequencesFile::open(&merged).unwrap();
    assert_eq!((merged.meta().version.as_str(), &merged.meta().shard), ("0.0.1", &None));
    let mixed = [old[0].clone(), parts[1].clone(), renamed("9.9.9", &parts[2])];
    assert!(merge(&mixed, &folder.join("mixed")).unwrap() == whole);
}

/// The rows of a file.
struct Rows {
    items: Vec<Vec<u32>>,
    values: Vec<Vec<f32>>,
}

/// Writes the file at `from` anew, with what `change` makes of it, and checksums that fit.
fn rewrite(from: &Path, to: &Path, change: impl FnOnce(&mut SequencesMeta, &mut Rows)) {
    let file_of = SequencesFile::open(from).unwrap();
    let mut meta = file_of.meta().clone();
    let row = |row| file_of.row(row).unwrap().iter().collect();
    let values = |row| file_of.values(row).unwrap().unwrap_or_default().to_vec();
    let items = (0..meta.count).map(row).collect();
    let mut rows = Rows { items, values: (0..meta.count).map(values).collect() };
    change(&mut meta, &mut rows);
    let head = meta.head as usize;
    let heads = rows.items.iter().flat_map(|row| row[..head].to_vec()).collect();
    let request = Request {
        heads: Some(Heads { items: heads, length: meta.head }),
        length: meta.length,
        rule: meta.rule,
        values: meta.values,
        ..Request::default()
    };
    let plan = Plan::new(&request, meta.num_items).unwrap();
    let target = OutputFile { overwrite: true, ..file(to) };
    let Begun::Open(writer, rest) = SequencesWriter::begin(&target, &meta, &plan).unwrap() else {
        panic!("{to:?} is there")
    };
    for (index, (items, values)) in rows.items.iter().zip(&rows.values).enumerate() {
        writer.put(index, Sequence { items, values }).unwrap();
    }
    writer.finish(rest).unwrap();
}

#[test]
fn what_is_no_whole_is_refused_by_name() {
    let folder = Folder::new("refused");
    let cpu = context("cpu");
    let case = Case::new(Request { length: 5, ..Request::default() });
    let parts = case.parts(&folder, 16, &[&cpu]);
    let to = folder.join("merged");
    let name = |part: &PathBuf| part.display().to_string();
    let without = |missing: &[usize]| -> Vec<PathBuf> {
        let mut numbered = (1..).zip(&parts);
        let kept = numbered.by_ref().filter(|(number, _)| !missing.contains(number));
        kept.map(|(_, part)| part.clone()).collect()
    };
    for (missing, text) in [
        (&[3, 7][..], "parts 3 and 7 of 16 are missing"),
        (&[16], "part 16 of 16 is missing"),
        (&[1, 2, 4, 5, 6, 16], "parts 1, 2, 4 to 6 and 16 of 16 are missing"),
        (&[2, 3, 4, 5], "parts 2 to 5 of 16 are missing"),
    ] {
        let refused = refused(&without(missing), &to);
        assert!(refused.contains(&format!(": {text}; give each")), "{refused}");
    }
    assert_eq!(merge(&[], &to).unwrap_err(), Error::ZeroSize { name: "num_parts" });
    let copy = folder.join("copy");
    std::fs::copy(&parts[4], &copy).unwrap();
    let mut doubled = without(&[9]);
    doubled.push(copy.clone());
    let text = refused(&doubled, &to);
    let both = format!("{} and {} are both part 5/16", name(&parts[4]), name(&copy));
    assert!(text.contains(&both) && text.contains("part 9 of 16 is missing"), "{text}");

    // Foreign ones, also where the first is: the run is that of most.
    let foreign = |change: &dyn Fn(&mut Case), shards: u32| {
        let mut other = Case::new(case.request.clone());
        change(&mut other);
        let path = folder.join("foreign");
        let request = Request { shard: shard(2, shards), ..other.request.clone() };
        let to = OutputFile { overwrite: true, ..other.to(&path) };
        run(&cpu, &other.npy, &request, &to).unwrap();
        let mut given = without(&[2]);
        given.insert(0, path.clone());
        let text = refused(&given, &to.path.with_file_name("merged"));
        assert!(text.contains(&format!("of {} is", name(&path))), "{text}");
        assert!(text.contains(&format!("that of {} is", name(&parts[0]))), "{text}");
        text
    };
    for (what, change, shards) in [
        ("number of items", &(|c: &mut Case| c.npy = random(41, 6, 3)) as &dyn Fn(&mut Case), 16),
        ("corpus fingerprint", &|c| c.npy = random(40, 6, 4), 16),
        ("rule", &|c| c.request.rule = Rule::Chain, 16),
        ("kind of rows", &|c| c.request.values = true, 16),
        ("length is 6", &|c| c.request.length = 6, 16),
        ("length is 4", &|c| c.request.length = 4, 16),
        ("number of parts is 15", &|_| (), 15),
        ("number of starts of the whole", &|c| c.request.starts = Some((0..39).collect()), 16),
        ("hash of all starts", &|c| c.request.starts = Some((0..40).rev().collect()), 16),
    ] {
        let what = if what.contains(" is") { what.to_owned() } else { format!("the {what}") };
        let (what, value) = what.split_once(" is").unwrap_or((&what, ""));
        let text = foreign(change, shards);
        let value = if value.is_empty() { String::new() } else { format!(" is{value}") };
        assert!(text.contains(what) && text.contains(&value), "{what}{value}: {text}");
    }
    // A whole run, and all that is wrong at once.
    let whole = folder.join("whole run");
    run(&cpu, &case.npy, &case.request, &file(&whole)).unwrap();
    let text = refused(&[whole.clone(), parts[1].clone(), folder.join("foreign")], &to);
    assert!(text.contains(&format!("{} holds a whole run", name(&whole))), "{text}");
    assert!(text.contains("the hash of all starts of "), "{text}");
    assert!(refused(std::slice::from_ref(&whole), &to).contains("holds a whole run"));
}

#[test]
fn ids_must_be_the_same() {
    let folder = Folder::new("ids");
    let cpu = context("cpu");
    let mut case = Case::new(Request { length: 5, ..Request::default() });
    case.ids = ids((0..40).map(|item| format!("id{item}")));
    let mut parts = case.parts(&folder, 2, &[&cpu]);
    let to = folder.join("merged");
    let given = OutputFile { ids: ids((0..40).map(|item| format!("other{item}"))), ..file(&to) };
    let text = start_merge(&parts, &given).unwrap_err().to_string();
    assert!(text.contains("\"id0\" at item 0, not \"other0\""), "{text}");
    let other = |names: Option<Arc<Ids>>| {
        let path = folder.join("other ids");
        let request = Request { shard: shard(2, 2), ..case.request.clone() };
        let to = OutputFile { overwrite: true, ids: names, ..file(&path) };
        run(&cpu, &case.npy, &request, &to).unwrap();
        path
    };
    let changed = |item| if item == 33 { "new".to_owned() } else { format!("id{item}") };
    let right = parts.pop().unwrap();
    parts.push(other(ids((0..40).map(changed))));
    let text = refused(&parts, &to);
    assert!(text.contains("is \"new\" at item 33, that of"), "{text}");
    assert!(text.contains("is \"id33\" at item 33"), "{text}");
    parts[1] = other(None);
    assert!(refused(&parts, &to).contains("the list of ids of"));
    parts.reverse();
    assert!(refused(&parts, &to).contains("the number of ids of"));
    parts[0] = right;
    assert!(merge(&parts, &to).unwrap() == case.whole(&folder));
}

/// Where the tensors of a file begin.
fn data_begin(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

#[test]
fn a_damaged_part_ends_the_merge_which_then_goes_on() {
    let folder = Folder::new("damaged");
    let case = Case {
        npy: random(100, 6, 3),
        ..Case::new(Request { length: 50, values: true, ..Request::default() })
    };
    let parts = case.parts(&folder, 2, &[&context("cpu")]);
    let to = folder.join("merged");
    let right = std::fs::read(&parts[1]).unwrap();
    // Cut short, a bit of its header changed, of a start, and of row 47, which opening passes over.
    let flipped = |place: usize| {
        let mut bytes = right.clone();
        bytes[place] ^= 1;
        bytes
    };
    let (data, end) = (data_begin(&right), right.len());
    for bytes in [right[..end - 1].to_vec(), flipped(data - 20), flipped(data + 50 * 8)] {
        std::fs::write(&parts[1], bytes).unwrap();
        let text = refused(&parts, &to);
        assert!(text.contains("2 of 2 is damaged"), "{text}");
        assert!(!folder.join("merged.partial").exists());
    }
    std::fs::write(&parts[1], flipped(end - 100 * 3 + 7)).unwrap();
    let job = start_merge(&parts, &file(&to)).unwrap();
    let error = job.wait(None).unwrap().as_ref().clone().unwrap_err();
    assert!(error.to_string().contains("row 47 does not fit its checksum"), "{error}");
    assert_eq!(job.progress().rows_done(), 97);
    assert!(!to.exists() && folder.join("merged.partial").exists());
    drop(job);
    std::fs::write(&parts[1], &right).unwrap();
    // What is there is kept: the first part could be wrong now.
    let mut first = std::fs::read(&parts[0]).unwrap();
    let last = first.len() - 1;
    first[last - 100 * 2] ^= 1;
    std::fs::write(&parts[0], first).unwrap();
    assert!(merge(&parts, &to).unwrap() == case.whole(&folder));
    // Once more, it has nothing to do.
    let job = start_merge(&parts, &file(&to)).unwrap();
    assert!(job.wait(None).unwrap().is_ok());
    assert_eq!((job.progress().rows_done(), job.progress().rows_total()), (100, 100));
}

#[test]
fn what_is_at_the_target_is_treated_as_by_a_run() {
    let folder = Folder::new("target");
    let cpu = context("cpu");
    let case = Case::new(Request { length: 8, ..Request::default() });
    let parts = case.parts(&folder, 3, &[&cpu]);
    let whole = case.whole(&folder);
    let to = folder.join("merged");
    // Shorter sequences are extended, longer ones are enough, others are refused or overwritten.
    let at_target = |request: &Request| {
        let _ = std::fs::remove_file(&to);
        run(&cpu, &case.npy, request, &file(&to)).unwrap();
        std::fs::read(&to).unwrap()
    };
    at_target(&Request { length: 3, ..Request::default() });
    assert!(merge(&parts, &to).unwrap() == whole);
    let longer = at_target(&Request { length: 9, ..Request::default() });
    assert!(merge(&parts, &to).unwrap() == longer);
    at_target(&Request { rule: Rule::Farthest, length: 8, ..Request::default() });
    assert!(refused(&parts, &to).contains("its rule is farthest, not centroid"));
    at_target(&Request { shard: shard(1, 3), ..case.request.clone() });
    assert!(refused(&parts, &to).contains("its part of a run is 1/3, not all of it"));
    let overwrite = OutputFile { overwrite: true, ..file(&to) };
    start_merge(&parts, &overwrite).unwrap().into_result().unwrap();
    assert!(std::fs::read(&to).unwrap() == whole);
    std::fs::write(&to, "mine").unwrap();
    for target in [file(&to), overwrite] {
        let error = start_merge(&parts, &target).unwrap_err();
        assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
    }
    assert_eq!(std::fs::read(&to).unwrap(), b"mine");
    // One of the parts, by its own name, through a link, and as the partial file.
    let link = folder.join("link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&parts[2], &link).unwrap();
    #[cfg(not(unix))]
    std::fs::hard_link(&parts[2], &link).unwrap();
    let partial = folder.join("new.partial");
    std::fs::copy(&parts[0], &partial).unwrap();
    let mut given = parts.clone();
    given[0] = partial.clone();
    for (given, path) in [(&parts, &parts[1]), (&parts, &link), (&given, &folder.join("new"))] {
        let before: Vec<Vec<u8>> = given.iter().map(|part| std::fs::read(part).unwrap()).collect();
        for overwrite in [false, true] {
            let target = OutputFile { overwrite, ..file(path) };
            let text = start_merge(given, &target).unwrap_err().to_string();
            assert!(text.contains("it is one of the files that are to be merged"), "{text}");
        }
        let after: Vec<Vec<u8>> = given.iter().map(|part| std::fs::read(part).unwrap()).collect();
        assert!(before == after);
    }
    // No folder.
    assert!(matches!(merge(&parts, &folder.join("no/merged")), Err(Error::File { .. })));
}

#[test]
fn a_cancelled_merge_leaves_no_file_and_resumes() {
    let folder = Folder::new("cancelled");
    let case = Case::new(Request { length: 4, ..Request::default() });
    let part = case.parts(&folder, 1, &[&context("cpu")]).remove(0);
    // Rows that no rule picks, but many.
    let large = folder.join("large");
    let (count, length) = (20_000, 2000);
    let row = |start: u32| (start..start + length).map(|item| item % count).collect();
    rewrite(&part, &large, |meta, rows| {
        (meta.num_items, meta.count, meta.length) = (count, count, length);
        meta.shard.as_mut().unwrap().of_sequences = count;
        let bytes: Vec<u8> = (0..count).flat_map(u32::to_le_bytes).collect();
        let hash = xxhash_rust::xxh3::xxh3_128(&bytes);
        meta.shard.as_mut().unwrap().of_heads = format!("{hash:032x}");
        rows.items = (0..count).map(row).collect();
        rows.values = vec![Vec::new(); count as usize];
    });
    let parts = [large.clone()];
    let to = folder.join("merged");
    let cancelled = (0..20).any(|_| {
        let job = start_merge(&parts, &file(&to)).unwrap();
        job.cancel();
        let cancelled = matches!(*job.wait(None).unwrap(), Err(Error::Cancelled));
        // The work has ended too.
        drop(job);
        assert_eq!(to.exists(), !cancelled);
        let _ = std::fs::remove_file(&to);
        cancelled
    });
    assert!(cancelled);
    merge(&parts, &to).unwrap();
    let merged = SequencesFile::open(&to).unwrap();
    merged.verify().unwrap();
    let last: Vec<u32> = merged.row(count - 1).unwrap().iter().collect();
    assert_eq!((merged.meta().count, last), (count, row(count - 1)));
}

#[test]
fn a_part_knows_what_it_is() {
    let folder = Folder::new("part");
    let cpu = context("cpu");
    let case = Case::new(Request { length: 8, values: true, ..Request::default() });
    let request = |index, count, length| {
        let shard = shard(index, count);
        Request { shard, length, ..case.request.clone() }
    };
    let path = folder.join("part");
    run(&cpu, &case.npy, &request(2, 4, 8), &file(&path)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let open = SequencesFile::open(&path).unwrap();
    assert!(open.starts().iter().copied().eq(10..20));
    let part = open.meta().shard.clone().unwrap();
    assert_eq!((part.shard.to_string(), part.of_sequences), ("2/4".into(), 40));
    // The same rows as in memory, and in the plan.
    let memory = cpu.sequences(&case.npy.input(false), &request(2, 4, 8)).unwrap();
    let rows = (0..10).flat_map(|row| open.row(row).unwrap().iter().collect::<Vec<_>>());
    assert!(rows.eq(memory.items));
    // Below it is replaced, which Windows does to no file that is open.
    drop(open);
    let to = file(&path);
    let plan = cpu.plan(Shape::new(40, 6), &request(2, 4, 8), Destination::File(&to)).unwrap();
    assert_eq!(plan.rows, 10);
    // Other parts, and the whole, are refused by name; here and of the partial file.
    let partial = folder.join("other.partial");
    for (request, what) in [
        (request(1, 4, 8), "its part of a run is 2/4, not 1/4"),
        (request(2, 5, 8), "its part of a run is 2/4, not 2/5"),
        (case.request.clone(), "its part of a run is 2/4, not all of it"),
        (
            Request { starts: Some((0..39).chain([7]).collect()), ..request(2, 4, 8) },
            "its hash of all starts",
        ),
    ] {
        for to in [path.clone(), folder.join("other")] {
            std::fs::write(&partial, &bytes).unwrap();
            let text = run(&cpu, &case.npy, &request, &file(&to)).unwrap_err().to_string();
            assert!(text.contains(what), "{text}");
        }
    }
    // Resumed with a row that is not there, and extended, it is as if computed at once.
    let mut begun = bytes.clone();
    let data = data_begin(&begun);
    begun[data + 8 * 3..data + 8 * 4].fill(0);
    std::fs::write(&partial, &begun).unwrap();
    run(&cpu, &case.npy, &request(2, 4, 8), &file(&folder.join("other"))).unwrap();
    assert!(std::fs::read(folder.join("other")).unwrap() == bytes);
    run(&cpu, &case.npy, &request(2, 4, 12), &file(&path)).unwrap();
    let at_once = folder.join("at once");
    run(&cpu, &case.npy, &request(2, 4, 12), &file(&at_once)).unwrap();
    assert!(std::fs::read(&path).unwrap() == std::fs::read(&at_once).unwrap());
    // More parts than sequences.
    let few = Request { starts: Some(vec![1, 2, 3]), ..request(1, 4, 8) };
    let error = run(&cpu, &case.npy, &few, &file(&folder.join("none"))).unwrap_err();
    let text = "shard is 1/4; the run has 3 sequences: use at most that many shards";
    assert_eq!(error.to_string(), text);
    assert!(!folder.join("none.partial").exists());
}

#[test]
fn a_recheck_finds_a_wrong_row() {
    let folder = Folder::new("recheck");
    for (at, request) in requests().into_iter().enumerate() {
        let case = Case::new(request);
        let devices = ["cpu", "reference"].map(context);
        let part = case.parts(&folder, 2, &[&devices[0]]).remove(1);
        let other = &devices[at % 2];
        let check = |path: &Path, count, seed| {
            let open = Arc::new(SequencesFile::open(path).unwrap());
            other.recheck(&open, &case.npy.input(false), RandomRows { count, seed })
        };
        assert_eq!(check(&part, 2, 1), Ok(2), "{:?}", case.request);
        let wrong = folder.join("wrong");
        rewrite(&part, &wrong, |_, rows| rows.items[1].swap(3, 4));
        let error = check(&wrong, u32::MAX, 1).unwrap_err();
        assert!(matches!(&error, Error::OtherRow { row: 1, place: 3, .. }), "{error}");
        let (path, device) = (wrong.display(), &other.info().name);
        let text = format!("row 1 (0-based) of {path} is not what {device} computes: at place 3 ");
        assert!(error.to_string().starts_with(&text), "{error}");
        // Few rows find it or not, as their seed says, and each time alike.
        let found = |seed| check(&wrong, 1, seed).is_err();
        assert!((0..40).any(found) && !(0..40).all(found));
        assert!((0..9).all(|seed| found(seed) == found(seed)));
        if case.request.values {
            rewrite(&part, &wrong, |_, rows| rows.values[2][4] += 1e-3);
            let error = check(&wrong, 99, 1).unwrap_err();
            assert!(matches!(&error, Error::OtherRow { row: 2, place: 4, .. }), "{error}");
            assert!(error.to_string().contains("it has the value "), "{error}");
        }
        let open = Arc::new(SequencesFile::open(&part).unwrap());
        let rows = RandomRows { count: 2, seed: 0 };
        let foreign = other.recheck(&open, &random(40, 6, 9).input(false), rows).unwrap_err();
        assert!(matches!(foreign, Error::OtherEmbeddings { what: "fingerprint", .. }));
        let none = other.recheck(&open, &case.npy.input(false), RandomRows { count: 0, seed: 0 });
        assert_eq!(none, Err(Error::ZeroSize { name: "count" }));
    }
}

#[test]
fn parts_that_do_not_begin_as_the_whole_are_refused() {
    let folder = Folder::new("heads");
    let case = Case::new(Request { length: 5, ..Request::default() });
    let mut parts = case.parts(&folder, 2, &[&context("cpu")]);
    let swapped = folder.join("swapped");
    rewrite(&parts[1], &swapped, |_, rows| rows.items.swap(0, 1));
    parts[1] = swapped;
    let to = folder.join("merged");
    assert!(refused(&parts, &to).contains("the hash of all they begin with is"));
    assert!(!folder.join("merged.partial").exists());
}
