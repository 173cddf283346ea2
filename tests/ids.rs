//! Ids in files of results: kept and found, the same bytes however often a run is interrupted,
//! other ids refused by name, damage, the check against embeddings, and the names of pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::Npy;
use vkd::context::{start_site_write, Destination, NeighborsRequest};
use vkd::flaw::Flaw;
use vkd::site::{Site, Source};
use vkd::store::{NeighborsFile, OutputFile, SequencesFile};
use vkd::{Context, ContextOptions, Elements, Error, Ids, Request, Shape};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("vkd-ids-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("results")
    }

    fn partial(&self) -> PathBuf {
        self.0.join("results.partial")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Both kinds of files.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Sequences,
    Neighbors,
}

const KINDS: [Kind; 2] = [Kind::Sequences, Kind::Neighbors];

fn ids_of(npy: &Npy, name: impl Fn(u32) -> String) -> Option<Arc<Ids>> {
    Some(Arc::new(Ids::new((0..npy.num_items).map(name)).unwrap()))
}

fn poems(npy: &Npy) -> Option<Arc<Ids>> {
    ids_of(npy, |item| format!("Gedicht {item} über Äpfel"))
}

fn elements(npy: &Npy) -> Elements<'_> {
    Elements::F32(&npy.values)
}

/// Sequences of `length` items, or so many neighbours.
fn run(kind: Kind, npy: &Npy, length: u32, target: &OutputFile) -> Result<(), Error> {
    let options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
    let context = Context::new(&options).unwrap();
    let (input, to) = (npy.input(false), Destination::File(target));
    match kind {
        Kind::Sequences => {
            let request = Request { length, ..Request::default() };
            context.start(&input, &request, to)?.into_result().map(|_| ())
        }
        Kind::Neighbors => {
            let request = NeighborsRequest { input, k: length, queries: None };
            context.start_neighbors(&request, to)?.into_result().map(|_| ())
        }
    }
}

fn to(path: &Path, ids: Option<Arc<Ids>>) -> OutputFile {
    OutputFile { path: path.to_owned(), overwrite: false, ids }
}

/// Opens a file, verifies it, and gives its ids, with the items that they find.
fn read(kind: Kind, path: &Path) -> Result<Option<Vec<String>>, Error> {
    let found = |ids: Option<vkd::IdSlice>, find: &dyn Fn(&str) -> Result<Option<u32>, Error>| {
        let Some(ids) = ids else { return Ok(None) };
        for (item, id) in (0..).zip(ids.iter()) {
            assert_eq!((find(id)?, ids.get(item)), (Some(item), Some(id)));
        }
        assert_eq!((find("none")?, ids.get(ids.len() as u32)), (None, None));
        Ok(Some(ids.iter().map(str::to_owned).collect()))
    };
    match kind {
        Kind::Sequences => {
            let file = SequencesFile::open(path)?;
            file.verify()?;
            found(file.ids(), &|id| file.find_id(id))
        }
        Kind::Neighbors => {
            let file = NeighborsFile::open(path)?;
            file.verify()?;
            found(file.ids(), &|id| file.find_id(id))
        }
    }
}

fn check(kind: Kind, path: &Path, npy: &Npy, ids: Option<Arc<Ids>>) -> Result<(), Error> {
    let shape = Shape::new(npy.num_items, npy.dim);
    let ids = ids.as_deref().map(Ids::as_slice);
    match kind {
        Kind::Sequences => SequencesFile::open(path)?.check(elements(npy), shape, ids),
        Kind::Neighbors => NeighborsFile::open(path)?.check(elements(npy), shape, ids),
    }
}

/// Where a tensor lies in a file.
fn tensor(bytes: &[u8], name: &str) -> std::ops::Range<usize> {
    let begin = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..begin]).unwrap();
    let at = |place: usize| header[name]["data_offsets"][place].as_u64().unwrap() as usize;
    begin + at(0)..begin + at(1)
}

/// Where the digits of a file's checksum are.
fn digits(bytes: &[u8]) -> std::ops::Range<usize> {
    let key = b"\"checksum\":\"";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    at..at + 16
}

/// Gives a file the checksum of all that is in no row.
fn seal(bytes: &mut [u8]) {
    let rows = if bytes.windows(11).any(|window| window == b"\"sequences\"") {
        tensor(bytes, "sequences")
    } else {
        tensor(bytes, "similarities").start..tensor(bytes, "indices").end
    };
    let digits = digits(bytes);
    bytes[digits.clone()].fill(b'0');
    let covered = [&bytes[..rows.start], &bytes[rows.end..]].concat();
    let total = xxhash_rust::xxh3::xxh3_64(&covered);
    bytes[digits].copy_from_slice(format!("{total:016x}").as_bytes());
}

