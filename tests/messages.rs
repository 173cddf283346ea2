//! What errors say: a table of one message for each kind, and messages of real refusals. Counts and
//! sizes are grouped, bytes have a unit, the next step is told, the variable or the file that is
//! the reason is named.
#![allow(clippy::print_stdout)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};

use common::alone;
use vkd::context::Destination;
use vkd::flaw::{At, Flaw};
use vkd::store::{NeighborsFile, OutputFile, ResultsKind, SequencesFile};
use vkd::{Context, ContextOptions, Error, Request, Shape};

/// One of each variant, with numbers that need grouping.
fn table() -> Vec<Error> {
    let path = || "/data/poems.vkd".to_owned();
    let device = || "llvmpipe".to_owned();
    let (item, bytes, code) = (7, 1_500_000_000, || "ERROR_UNKNOWN".to_owned());
    vec![
        Error::ZeroSize { name: "num_items" },
        Error::BadOption {
            option: "threads",
            got: "70000".into(),
            allowed: "at most 4,096".into(),
        },
        Error::StartOutOfRange { position: 1, start: 300, last: 299 },
        Error::NoSuchStart { start: 7 },
        Error::LengthOutOfRange { length: 20_000, num_items: 10_000 },
        Error::TooManyNeighbors { k: 20_000, others: 19_999 },
        Error::QueryDim { dim: 12_288, corpus_dim: 384 },
        Error::DimTooLarge { dim: 65_537, limit: 65_536 },
        Error::ShapeMismatch { given: 10_001, num_items: 100_000, dim: 384, needed: 38_400_000 },
        Error::NotFinite { item, dimension: 3, value: "a NaN" },
        Error::ZeroNorm { item },
        Error::ZeroNormCentered { item },
        Error::NormRange { item },
        Error::TooLarge { what: "the run", needed: bytes, available: 1 << 20, device: device() },
        Error::TooManyRounds {
            what: "one pick",
            needed: 70_000,
            allowed: 65_535,
            device: device(),
        },
        Error::HostMemory { what: "the sequences", bytes },
        Error::DeviceMemory {
            device: device(),
            what: "the matrix".into(),
            bytes,
            reason: "out of memory".into(),
        },
        Error::DriverMemory { device: device(), call: "vkQueueSubmit", code: code() },
        Error::NoThread { what: "a job", reason: "try again".into() },
        Error::NoLoader { reason: "no such file".into() },
        Error::NoDevice { reason: "no driver".into() },
        Error::DeviceNotFound {
            option: "device",
            wanted: "4090".into(),
            available: "0: CPU".into(),
        },
        Error::Unsupported { device: device(), missing: "it has no compute queue".into() },
        Error::StartsAndHeads,
        Error::HeadLength { items: 31_000, length: 3 },
        Error::HeadOutOfRange { head: 2, place: 1, item: 999, last: 998 },
        Error::HeadRepeats { head: 2, place: 1, item },
        Error::HeadTooLong { head: 31_000, length: 30_000 },
        Error::DeviceLost { device: device(), call: "vkWaitForFences" },
        Error::Driver { device: device(), call: "vkQueueSubmit", code: code() },
        Error::Validation { count: 1, first: "a barrier is missing".into() },
        Error::Cancelled,
        Error::OtherProcess {
            what: "this context",
            owner: 300,
            here: 301,
            instead: "make a new context",
        },
        Error::File { action: "open", path: path(), reason: "no such file".into() },
        Error::DiskFull { action: "write", path: path(), bytes, reason: "no space".into() },
        Error::BadFile { path: path(), reason: "row 3 does not fit its checksum".into() },
        Error::NoResults { path: path(), reason: "it is too short".into() },
        Error::NotReplaced { path: path(), reason: "it is a folder".into() },
        Error::FileMismatch {
            path: path(),
            what: "number of items",
            found: "30000".into(),
            wanted: "31000".into(),
        },
        Error::NotWhole { faults: "parts 3 and 7 of 16 are missing".into() },
        Error::OtherRow {
            path: path(),
            row: 3,
            place: 4,
            found: "item 7".into(),
            computed: "item 9".into(),
            device: device(),
        },
        Error::OtherKind { path: path(), holds: "neighbours", wanted: "sequences" },
        Error::ForeignFile { path: path(), is: "a numpy array (.npy)", next: "read it otherwise" },
        Error::OtherEmbeddings {
            path: path(),
            what: "number of items",
            found: "30000".into(),
            given: "31000".into(),
        },
        Error::Embeddings {
            path: path(),
            at: At::Line { line: 30_000, byte: 7 },
            flaw: Box::new(Flaw::Ragged { item, length: 1024, dim: 384 }),
        },
        Error::Ids { flaw: Box::new(Flaw::IdCount { ids: 30_000, num_items: 31_000 }) },
        Error::NoIds { path: path() },
        Error::NoSuchId { path: path(), id: "psalm 23".into() },
        Error::FileBusy { path: path() },
        Error::BadId { item, id: "a/b".into(), reason: "it holds a /".into() },
        Error::BadMetadata { item, reason: "expected value at line 1 column 1".into() },
        Error::Variable { name: "VKD_DEVICE", value: "x".into(), error: Error::Cancelled.into() },
        Error::Internal { detail: "a lock is poisoned".into() },
    ]
}

