//! Embeddings from files: every format gives the same values and ids, whatever the file is called;
//! what is written is read again. What is wrong with files stands in tests/damaged_embeddings.rs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::embeddings::{bytes_of, ids, npy, npy_of, npz, safetensors, values, Folder, VALUES};
use vkd::embeddings::{ElementType, Embeddings, OpenOptions, RawValues, SaveAs};
use vkd::store::OutputFile;
use vkd::{Elements, Error, Shape};

/// What a file is read as, and its ids.
fn check(bytes: impl AsRef<[u8]>, options: &OpenOptions, wanted: Option<[&str; 2]>) {
    let folder = Folder::new();
    let text = String::from_utf8_lossy(bytes.as_ref()).into_owned();
    let found = folder.open(bytes, options).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!((found.shape(), values(&found)), (Shape::new(2, 3), VALUES.to_vec()), "{text}");
    assert_eq!(ids(&found), wanted.map(|ids| ids.to_vec()), "{text}");
    for (item, id) in (0..).zip(wanted.iter().flatten()) {
        assert_eq!((found.find(id), found.id(item)), (Some(item), Some(*id)));
    }
    assert_eq!((found.find("nobody"), found.id(2)), (None, None));
    assert_eq!((found.input().num_items, found.input().dim), (2, 3));
}

fn plain() -> OpenOptions {
    OpenOptions::default()
}

#[test]
fn arrays_of_numpy() {
    for element in ["f2", "f4", "f8"] {
        check(npy(element), &plain(), None);
        let columns = [1.0, 3.25, -2.0, -0.125, 0.5, 8.0];
        let data = bytes_of(element, &columns);
        check(npy_of(&format!("<{element}"), "True", "(2, 3)", &data), &plain(), None);
    }
    // What Python 2 wrote.
    let old = npy_of("<f4", "False", "(2L, 3L)", &bytes_of("f4", &VALUES));
    check(old, &plain(), None);
    for is_deflated in [false, true] {
        check(npz(is_deflated), &plain(), None);
        for name in ["embeddings", "embeddings.npy"] {
            let options = OpenOptions { array: Some(name.into()), ..plain() };
            check(npz(is_deflated), &options, None);
        }
    }
}

#[test]
fn tensors() {
    for (dtype, element, size) in
        [("F16", "f2", 12), ("BF16", "bf", 12), ("F32", "f4", 24), ("F64", "f8", 48)]
    {
        let tensor =
            format!("\"dtype\":\"{dtype}\",\"shape\":[2,3],\"data_offsets\":[4,{}]", size + 4);
        // Headers of every length: the values are aligned in some of the files only.
        for blanks in 0..8 {
            let header = format!(
                "{{\"x\":{{{tensor}}},\"y\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":\
                 [0,4]}}{}}}",
                " ".repeat(blanks)
            );
            let data = [&[0; 4][..], &bytes_of(element, &VALUES)].concat();
            check(safetensors(&header, &data), &plain(), None);
            let options = OpenOptions { array: Some("x".into()), ..plain() };
            check(safetensors(&header, &data), &options, None);
        }
    }
}

#[test]
fn raw_values() {
    for (element, element_type) in
        [("f2", ElementType::F16), ("f4", ElementType::F32), ("f8", ElementType::F64)]
    {
        let raw = Some(RawValues { element_type, dim: 3 });
        check(bytes_of(element, &VALUES), &OpenOptions { raw, ..plain() }, None);
    }
}

#[test]
fn json_documents() {
    let with_ids = Some(["a", "b é"]);
    for (text, wanted) in [
        ("[[1,-2,0.5],[3.25,-0.125,8]]", None),
        (" [ [ 1.0 , -2e0 , 5E-1 ] , [ 325e-2,-0.125,8.0 ] ] \n", None),
        (r#"{"embeddings":[[1,-2,0.5],[3.25,-0.125,8]]}"#, None),
        // As Python's json writes them.
        (r#"{"embeddings": [[1, -2, 0.5], [3.25, -0.125, 8]]}"#, None),
        (
            r#"{"embeddings": [{"id": "a", "embedding": [1.0, -2.0, 0.5]}, {"id": "b \u00e9",
               "embedding": [3.25, -0.125, 8.0]}]}"#,
            with_ids,
        ),
        (
            r#"{"metadata":{"total":2,"x":[{"id":"no"}]},"embeddings":[
               {"id":"a","embedding":[1,-2,0.5],"poem_index":7},
               {"poem_index":8,"id":"b \u00e9","embedding":[3.25,-0.125,8]}],"end":null}"#,
            with_ids,
        ),
        (
            r#"{"embeddings":[{"poem_index":7,"embedding":[1,-2,0.5]},
               {"embedding":[3.25,-0.125,8],"id":null,"poem_index":8}]}"#,
            Some(["7", "8"]),
        ),
        (
            r#"{"object":"list","data":[
               {"object":"embedding","index":1,"embedding":[3.25,-0.125,8]},
               {"object":"embedding","index":0,"embedding":[1,-2,0.5]}],
               "model":"x","usage":{"total_tokens":3}}"#,
            None,
        ),
        (
            r#"{"data":[{"index":0,"embedding":"AACAPwAAAMAAAAA/"},
               {"index":1,"embedding":"AABQQAAAAL4AAABB"}]}"#,
            None,
        ),
        (
            r#"[{"index":0,"embedding":[[1,-2,0.5]]},{"index":1,"embedding":[[3.25,-0.125,8]]}]"#,
            None,
        ),
        (r#"[{"embedding":[1,-2,0.5]},{"embedding":[3.25,-0.125,8]}]"#, None),
        (r#"[{"id":"a","vector":[1,-2,0.5]},{"id":"b é","vector":[3.25,-0.125,8]}]"#, with_ids),
    ] {
        check(text, &plain(), wanted);
        check(format!("\u{feff}{text}"), &plain(), wanted);
    }
}