/// A file as a kill leaves it that lost one row.
fn unfinished(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let digits = digits(&bytes);
    bytes[digits].fill(b'0');
    let journal = tensor(&bytes, "row_checksums");
    bytes[journal.start + 8..journal.start + 16].fill(0);
    bytes
}

#[test]
fn files_hold_the_ids_and_are_otherwise_the_same() {
    let npy = common::npy("odd_257x7.npy");
    for kind in KINDS {
        let folder = Folder::new(&format!("hold-{kind:?}"));
        let path = folder.file();
        run(kind, &npy, 9, &to(&path, None)).unwrap();
        let without = std::fs::read(&path).unwrap();
        assert_eq!(read(kind, &path), Ok(None));
        std::fs::remove_file(&path).unwrap();
        let ids = poems(&npy);
        run(kind, &npy, 9, &to(&path, ids.clone())).unwrap();
        let with = std::fs::read(&path).unwrap();
        let expected: Vec<_> = ids.as_ref().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(read(kind, &path), Ok(Some(expected)));
        let rows = match kind {
            Kind::Sequences => ["row_checksums", "starts", "sequences"],
            Kind::Neighbors => ["row_checksums", "similarities", "indices"],
        };
        for name in rows {
            assert!(with[tensor(&with, name)] == without[tensor(&without, name)], "{name}");
        }
        let all: String = ids.as_ref().unwrap().iter().collect();
        assert_eq!(&with[tensor(&with, "ids")], all.as_bytes());
        assert!(!String::from_utf8_lossy(&without[..1000]).contains("id_ends"));
        // There already.
        run(kind, &npy, 5, &to(&path, ids)).unwrap();
        assert!(std::fs::read(&path).unwrap() == with);
    }
}

#[test]
fn resumed_and_extended_files_have_the_bytes_of_one_run() {
    let npy = common::npy("odd_257x7.npy");
    for kind in KINDS {
        let folder = Folder::new(&format!("resumed-{kind:?}"));
        let (path, partial) = (folder.file(), folder.partial());
        run(kind, &npy, 20, &to(&path, poems(&npy))).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // A run without ids keeps those that are there.
        for ids in [poems(&npy), None] {
            if kind == Kind::Sequences {
                std::fs::remove_file(&path).unwrap();
                std::fs::write(&partial, unfinished(&whole)).unwrap();
                run(kind, &npy, 20, &to(&path, ids.clone())).unwrap();
                assert!(std::fs::read(&path).unwrap() == whole, "{kind:?}, resumed");
            }
            let target = OutputFile { overwrite: true, ..to(&path, poems(&npy)) };
            run(kind, &npy, 6, &target).unwrap();
            run(kind, &npy, 20, &to(&path, ids)).unwrap();
            assert!(std::fs::read(&path).unwrap() == whole, "{kind:?}, extended");
        }
    }
}

#[test]
fn other_ids_are_refused_by_name_until_they_are_to_be_replaced() {
    let npy = common::npy("odd_257x7.npy");
    let changed = ids_of(&npy, |item| match item {
        5.. => format!("Gedicht {item} über Birnen"),
        _ => format!("Gedicht {item} über Äpfel"),
    });
    for kind in KINDS {
        let folder = Folder::new(&format!("other-{kind:?}"));
        let (path, partial) = (folder.file(), folder.partial());
        let refused = |length, ids, parts: &[&str]| {
            let error = run(kind, &npy, length, &to(&path, ids)).unwrap_err();
            assert!(matches!(error, Error::FileMismatch { .. }), "{error}");
            parts.iter().for_each(|part| assert!(error.to_string().contains(part), "{error}"));
        };
        let shown = ["Gedicht 5 \\u{fc}ber \\u{c4}pfel\" at item 5", "Birnen\" at item 5"];
        run(kind, &npy, 9, &to(&path, None)).unwrap();
        refused(9, poems(&npy), &["list of ids is empty, not 257 ids"]);
        refused(12, poems(&npy), &["list of ids is empty, not 257 ids"]);
        run(kind, &npy, 9, &OutputFile { overwrite: true, ..to(&path, poems(&npy)) }).unwrap();
        let whole = std::fs::read(&path).unwrap();
        [7, 9, 12].iter().for_each(|&length| refused(length, changed.clone(), &shown));
        assert!(std::fs::read(&path).unwrap() == whole && !partial.exists());
        if kind == Kind::Sequences {
            std::fs::rename(&path, &partial).unwrap();
            std::fs::write(&partial, unfinished(&whole)).unwrap();
            refused(9, changed.clone(), &shown);
        }
        run(kind, &npy, 9, &OutputFile { overwrite: true, ..to(&path, changed.clone()) }).unwrap();
        let ids: Vec<_> = changed.as_ref().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(read(kind, &path), Ok(Some(ids)));
    }
}

