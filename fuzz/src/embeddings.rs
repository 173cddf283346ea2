//! Any bytes as a file of embeddings, in every format: an error, or embeddings that can be read and
//! written, and read again as they were. Never a crash.
//!
//! `fuzz/run SECONDS` builds and runs it.
#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use vkd::embeddings::{ElementType, Embeddings, OpenOptions, RawValues, SaveAs};
use vkd::store::OutputFile;

fn file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| std::env::temp_dir().join(format!("vkd-fuzz-in-{}", std::process::id())))
}

/// What the first byte asks for.
fn options(choice: u8) -> OpenOptions {
    let named = |name: &str| Some(name.to_owned());
    let raw = |element_type| Some(RawValues { element_type, dim: 3 });
    match choice {
        1 => OpenOptions { raw: raw(ElementType::F16), ..Default::default() },
        2 => OpenOptions { raw: raw(ElementType::F64), ..Default::default() },
        3 => OpenOptions { array: named("x"), ..Default::default() },
        4 => OpenOptions { id_key: named("i"), embedding_key: named("e"), ..Default::default() },
        5 => OpenOptions { ids: Some(file().clone()), ..Default::default() },
        _ => OpenOptions::default(),
    }
}

fn use_all(embeddings: &Embeddings) {
    let shape = embeddings.shape();
    assert!(shape.num_items > 0 && shape.dim > 0);
    assert_eq!(embeddings.elements().len() as u64, shape.values());
    for item in 0..shape.num_items.min(1000) {
        if let Some(id) = embeddings.id(item) {
            assert_eq!(embeddings.find(id), Some(item));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    std::fs::write(file(), bytes).unwrap();
    if let Ok(embeddings) = Embeddings::open(file(), &options(*choice)) {
        use_all(&embeddings);
        let path = file().with_extension("out");
        let target = OutputFile { path: path.clone(), overwrite: true, ids: None };
        embeddings.write(&target, SaveAs::Safetensors).unwrap();
        let again = Embeddings::open(&path, &OpenOptions::default()).unwrap();
        use_all(&again);
        assert_eq!(again.shape(), embeddings.shape());
        let (old, new) = (embeddings.ids(), again.ids());
        assert_eq!(new.is_some(), old.is_some());
        assert!(old.is_none_or(|old| new.is_some_and(|new| new.iter().eq(old.iter()))));
        let _ = std::fs::remove_file(&path);
    }
    let _ = std::fs::remove_file(file());
});