#[test]
fn json_lines() {
    for (text, wanted) in [
        ("[1,-2,0.5]\n[3.25,-0.125,8]\n", None),
        (
            "{\"id\":\"a\",\"text\":\"\\\"[1\",\"embedding\":[1,-2,0.5]}\r\n\n\
             {\"embedding\":[3.25,-0.125,8],\"id\":-5,\"data\":[[1]]}",
            Some(["a", "-5"]),
        ),
        ("{\"vector\":[1,-2,0.5]}\n{\"vector\":[3.25,-0.125,8]}\n", None),
    ] {
        check(text, &plain(), wanted);
    }
    let options = OpenOptions {
        id_key: Some("name".into()),
        embedding_key: Some("e".into()),
        list_key: Some("all".into()),
        ..plain()
    };
    let lines = "{\"name\":\"a\",\"id\":3,\"e\":[1,-2,0.5]}\n{\"name\":4,\"e\":[3.25,-0.125,8]}";
    check(lines, &options, Some(["a", "4"]));
    let list = lines.replace('\n', ",");
    check(format!("{{\"data\":[[1]],\"all\":[{list}]}}"), &options, Some(["a", "4"]));
}

#[test]
fn words_and_vectors() {
    let words = Some(["the", "of é"]);
    check("the 1 -2 0.5\nof é 3.25 -0.125 8\n", &plain(), words);
    check("2 3\nthe 1 -2 0.5\nof é 3.25 -.125 +8.0\n", &plain(), words);
    check("2 3 \r\nthe\t1 -2 5e-1 \r\nof é 3.25 -0.125 8", &plain(), words);
    let (first, second) = VALUES.split_at(3);
    let (first, second) = (bytes_of("f4", first), bytes_of("f4", second));
    let words = Some(["the", "é"]);
    let binary = [&b"2 3\nthe "[..], &first, "é ".as_bytes(), &second].concat();
    check(binary, &plain(), words);
    let binary = [&b"2 3\nthe "[..], &first, "\né ".as_bytes(), &second, b"\n"].concat();
    check(binary, &plain(), words);
    check([&b"\x03\0\0\0"[..], &first, b"\x03\0\0\0", &second].concat(), &plain(), None);
}

#[test]
fn ids_from_a_text_file() {
    let folder = Folder::new();
    for text in ["a\nb é", "a\r\nb é\r\n", "\u{feff}a\nb é\n"] {
        let options = OpenOptions { ids: Some(folder.file("ids.txt", text)), ..plain() };
        check(npy("f4"), &options, Some(["a", "b é"]));
        // They win.
        check("x 1 -2 0.5\ny 3.25 -0.125 8\n", &options, Some(["a", "b é"]));
    }
}

#[test]
fn what_is_written_is_read_again() {
    let folder = Folder::new();
    let ids_file = folder.file("ids.txt", "a\nb é\n");
    let with_ids = OpenOptions { ids: Some(ids_file), ..plain() };
    for (name, bytes) in [("f2", npy("f2")), ("f4", npy("f4")), ("f8", npy("f8"))] {
        for options in [&plain(), &with_ids] {
            let found = folder.open(&bytes, options).unwrap();
            for format in [SaveAs::Safetensors, SaveAs::Npy] {
                let path = folder.path(&format!("{name}-{format:?}"));
                let _ = std::fs::remove_file(&path);
                found
                    .write(&OutputFile { path: path.clone(), overwrite: false, ids: None }, format)
                    .unwrap();
                let again = Embeddings::open(&path, &plain()).unwrap();
                assert_eq!(values(&again), VALUES);
                let kind = std::mem::discriminant::<Elements>;
                assert_eq!(kind(&again.elements()), kind(&found.elements()));
                let kept = options.ids.is_some() && format == SaveAs::Safetensors;
                assert_eq!(ids(&again), kept.then(|| vec!["a", "b é"]));
            }
        }
    }
}

#[test]
fn only_what_vkd_wrote_is_replaced() {
    let folder = Folder::new();
    let found = folder.open("the 1 -2 0.5\nof 3.25 -0.125 8\n", &plain()).unwrap();
    let write = |name: &str, overwrite, format| {
        found.write(&OutputFile { path: folder.path(name), overwrite, ids: None }, format)
    };
    write("new", false, SaveAs::Safetensors).unwrap();
    let before = std::fs::read(folder.path("new")).unwrap();
    assert!(matches!(write("new", false, SaveAs::Safetensors), Err(Error::NotReplaced { .. })));
    write("new", true, SaveAs::Safetensors).unwrap();
    assert_eq!(std::fs::read(folder.path("new")).unwrap(), before);
    folder.file("other", npy("f4"));
    for overwrite in [false, true] {
        let refused = write("other", overwrite, SaveAs::Npy);
        assert!(matches!(refused, Err(Error::NotReplaced { .. })));
    }
    assert_eq!(std::fs::read(folder.path("other")).unwrap(), npy("f4"));
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 3);
}

#[test]
fn a_context_takes_what_was_read() {
    let folder = Folder::new();
    let text = "[[1,0],[0,1],[1,1]]";
    let found = folder.open(text, &plain()).unwrap();
    let options = vkd::ContextOptions { device: Some("cpu".into()), ..Default::default() };
    let context = vkd::Context::new(&options).unwrap();
    let all = context.sequences(&found.input(), &vkd::Request::default()).unwrap();
    assert_eq!(all.items[..3], [0, 1, 2]);
}
