//! Files of results: the same bytes however often a run is interrupted, extended results, damaged
//! and foreign files, full disks, and the check against the embeddings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(target_os = "linux")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{reference, Npy};
use vkd::context::Destination;
use vkd::job::Output;
use vkd::store::{OutputFile, SequencesFile};
use vkd::verify::{verify, Sample};
use vkd::{Context, ContextOptions, Elements, Error, Heads, Lambda, Request, Rule, Shape};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("vkd-store-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("results.safetensors")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn partial(path: &Path) -> PathBuf {
    path.with_extension("safetensors.partial")
}

fn context(device: &str) -> Context {
    Context::new(&ContextOptions { device: Some(device.into()), ..Default::default() }).unwrap()
}

fn write(context: &Context, npy: &Npy, request: &Request, path: &Path) -> Result<(), Error> {
    write_to(
        context,
        npy,
        request,
        &OutputFile { path: path.to_owned(), overwrite: false, ids: None },
    )
}

fn overwrite(context: &Context, npy: &Npy, request: &Request, path: &Path) -> Result<(), Error> {
    write_to(
        context,
        npy,
        request,
        &OutputFile { path: path.to_owned(), overwrite: true, ids: None },
    )
}

fn write_to(
    context: &Context,
    npy: &Npy,
    request: &Request,
    target: &OutputFile,
) -> Result<(), Error> {
    let job = context.start(&npy.input(false), request, Destination::File(target))?;
    match job.wait(None).unwrap().as_ref() {
        Ok(Output::File(written)) => {
            assert_eq!(written, &target.path);
            Ok(())
        }
        Ok(other) => panic!("the result went elsewhere: {other:?}"),
        Err(error) => Err(error.clone()),
    }
}

/// The end of a file's header.
fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

/// Gives a file the checksum of its header and of the `rest` bytes behind it.
fn seal(bytes: &mut [u8], rest: usize) {
    let end = header_end(bytes);
    let digits = checksum(bytes);
    bytes[digits..digits + 16].fill(b'0');
    let total = xxhash_rust::xxh3::xxh3_64(&bytes[..end + rest]);
    bytes[digits..digits + 16].copy_from_slice(format!("{total:016x}").as_bytes());
}

/// Where the digits of a file's checksum are.
fn checksum(bytes: &[u8]) -> usize {
    let key = b"\"checksum\":";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    at + key.len() + bytes[at + key.len()..].iter().position(|&byte| byte == b'"').unwrap() + 1
}

