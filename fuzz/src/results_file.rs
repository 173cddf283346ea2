//! Any bytes as a file of results, finished or partial: an error or a file whose rows can be read,
//! never a crash.
//!
//! `fuzz/run SECONDS` builds and runs it.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use vkd::plan::{Plan, Request};
use vkd::store::{
    Begun, NeighborsFile, NeighborsRow, OutputFile, ResultsKind, SequencesFile, SequencesMeta,
    SequencesWriter,
};
use vkd::{IdSlice, Ids, Rule};

fn file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| std::env::temp_dir().join(format!("vkd-fuzz-{}", std::process::id())))
}

/// Reads all ids, and finds each unless two are equal.
fn use_ids(
    ids: Option<IdSlice>,
    num_items: u32,
    valid: bool,
    find: impl Fn(&str) -> vkd::Result<Option<u32>>,
) {
    let Some(ids) = ids else { return assert_eq!(find("a"), Ok(None)) };
    assert_eq!(ids.len() as u64, u64::from(num_items));
    for (item, id) in (0..1000).zip(ids.iter()) {
        assert_eq!(ids.get(item), Some(id));
        assert!(!valid || find(id) == Ok(Some(item)));
    }
    let _ = find("a");
}

fn finished(bytes: &[u8]) {
    std::fs::write(file(), bytes).unwrap();
    if let Ok(file) = SequencesFile::open(file()) {
        let valid = file.verify().is_ok();
        for index in 0..file.meta().count.min(100) {
            let row = file.row(index).unwrap();
            let length = row.iter().count();
            assert_eq!(length, file.meta().length as usize);
            assert!(!valid || row.iter().all(|item| item < file.meta().num_items));
            assert!(file.find(row.get(0).unwrap()).is_some());
            let values = file.values(index).unwrap();
            assert_eq!(values.is_some(), file.meta().values);
            assert!(values.is_none_or(|values| values.len() == length));
            assert!(!valid || values.is_none_or(|all| all.iter().all(|one| one.is_finite())));
        }
        use_ids(file.ids(), file.meta().num_items, valid, |id| file.find_id(id));
        assert!(file.row(file.meta().count).is_err());
    }
    let _ = std::fs::remove_file(file());
}

fn neighbors(bytes: &[u8]) {
    std::fs::write(file(), bytes).unwrap();
    if let Ok(file) = NeighborsFile::open(file()) {
        let valid = file.verify().is_ok();
        for index in 0..file.meta().count.min(100) {
            let NeighborsRow { items, similarities } = file.row(index).unwrap();
            assert_eq!(items.iter().count(), file.meta().k as usize);
            assert_eq!(similarities.len(), file.meta().k as usize);
            assert!(!valid || items.iter().all(|item| item < file.meta().num_items));
        }
        use_ids(file.ids(), file.meta().num_items, valid, |id| file.find_id(id));
        assert!(file.row(file.meta().count).is_err());
    }
    let _ = ResultsKind::of(file());
    let _ = std::fs::remove_file(file());
}

fn partial(bytes: &[u8], ids: Option<Arc<Ids>>) {
    let partial = file().with_extension("partial");
    std::fs::write(&partial, bytes).unwrap();
    let request = Request { starts: Some(vec![0, 3, 5]), length: 4, ..Request::default() };
    let plan = Plan::new(&request, 9).unwrap();
    let meta = SequencesMeta {
        version: "0.1.0".into(),
        fingerprint: "00112233445566778899aabbccddeeff".into(),
        centered: false,
        num_items: 9,
        count: 3,
        length: 4,
        head: 1,
        rule: Rule::Centroid,
        values: false,
        shard: None,
    };
    let target = OutputFile { path: file().clone(), overwrite: false, ids };
    if let Ok(Begun::Open(writer, rest)) = SequencesWriter::begin(&target, &meta, &plan) {
        assert!(rest.count() <= 3);
        let _ = writer.finish();
        let _ = std::fs::remove_file(file());
    }
    let _ = std::fs::remove_file(&partial);
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0, bytes)) => partial(bytes, None),
        Some((3, bytes)) => {
            let ids = Ids::new((0..9).map(|item| item.to_string())).unwrap();
            partial(bytes, Some(Arc::new(ids)));
        }
        Some((2, bytes)) => neighbors(bytes),
        Some((_, bytes)) => finished(bytes),
        None => {}
    }
});