#[test]
fn plans_count_the_memory_of_ids() {
    let npy = common::npy("odd_257x7.npy");
    let options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
    let context = Context::new(&options).unwrap();
    let host_bytes = |ids| {
        let target = to(Path::new("never-written"), ids);
        let shape = Shape::new(npy.num_items, npy.dim);
        let to = Destination::File(&target);
        let search = NeighborsRequest { input: npy.input(false), k: 9, queries: None };
        let sequences = context.plan(shape, &Request::default(), to).unwrap();
        [sequences, context.plan_neighbors(&search.shape(), to).unwrap()]
            .map(|plan| plan.host_bytes.get())
    };
    let text: usize = poems(&npy).unwrap().iter().map(str::len).sum();
    let held = text as u64 + 257 * 8 + 1024 * 4;
    assert_eq!(host_bytes(poems(&npy)), host_bytes(None).map(|bytes| bytes + held));
}

#[test]
fn a_wrong_number_of_ids_is_refused_before_any_work() {
    let npy = common::npy("odd_257x7.npy");
    let fewer = Some(Arc::new(Ids::new(["a", "b"]).unwrap()));
    let wrong = Error::Ids { flaw: Flaw::IdCount { ids: 2, num_items: 257 }.into() };
    for kind in KINDS {
        let folder = Folder::new(&format!("count-{kind:?}"));
        let target = to(&folder.file(), fewer.clone());
        assert_eq!(run(kind, &npy, 9, &target), Err(wrong.clone()));
        assert!(!folder.file().exists() && !folder.partial().exists());
        run(kind, &npy, 9, &to(&folder.file(), None)).unwrap();
        assert_eq!(check(kind, &folder.file(), &npy, fewer.clone()), Err(wrong.clone()));
    }
    let same = Error::Ids { flaw: Flaw::RepeatedId { id: "a".into(), first: 0, second: 2 }.into() };
    assert_eq!(Ids::new(["a", "b", "a"]), Err(same));
}

#[test]
fn damaged_ids_are_errors() {
    let npy = Npy { num_items: 5, dim: 2, values: (0..10).map(|n| (n as f32).cos()).collect() };
    for kind in KINDS {
        let folder = Folder::new(&format!("damaged-{kind:?}"));
        let path = folder.file();
        run(kind, &npy, 3, &to(&path, ids_of(&npy, |item| format!("ü{item}")))).unwrap();
        let good = std::fs::read(&path).unwrap();
        let (ends, text) = (tensor(&good, "id_ends"), tensor(&good, "ids"));
        assert_eq!((ends.len(), text.len(), text.end), (5 * 8, 5 * 3, good.len()));
        let bad = |bytes: &[u8], reason: &str| {
            std::fs::write(&path, bytes).unwrap();
            let error = read(kind, &path).unwrap_err();
            let is_bad = matches!(error, Error::BadFile { .. });
            assert!(is_bad && error.to_string().contains(reason), "{kind:?}: {error}");
        };
        // Every bit is under the checksum.
        for bit in ends.clone().chain(text.clone()).map(|at| at * 8 + at % 8) {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bad(&bytes, "checksum");
        }
        // With a checksum that says that all is sound.
        let mut sealed = good.clone();
        seal(&mut sealed);
        assert!(sealed == good, "{kind:?}: what is sealed is what a run writes");
        let changes: [(usize, u8, &str); 7] = [
            (ends.start, 4, "ids do not fit their ends"),
            (ends.start, 1, "ids do not fit their ends"),
            (ends.start, 12, "ids do not fit their ends"),
            (ends.start + 4 * 8, 14, "ids do not fit their ends"),
            (ends.start + 4 * 8 + 7, 0x80, "ids do not fit their ends"),
            (text.start, 0xff, "ids are not UTF-8"),
            (text.start + 3 * 3 + 2, b'1', "items 1 and 3 (0-based) have the same id"),
        ];
        for (at, byte, reason) in changes {
            let mut bytes = good.clone();
            bytes[at] = byte;
            seal(&mut bytes);
            bad(&bytes, reason);
        }
        bad(&good[..good.len() - 1], "");
        // Headers that say something else: shape, type, one without the other.
        for (from, to) in [
            ("\"shape\":[15]", "\"shape\":[51]"),
            ("\"shape\":[15]", "\"shape\":[]  "),
            ("\"dtype\":\"U8\"", "\"dtype\":\"I8\""),
            ("\"dtype\":\"U64\",\"shape\":[5]}", "\"dtype\":\"I64\",\"shape\":[5]}"),
            ("\"id_ends\"", "\"id_bits\""),
            ("\"ids\"", "\"eds\""),
        ] {
            let begin = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
            let header = String::from_utf8(good[8..begin].to_vec()).unwrap();
            let changed = header.replacen(from, to, 1);
            if changed == header {
                // The key before the one of the ends.
                continue;
            }
            let mut bytes = [&good[..8], changed.as_bytes(), &good[begin..]].concat();
            if changed.contains("\"ids\"") {
                let digits = digits(&bytes);
                bytes[digits].fill(b'1');
            }
            bad(&bytes, "");
        }
    }
}