fn rows(file: &SequencesFile) -> Vec<u32> {
    (0..file.meta().count)
        .flat_map(|index| file.row(index).unwrap().iter().collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_engine_writes_the_same_file() {
    let folder = Folder::new("engines");
    let npy = common::npy("odd_257x7.npy");
    let request = Request { starts: Some(vec![7, 0, 256, 7]), length: 100, ..Request::default() };
    let expected = reference(&npy, false, &request);
    let mut files = Vec::new();
    for device in ["reference", "cpu", "vulkan:llvmpipe"] {
        let path = folder.0.join(device);
        write(&context(device), &npy, &request, &path).unwrap();
        let file = SequencesFile::open(&path).unwrap();
        assert!(rows(&file) == expected, "{device}");
        assert_eq!((file.find(256), file.find(7), file.find(8)), (Some(2), Some(0), None));
        file.verify().unwrap();
        files.push(std::fs::read(&path).unwrap());
        assert!(!folder.0.join(format!("{device}.partial")).exists());
    }
    assert!(files[0] == files[1] && files[0] == files[2]);
}

#[test]
fn a_longer_length_extends_a_shorter_one_is_there_already() {
    let npy = common::npy("odd_257x7.npy");
    for device in ["reference", "cpu", "vulkan:llvmpipe"] {
        let folder = Folder::new(&format!("extend-{}", device.replace(':', "-")));
        let path = folder.file();
        let context = context(device);
        let request = |length| Request { length, ..Request::default() };
        write(&context, &npy, &request(40), &path).unwrap();
        let short = std::fs::read(&path).unwrap();
        write(&context, &npy, &request(30), &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == short, "a shorter length must not write");
        write(&context, &npy, &request(200), &path).unwrap();
        let extended = std::fs::read(&path).unwrap();
        overwrite(&context, &npy, &request(200), &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == extended, "{device}: not the bytes of one run");
        let file = SequencesFile::open(&path).unwrap();
        assert!(rows(&file) == reference(&npy, false, &request(200)), "{device}");
    }
}

#[test]
fn other_results_are_never_overwritten_and_the_difference_is_named() {
    let folder = Folder::new("other");
    let path = folder.file();
    let (npy, context) = (common::npy("odd_257x7.npy"), context("cpu"));
    let request =
        |starts: &[u32]| Request { starts: Some(starts.to_vec()), length: 9, ..Request::default() };
    write(&context, &npy, &request(&[1, 2]), &path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = |npy: &Npy, starts: &[u32], wanted: &str| {
        let error = write(&context, npy, &request(starts), &path).unwrap_err();
        let Error::FileMismatch { what, .. } = &error else { panic!("{error}") };
        assert_eq!(*what, wanted, "{error}");
    };
    refused(&npy, &[1, 3], "start");
    refused(&npy, &[1, 2, 3], "number of starts");
    let mut other = common::npy("odd_257x7.npy");
    other.values[11] += 0.5;
    refused(&other, &[1, 2], "corpus fingerprint");
    let fewer = Npy { num_items: 256, dim: 7, values: npy.values[..256 * 7].to_vec() };
    refused(&fewer, &[1, 2], "number of items");
    assert!(std::fs::read(&path).unwrap() == before);
    overwrite(&context, &other, &request(&[5]), &path).unwrap();
    assert_eq!(SequencesFile::open(&path).unwrap().starts(), [5]);
    // Any other file is safe too.
    std::fs::write(&path, "my only copy of a poem").unwrap();
    let error = write(&context, &npy, &request(&[1]), &path).unwrap_err();
    assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"my only copy of a poem");
}

/// Requests of each rule, with heads and values.
fn valued(length: u32) -> Vec<Request> {
    let heads = Some(Heads { items: vec![3, 1, 200, 2, 7, 8], length: 2 });
    let lambda = |lambda| Rule::Mmr(Lambda::new(lambda).unwrap());
    let rules = [Rule::Centroid, Rule::Farthest, lambda(0.0), lambda(0.7), Rule::Chain];
    let request = |rule| Request {
        heads: heads.clone(),
        length,
        rule,
        values: true,
        starts: None,
        shard: None,
    };
    rules.map(request).into()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn all_values(file: &SequencesFile) -> Vec<u32> {
    (0..file.meta().count).flat_map(|i| bits(file.values(i).unwrap().unwrap())).collect()
}

/// What a file holds of each rule is what a run in memory gives, also where an earlier run left
/// every other row, or shorter rows.
#[test]
fn rules_heads_and_values_are_kept_resumed_and_extended() {
    let npy = common::npy("odd_257x7.npy");
    for device in ["reference", "cpu", "vulkan:llvmpipe"] {
        let folder = Folder::new(&format!("valued-{}", device.replace(':', "-")));
        let (path, context) = (folder.file(), context(device));
        for (long, short) in valued(90).into_iter().zip(valued(20)) {
            let what = format!("{device}, {:?}", long.rule);
            let _ = std::fs::remove_file(&path);
            write(&context, &npy, &long, &path).unwrap();
            let whole = std::fs::read(&path).unwrap();
            let file = SequencesFile::open(&path).unwrap();
            file.verify().unwrap();
            let memory = context.sequences(&npy.input(false), &long).unwrap();
            assert!(rows(&file) == memory.items, "{what}");
            assert!(all_values(&file) == bits(&memory.values), "{what}");
            assert_eq!((file.meta().rule, file.meta().head), (long.rule, 2));
            assert_eq!(
                (file.starts(), file.heads()),
                (&[3, 200, 7][..], &[3, 1, 200, 2, 7, 8][..])
            );
            // Row 1 is lost: its values do not fit its checksum.
            let mut left = whole.clone();
            let digits = checksum(&left);
            left[digits..digits + 16].fill(b'0');
            let values = header_end(&left) + 3 * 8 + 3 * 4 + 6 * 4;
            left[values + 90 * 4 + 5] ^= 1;
            std::fs::remove_file(&path).unwrap();
            std::fs::write(partial(&path), &left).unwrap();
            write(&context, &npy, &long, &path).unwrap();
            assert!(std::fs::read(&path).unwrap() == whole, "{what}, resumed");
            overwrite(&context, &npy, &short, &path).unwrap();
            write(&context, &npy, &long, &path).unwrap();
            assert!(std::fs::read(&path).unwrap() == whole, "{what}, extended");
        }
    }
}

#[test]
fn other_rules_heads_and_values_are_refused_by_name() {
    let folder = Folder::new("other-rules");
    let (path, npy) = (folder.file(), common::npy("odd_257x7.npy"));
    let context = context("cpu");
    let good = valued(9).remove(3);
    write(&context, &npy, &good, &path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = |change: fn(&mut Request), wanted: &str| {
        let mut request = good.clone();
        change(&mut request);
        // The finished file, and one that is not.
        for partial_only in [false, true] {
            if partial_only {
                let mut bytes = before.clone();
                let digits = checksum(&bytes);
                bytes[digits..digits + 16].fill(b'0');
                std::fs::write(partial(&path), bytes).unwrap();
                std::fs::remove_file(&path).unwrap();
            }
            let error = write(&context, &npy, &request, &path).unwrap_err();
            let Error::FileMismatch { what, .. } = &error else { panic!("{error}") };
            assert_eq!(*what, wanted, "{error}");
        }
        std::fs::remove_file(partial(&path)).unwrap();
        std::fs::write(&path, &before).unwrap();
    };
    refused(|request| request.rule = Rule::Chain, "rule");
    refused(|request| request.rule = Rule::Mmr(Lambda::new(0.71).unwrap()), "lambda");
    refused(|request| request.values = false, "kind of rows");
    refused(|request| request.heads.as_mut().unwrap().items[3] = 9, "head");
    refused(|request| request.heads.as_mut().unwrap().length = 3, "number of items in a head");
}

/// Every byte of heads and values is under a checksum.
#[test]
fn damaged_heads_and_values_are_errors() {
    let folder = Folder::new("damaged-values");
    let (path, npy) = (folder.file(), common::npy("odd_257x7.npy"));
    write(&context("cpu"), &npy, &valued(9)[4], &path).unwrap();
    let good = std::fs::read(&path).unwrap();
    for at in header_end(&good)..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, bytes).unwrap();
        let opened = SequencesFile::open(&path);
        let error = opened.and_then(|file| file.verify()).expect_err(&format!("byte {at}"));
        assert!(matches!(error, Error::BadFile { .. }), "byte {at}: {error}");
    }
}

#[test]
fn two_runs_do_not_write_one_file() {
    let folder = Folder::new("busy");
    let path = folder.file();
    let npy = common::random(3000, 8, 4);
    let (first, second) = (context("cpu"), context("cpu"));
    let target = OutputFile { path: path.clone(), overwrite: false, ids: None };
    let job =
        first.start(&npy.input(false), &Request::default(), Destination::File(&target)).unwrap();
    let error = write(&second, &npy, &Request::default(), &path).unwrap_err();
    assert!(matches!(error, Error::FileBusy { .. }), "{error}");
    drop(job);
    assert!(!path.exists() && partial(&path).exists());
    write(&second, &npy, &Request { length: 0, ..Request::default() }, &path).unwrap();
}

/// Every cut and every changed byte of a file is found, by opening it or by `verify`.
#[test]
fn damaged_files_are_errors() {
    let folder = Folder::new("damaged");
    let path = folder.file();
    let npy = common::npy("odd_257x7.npy");
    let request = Request { starts: Some((0..40).collect()), length: 20, ..Request::default() };
    write(&context("cpu"), &npy, &request, &path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let check = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = SequencesFile::open(&path).and_then(|file| file.verify()).unwrap_err();
        let found = matches!(
            error,
            Error::BadFile { .. } | Error::ForeignFile { .. } | Error::NoResults { .. }
        );
        assert!(found, "{what}: {error}");
    };
    for cut in (0..good.len()).step_by(7).chain([good.len() - 1]) {
        check(&good[..cut], &format!("cut at {cut}"));
    }
    let header = header_end(&good);
    for bit in (0..header * 8).chain((header..good.len()).map(|at| at * 8 + at % 8)) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // A changed letter of the format may make it a file of another kind.
        std::fs::write(&path, bytes).unwrap();
        SequencesFile::open(&path).and_then(|file| file.verify()).expect_err(&format!("bit {bit}"));
    }
    check(&[&good[..], &[0]].concat(), "one byte more");
    let missing = SequencesFile::open(&folder.0.join("none")).unwrap_err();
    assert!(matches!(missing, Error::File { action: "open", .. }), "{missing}");
    let directory = SequencesFile::open(&folder.0).unwrap_err();
    assert!(matches!(directory, Error::NoResults { .. }), "{directory}");
}

#[test]
fn verify_trusts_good_files_and_finds_wrong_picks() {
    let folder = Folder::new("verify");
    let path = folder.file();
    let npy = common::random(400, 16, 8);
    write(&context("cpu"), &npy, &Request::default(), &path).unwrap();
    let elements = Elements::F32(&npy.values);
    let sample = Sample { sequences: 5, picks: 1000 };
    let report =
        verify(&SequencesFile::open(&path).unwrap(), elements, Shape::new(400, 16), sample)
            .unwrap();
    assert_eq!((report.sequences, report.picks), (5, 5 * 399));
    assert!(report.worst_regret < 2e-3, "{report:?}");
    // The file of other embeddings, with the name of these.
    let other = common::random(400, 16, 9);
    let error = verify(
        &SequencesFile::open(&path).unwrap(),
        Elements::F32(&other.values),
        Shape::new(400, 16),
        sample,
    );
    assert!(matches!(error, Err(Error::OtherEmbeddings { .. })), "{error:?}");
    let wrong = folder.0.join("wrong");
    write(&context("cpu"), &other, &Request::default(), &wrong).unwrap();
    let name = |path: &Path| SequencesFile::open(path).unwrap().meta().fingerprint.clone();
    let (from, to) = (name(&wrong), name(&path));
    let mut bytes = std::fs::read(&wrong).unwrap();
    let place = bytes.windows(32).position(|window| window == from.as_bytes()).unwrap();
    bytes[place..place + 32].copy_from_slice(to.as_bytes());
    seal(&mut bytes, 400 * 12);
    std::fs::write(&wrong, bytes).unwrap();
    let report =
        verify(&SequencesFile::open(&wrong).unwrap(), elements, Shape::new(400, 16), sample)
            .unwrap();
    assert!(report.worst_regret > 0.05, "{report:?}");
}

/// The public Python package reads what vkd writes: item numbers of 16 and of 32 bits.
#[test]
fn any_safetensors_reader_opens_the_files() {
    const SCRIPT: &str = "import sys, safetensors.numpy as s\n\
        t = s.load_file(sys.argv[1])\n\
        q = t['sequences']\n\
        print(q.dtype, *q.shape, *q.flatten(), *t['starts'])\n\
        m = s.safe_open(sys.argv[1], 'np').metadata()\n\
        print(m['items'], m['centered'], m['format'])";
    let folder = Folder::new("python");
    let flat = |items: u32| (0..items).flat_map(|i| [1.0, (i % 91) as f32]).collect();
    for (num_items, dtype) in [(300, "uint16"), (65_600, "uint32")] {
        let npy = Npy { num_items, dim: 2, values: flat(num_items) };
        let request =
            Request { starts: Some(vec![4, num_items - 1, 0]), length: 3, ..Request::default() };
        let path = folder.0.join(dtype);
        // The larger matrix takes 8.6 GB; the sequences are what a reader sees, so one item of them
        // will do.
        let request = if num_items > 1000 { Request { length: 1, ..request } } else { request };
        write(&context("cpu"), &npy, &request, &path).unwrap();
        let python = std::env::var("VKD_PYTHON").unwrap_or("/usr/bin/python3".into());
        let output = common::programs::program(&python)
            .args(["-c", SCRIPT])
            .arg(&path)
            .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/target/python"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let file = SequencesFile::open(&path).unwrap();
        let numbers: Vec<String> =
            rows(&file).iter().chain(file.starts()).map(u32::to_string).collect();
        let expected = format!(
            "{dtype} 3 {} {}\n{num_items} False vkd sequences 2\n",
            request.length,
            numbers.join(" ")
        );
        assert_eq!(text.to_lowercase(), expected.to_lowercase(), "{output:?}");
    }
}

/// An earlier run's header stays where it is, whatever else it says: the rows behind it are kept,
/// or the file is refused and left alone.
#[test]
fn resuming_keeps_the_place_of_the_header() {
    let folder = Folder::new("headers");
    let (path, npy, context) = (folder.file(), common::npy("odd_257x7.npy"), context("cpu"));
    let request = Request { starts: Some((0..40).collect()), length: 20, ..Request::default() };
    write(&context, &npy, &request, &path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let end = header_end(&whole);
    let text = String::from_utf8(whole[8..end].to_vec()).unwrap();
    let digits = &whole[checksum(&whole)..][..16];
    let text = text.trim_end().replace(std::str::from_utf8(digits).unwrap(), "0000000000000000");
    let mut data = whole[end..].to_vec();
    // Of 40 rows every other one is there.
    (0..40).step_by(2).for_each(|row| data[row * 8..][..8].fill(0));
    let with = |from: &str, to: &str| text.replacen(from, to, 1);
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let headers = [
        text.clone(),
        format!("{text}                "),
        format!("{text}\n\n\n\n"),
        with(":{", ": {"),
        text.replace(',', ", "),
        text.replace(':', " : "),
        with("{\"centered\"", "{\"about\":\"mine\",\"centered\""),
        with("{\"centered\"", "{\"a\":\"\",\"centered\""),
        with("\"centered\":\"false\",", ""),
        with("\"centered\":\"false\"", "\"centered\":\"true\""),
        with("\"centered\":\"false\"", "\"centered\":\"no\""),
        with(&version, "\"version\":\"0.0.1\""),
        with(&version, "\"version\":\"1000.2000.3000-with-a-long-name\""),
        with(&version, "\"version\":\"\""),
        with(&version, "\"version\":\"0000000000000000\""),
        with("\"items\":\"257\"", "\"items\":\"0257\""),
        with("\"items\":\"257\"", "\"items\":\"258\""),
        with("\"checksum\":\"0000000000000000\",", ""),
        with("\"checksum\":\"0000000000000000\"", "\"checksum\":\"0\""),
        with("\"checksum\":\"0000000000000000\"", "\"checksum\":\"+000000000000000\""),
        with("\"checksum\":\"0000000000000000\"", "\"checksum\":\"\\u0030000000000000000\""),
        with("vkd sequences", "vkd  sequences"),
        with("centroid", "nearest"),
        with("\"rule\":\"centroid\"", "\"lambda\":\"0.5\",\"rule\":\"centroid\""),
        with("\"integers\":\"1\"", "\"integers\":\"2\""),
    ];
    let mut resumed = 0;
    for header in &headers {
        let length = header.len().next_multiple_of(8);
        let mut file = (length as u64).to_le_bytes().to_vec();
        file.extend(format!("{header:length$}").into_bytes());
        file.extend(&data);
        let _ = std::fs::remove_file(&path);
        std::fs::write(partial(&path), &file).unwrap();
        match write(&context, &npy, &request, &path) {
            Ok(()) => {
                let found = SequencesFile::open(&path).unwrap_or_else(|e| panic!("{header}: {e}"));
                found.verify().unwrap();
                let bytes = std::fs::read(&path).unwrap();
                assert!(bytes.len() == file.len(), "{header}");
                assert!(bytes[bytes.len() - 40 * 40..] == whole[whole.len() - 40 * 40..]);
                resumed += 1;
            }
            Err(error) => {
                assert!(std::fs::read(partial(&path)).unwrap() == file, "{header}: {error}");
                std::fs::remove_file(partial(&path)).unwrap();
            }
        }
    }
    assert!(resumed >= 8, "{resumed} of {} went on", headers.len());
}

/// A file of 5 sequences that says that there are `num_items` items.
fn small_file_of_many(num_items: u32) -> Vec<u8> {
    let row = |start: u32| [start, start + 1, 9];
    let rows: Vec<Vec<u8>> = (0..5)
        .map(|start| row(start).iter().flat_map(|item| item.to_le_bytes()).collect())
        .collect();
    let mut data = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        data.extend(xxhash_rust::xxh3::xxh3_64_with_seed(row, index as u64).to_le_bytes());
    }
    (0..5u32).for_each(|start| data.extend(start.to_le_bytes()));
    rows.iter().for_each(|row| data.extend(row));
    let header = serde_json::json!({
        "__metadata__": {
            "format": "vkd sequences 2", "rule": "centroid", "integers": "1",
            "version": "0.1.0", "fingerprint": "00112233445566778899aabbccddeeff",
            "centered": "false", "items": num_items.to_string(), "checksum": "0000000000000000",
        },
        "row_checksums": { "dtype": "U64", "shape": [5], "data_offsets": [0, 40] },
        "starts": { "dtype": "U32", "shape": [5], "data_offsets": [40, 60] },
        "sequences": { "dtype": "U32", "shape": [5, 3], "data_offsets": [60, 120] },
    });
    let header = header.to_string();
    let length = header.len().next_multiple_of(8);
    let mut file = (length as u64).to_le_bytes().to_vec();
    file.extend(format!("{header:length$}").into_bytes());
    file.extend(data);
    seal(&mut file, 60);
    file
}

/// The number of items is a claim of the header alone: no memory is taken for it.
#[test]
fn a_small_file_of_many_items_takes_little_memory() {
    let folder = Folder::new("many");
    let path = folder.file();
    std::fs::write(&path, small_file_of_many(u32::MAX)).unwrap();
    let limited = |command: &mut Command| {
        command.env("VKD_TEST_PATH", &path);
    };
    common::alone("child_many_items", limited).unwrap_or_else(|printed| panic!("{printed}"));
}

#[test]
#[ignore = "run by a_small_file_of_many_items_takes_little_memory"]
fn child_many_items() {
    let path = PathBuf::from(std::env::var("VKD_TEST_PATH").unwrap());
    let limit = libc::rlimit { rlim_cur: 1 << 30, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a valid struct; only this process is limited.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    let file = SequencesFile::open(&path).unwrap();
    assert_eq!(file.meta().num_items, u32::MAX);
    file.verify().unwrap();
}

#[test]
fn what_is_no_results_file_is_named() {
    let folder = Folder::new("kinds");
    let path = folder.file();
    let message = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let error = SequencesFile::open(&path).unwrap_err();
        assert!(matches!(error, Error::ForeignFile { .. } | Error::NoResults { .. }), "{error}");
        error.to_string()
    };
    assert!(message(b"").contains("it is empty"));
    assert!(message(b"a poem").contains("it is too short"));
    assert!(message(b"\x93NUMPY\x01\0v\0{'descr': '<f4'}").contains("a numpy array"));
    assert!(message(&[7; 100]).contains("its header is not as vkd writes it"));
}

// Kills

/// Runs `child_writes` in a process of its own.
fn child(device: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_writes", "--ignored", "--nocapture"])
        .envs([("VKD_TEST_DEVICE", device), ("VKD_TEST_PATH", path.to_str().unwrap())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill_corpus() -> Npy {
    common::random(1500, 24, 77)
}

#[test]
#[ignore = "run by kills_at_any_moment_cost_nothing"]
fn child_writes() {
    let device = std::env::var("VKD_TEST_DEVICE").unwrap();
    let path = PathBuf::from(std::env::var("VKD_TEST_PATH").unwrap());
    write(&context(&device), &kill_corpus(), &Request::default(), &path).unwrap();
}

/// Finished rows of a partial file: those with a checksum.
fn journal(path: &Path) -> usize {
    let Ok(bytes) = std::fs::read(partial(path)) else { return 0 };
    let Some(length) = bytes.get(..8) else { return 0 };
    let data = 8 + u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let sums = bytes.get(data..data + 1500 * 8).unwrap_or_default();
    sums.chunks(8).filter(|sum| sum.iter().any(|&byte| byte != 0)).count()
}

/// 30 kills for each engine, at random moments. Each time the next run goes on from the finished
/// rows, and the file is that of an undisturbed run.
#[test]
fn kills_at_any_moment_cost_nothing() {
    let folder = Folder::new("kills");
    let whole = folder.0.join("whole");
    let begin = Instant::now();
    assert!(child("cpu", &whole).wait().unwrap().success());
    let cpu_seconds = begin.elapsed().as_secs_f64();
    let expected = std::fs::read(&whole).unwrap();
    let mut state = 12345u64;
    for (device, seconds) in [("cpu", cpu_seconds), ("vulkan:llvmpipe", 3.0)] {
        let path = folder.0.join(device.replace(':', "-")).with_extension("safetensors");
        let (mut kills, mut amidst, mut rounds) = (0, 0, 0);
        while kills < 30 {
            assert!(rounds < 500, "{kills} kills of {device} only");
            rounds += 1;
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let wait = seconds * 0.6 * (state >> 40) as f64 / (1u64 << 24) as f64;
            let before = journal(&path);
            let mut run = child(device, &path);
            std::thread::sleep(Duration::from_secs_f64(wait));
            let ended = run.try_wait().unwrap().is_some();
            run.kill().unwrap();
            run.wait().unwrap();
            if ended {
                assert!(std::fs::read(&path).unwrap() == expected, "{device}");
                std::fs::remove_file(&path).unwrap();
                continue;
            }
            kills += 1;
            amidst += u32::from((1..1500).contains(&journal(&path)));
            assert!(path.exists() || journal(&path) >= before, "{device}: finished rows were lost");
        }
        assert!(amidst >= 10, "{amidst} of the kills of {device} hit a growing file");
        assert!(child(device, &path).wait().unwrap().success());
        assert!(std::fs::read(&path).unwrap() == expected, "{device} after {kills} kills");
    }
}

// Full disks

/// A limit for the size of files, as a full disk in the midst of a run.
#[test]
fn a_full_disk_is_a_clear_error_and_the_work_is_kept() {
    let folder = Folder::new("full");
    let path = folder.file();
    let limited = |command: &mut Command| {
        command.env("VKD_TEST_PATH", &path);
    };
    common::alone("child_full_disk", limited).unwrap_or_else(|printed| panic!("{printed}"));
}

#[test]
#[ignore = "run by a_full_disk_is_a_clear_error_and_the_work_is_kept"]
fn child_full_disk() {
    let path = PathBuf::from(std::env::var("VKD_TEST_PATH").unwrap());
    // SAFETY: no handler, the signal is ignored; without it the write fails with EFBIG.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limit = |bytes| {
        let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: a valid struct; only this process is limited.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
    };
    let (npy, context) = (kill_corpus(), context("cpu"));
    // Too little for the whole file: refused before any work, and nothing is left.
    limit(1_000_000);
    let error = write(&context, &npy, &Request::default(), &path).unwrap_err();
    let Error::DiskFull { action: "create", bytes, .. } = &error else { panic!("{error}") };
    assert!(*bytes > 1500 * 1500 * 2, "{error}");
    assert!(!partial(&path).exists());
    // What an earlier run left there stays.
    let three = Request { starts: Some(vec![3, 1, 2]), ..Request::default() };
    let target = OutputFile { path: path.clone(), overwrite: false, ids: None };
    let starts_only = context.start(&npy.input(false), &three, Destination::File(&target)).unwrap();
    starts_only.cancel();
    drop(starts_only);
    let left = std::fs::read(partial(&path)).unwrap();
    let error = overwrite(&context, &npy, &Request::default(), &path).unwrap_err();
    assert!(matches!(error, Error::DiskFull { action: "create", .. }), "{error}");
    assert!(std::fs::read(partial(&path)).unwrap() == left);
    std::fs::remove_file(partial(&path)).unwrap();
    // The disk fills up while the run goes on.
    limit(libc::RLIM_INFINITY);
    let job =
        context.start(&npy.input(false), &Request::default(), Destination::File(&target)).unwrap();
    limit(2_000_000);
    let error = job.wait(None).unwrap().as_ref().as_ref().unwrap_err().clone();
    assert!(matches!(error, Error::DiskFull { action: "write", .. }), "{error}");
    drop(job);
    let kept = journal(&path);
    assert!(kept > 0 && kept < 1500, "{kept} rows are kept");
    limit(libc::RLIM_INFINITY);
    let job =
        context.start(&npy.input(false), &Request::default(), Destination::File(&target)).unwrap();
    assert_eq!(job.progress().steps_total(), (1500 - kept as u64) * 1499);
    job.wait(None).unwrap().as_ref().as_ref().unwrap();
    let whole = path.with_extension("whole");
    write(&context, &npy, &Request::default(), &whole).unwrap();
    assert!(std::fs::read(&path).unwrap() == std::fs::read(&whole).unwrap());
}