/// The name of a variant.
fn variant(error: &Error) -> String {
    format!("{error:?}").split([' ', '{', '(']).next().unwrap().to_owned()
}

/// The variants that the source has.
fn variants() -> Vec<String> {
    let source = include_str!("../src/error.rs");
    let list = source.split("pub enum Error {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let begins = |line: &&str| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase();
    let name = |line: &str| line.trim().split([' ', ',', '{']).next().unwrap().to_owned();
    list.lines().filter(|line| line.len() > 4).filter(begins).map(name).collect()
}

/// The longest run of digits that no comma divides.
fn longest_number(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}

#[test]
fn every_kind_of_error_tells_what_and_what_next() {
    let (table, mut names) = (table(), variants());
    for error in &table {
        let text = error.to_string();
        println!("{:18} {text}", variant(error));
        assert!(longest_number(&text) < 5, "not grouped: {text}");
        let sizes = text.matches(" bytes").count();
        let units = ["kB (", "MB (", "GB ("].map(|unit| text.matches(unit).count());
        assert_eq!(sizes, units.iter().sum::<usize>(), "bytes without a unit: {text}");
        for odd in ["use 0", "(s)", " 1 items", " 1 messages", "need 1 ", "the run need"] {
            assert!(!text.contains(odd), "\"{odd}\" in: {text}");
        }
        let next = [";", ":", "(", "choose"].iter().any(|mark| text.contains(mark));
        assert!(next || *error == Error::Cancelled, "no next step: {text}");
    }
    let mut told: Vec<String> = table.iter().map(variant).collect();
    told.sort();
    names.sort();
    assert_eq!(told, names, "the table above has each variant once");
}

#[test]
fn the_words_fit_the_numbers() {
    let text = |error: Error| error.to_string();
    let (others, device) = (|others| Error::TooManyNeighbors { k: 3, others }, "a GPU".to_owned());
    assert_eq!(text(others(0)), "k is 3; a single item has no neighbours: give more items");
    assert_eq!(text(others(1)), "k is 3; there is only 1 other item");
    assert!(text(others(2)).contains("only 2 other items"));
    assert_eq!(
        text(Error::TooLarge { what: "the run", needed: 1_500_000_000, available: 999, device }),
        "not enough memory on a GPU for the run: 1.5 GB (1,500,000,000 bytes) needed, 999 bytes \
         may be used; use fewer items, fewer starts per call or another device"
    );
    let message = |count| text(Error::Validation { count, first: "x".into() });
    assert!(message(1).contains("1 message;") && message(20_000).contains("20,000 messages;"));
}

/// A plan on the context that the environment describes: why it is refused.
fn refusal() -> String {
    let plan = |context: Context| {
        let shape = Shape::new(3000, 400);
        context.plan(shape, &Request::default(), Destination::Memory)
    };
    Context::new(&ContextOptions::default()).and_then(plan).unwrap_err().to_string()
}

#[test]
#[ignore = "run by the test below in an environment of its own"]
fn refused_by_the_environment() {
    let text = refusal();
    let wanted = std::env::var("WANTED").unwrap();
    wanted.split('|').for_each(|part| assert!(text.contains(part), "no \"{part}\" in: {text}"));
    assert_eq!(text.contains("VKD_DEVICE"), wanted.contains("VKD_DEVICE"), "{text}");
}

#[test]
fn the_variable_that_is_the_reason_is_named() {
    let cases = [
        ("cpu", "1000000", "1.0 MB (1,000,000 bytes) may be used|VKD_MEMORY_LIMIT is \"1000000\""),
        ("llvmpipe", "1M", "1.0 MB (1,048,576 bytes) may be used|VKD_MEMORY_LIMIT is \"1M\""),
        ("cpu + llvmpipe", "1M", "VKD_MEMORY_LIMIT is \"1M\""),
        ("Voodoo 2", "", "VKD_DEVICE is \"Voodoo 2\", which matches no device"),
        ("cpu + ", "", "VKD_DEVICE is \"cpu +\""),
        ("cpu", "lots", "VKD_MEMORY_LIMIT is lots"),
    ];
    for (device, limit, wanted) in cases {
        let set = |command: &mut std::process::Command| {
            command.env("VKD_DEVICE", device).env("VKD_MEMORY_LIMIT", limit).env("WANTED", wanted);
        };
        alone("refused_by_the_environment", set).unwrap();
    }
}

#[test]
fn what_the_caller_chose_is_not_blamed_on_the_environment() {
    let options = ContextOptions {
        device: Some("cpu".into()),
        memory_limit: Some(1_000_000),
        ..ContextOptions::default()
    };
    let plan = Context::new(&options).unwrap().plan(
        Shape::new(3000, 400),
        &Request::default(),
        Destination::Memory,
    );
    let text = plan.unwrap_err().to_string();
    assert!(text.contains("1.0 MB (1,000,000 bytes) may be used") && !text.contains("VKD_"));
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Files of sequences and of neighbours in a folder of their own.
fn results() -> (Folder, PathBuf, PathBuf) {
    let folder = std::env::temp_dir().join(format!("vkd-messages-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (sequences, neighbors) = (folder.join("sequences"), folder.join("neighbors"));
    run_sequences(&sequences).unwrap();
    run_neighbors(&neighbors).unwrap();
    (Folder(folder), sequences, neighbors)
}

fn context() -> Context {
    Context::new(&ContextOptions { device: Some("cpu".into()), ..Default::default() }).unwrap()
}

fn run_sequences(path: &Path) -> vkd::Result<()> {
    let file = OutputFile { path: path.into(), overwrite: false, ids: None };
    let npy = common::random(30, 4, 1);
    let job = context().start(&npy.input(false), &Request::default(), Destination::File(&file))?;
    job.into_result().map(drop)
}

fn run_neighbors(path: &Path) -> vkd::Result<()> {
    let file = OutputFile { path: path.into(), overwrite: false, ids: None };
    let npy = common::random(30, 4, 1);
    let request = vkd::context::NeighborsRequest { input: npy.input(false), k: 3, queries: None };
    context().start_neighbors(&request, Destination::File(&file))?.into_result().map(drop)
}

#[test]
fn a_file_of_another_kind_is_named_and_kept() {
    let (folder, sequences, neighbors) = results();
    let kind = |error: Error, holds: &str, wanted: &str| {
        let text = error.to_string();
        let said = format!(" holds {holds}, not {wanted}; open it as {holds}");
        assert!(text.contains(&said) && !text.contains("damaged"), "{text}");
    };
    kind(SequencesFile::open(&neighbors).unwrap_err(), "neighbours", "sequences");
    kind(NeighborsFile::open(&sequences).unwrap_err(), "sequences", "neighbours");
    let before = [&sequences, &neighbors].map(|path| std::fs::read(path).unwrap());
    kind(run_sequences(&neighbors).unwrap_err(), "neighbours", "sequences");
    kind(run_neighbors(&sequences).unwrap_err(), "sequences", "neighbours");
    assert!([&sequences, &neighbors].map(|path| std::fs::read(path).unwrap()) == before);

    let rankings = br#"{"list":"similar","ids":["a"],"items":[0],"rankings":[[]]}"#;
    let page = br#"{"id":"a","similar":[]}"#;
    let weights =
        b"\x40\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    let mut weights = weights.to_vec();
    weights.resize(72, b' ');
    weights.extend([0; 4]);
    let npy = std::fs::read("tests/golden/two_items.npy").unwrap();
    let foreign: [(&[u8], &str); 5] = [
        (&npy, "a numpy array (.npy)"),
        (b"PK\x03\x04 and so on", "a zip archive"),
        (rankings, "the rankings of a site"),
        (page, "a page of a site"),
        (&weights, "a safetensors file that vkd did not write"),
    ];
    let path = folder.0.join("foreign");
    for (bytes, is) in foreign {
        std::fs::write(&path, bytes).unwrap();
        let errors = [
            ResultsKind::of(&path).unwrap_err(),
            SequencesFile::open(&path).unwrap_err(),
            NeighborsFile::open(&path).unwrap_err(),
        ];
        for error in [run_sequences(&path).unwrap_err(), run_neighbors(&path).unwrap_err()] {
            assert!(matches!(error, Error::NotReplaced { .. }), "{is}: {error}");
        }
        for error in errors {
            let text = error.to_string();
            assert!(text.contains(is) && !text.contains("damaged"), "{is}: {text}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn verify_of_other_embeddings_asks_for_the_right_ones() {
    let folder = std::env::temp_dir().join(format!("vkd-messages-verify-{}", std::process::id()));
    run_sequences(&folder).unwrap();
    let file = SequencesFile::open(&folder).unwrap();
    std::fs::remove_file(&folder).unwrap();
    let verify = |items: u32, seed| {
        let other = common::random(items, 4, seed);
        let elements = vkd::Elements::F32(&other.values);
        vkd::verify::verify(&file, elements, Shape::new(items, 4), Default::default())
    };
    assert!(verify(30, 1).is_ok());
    for (items, seed, what) in
        [(30, 2, "its fingerprint is "), (31, 1, "items is 30, theirs is 31")]
    {
        let text = verify(items, seed).unwrap_err().to_string();
        assert!(text.contains(what) && text.contains("computed from other embeddings"), "{text}");
        assert!(!text.contains("path;") && !text.contains("overwrite"), "{text}");
    }
}