#[test]
fn embeddings_are_told_from_others_without_computing_anything() {
    let npy = common::npy("odd_257x7.npy");
    let mut other = common::npy("odd_257x7.npy");
    other.values[700] += 0.25;
    let fewer = Npy { num_items: 256, dim: 7, values: npy.values[..256 * 7].to_vec() };
    let changed = ids_of(&npy, |item| format!("Gedicht {} über Äpfel", item + item / 256));
    for kind in KINDS {
        let folder = Folder::new(&format!("check-{kind:?}"));
        let path = folder.file();
        run(kind, &npy, 9, &to(&path, poems(&npy))).unwrap();
        assert_eq!(check(kind, &path, &npy, poems(&npy)), Ok(()));
        assert_eq!(check(kind, &path, &npy, None), Ok(()));
        let refused = |npy: &Npy, ids, wanted: &str| match check(kind, &path, npy, ids) {
            Err(Error::OtherEmbeddings { what, found, given, .. }) => {
                assert_eq!(what, wanted);
                assert_ne!(found, given);
            }
            other => panic!("{other:?}"),
        };
        refused(&other, None, "fingerprint");
        refused(&npy, changed.clone(), "id");
        refused(&fewer, None, "number of items");
        let error = check(kind, &path, &npy, changed.clone()).unwrap_err().to_string();
        let shown = "its id is \"Gedicht 256 \\u{fc}ber \\u{c4}pfel\" at item 256, theirs is \
                     \"Gedicht 257";
        assert!(error.contains(shown), "{error}");
        // A file without ids says nothing of them.
        std::fs::remove_file(&path).unwrap();
        run(kind, &npy, 9, &to(&path, None)).unwrap();
        assert_eq!(check(kind, &path, &npy, changed.clone()), Ok(()));
        refused(&other, changed.clone(), "fingerprint");
    }
}

#[test]
fn pages_are_called_by_the_ids_of_the_file() {
    let npy = Npy { num_items: 4, dim: 2, values: (0..8).map(|n| (n as f32).cos()).collect() };
    for kind in KINDS {
        let folder = Folder::new(&format!("site-{kind:?}"));
        let (path, pages) = (folder.file(), folder.0.join("pages"));
        run(kind, &npy, 3, &to(&path, ids_of(&npy, |item| format!("psalm-{item}")))).unwrap();
        let write = |ids: Option<Vec<String>>| {
            let site = Site { directory: Some(pages.clone()), ids, ..Site::default() };
            start_site_write(Source::open(&path).unwrap(), site)?.into_result()
        };
        write(None).unwrap();
        let page = std::fs::read_to_string(pages.join("psalm-2.json")).unwrap();
        assert!(page.starts_with("{\"id\":\"psalm-2\",") && page.contains("\"psalm-1\""), "{page}");
        write(Some((0..4).map(|item| format!("own-{item}")).collect())).unwrap();
        assert!(pages.join("own-3.json").exists());
        let target = to(&path, ids_of(&npy, |item| format!("psalm/{item}")));
        run(kind, &npy, 3, &OutputFile { overwrite: true, ..target }).unwrap();
        let error = write(None).unwrap_err();
        assert!(matches!(error, Error::BadId { item: 0, .. }), "{error}");
    }
}
