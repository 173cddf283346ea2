//! Files of embeddings that something is wrong with: each is refused with its reason and its place,
//! none with a crash, and none takes memory that its bytes do not justify.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::embeddings::{
    bytes_of, deflated, npy, npy_of, npz, safetensors, zip, Folder, Member, VALUES,
};
use vkd::embeddings::{ElementType, Embeddings, OpenOptions, RawValues};
use vkd::flaw::{At, Flaw};
use vkd::Error;

fn plain() -> OpenOptions {
    OpenOptions::default()
}

/// What is wrong with a file of these bytes, and where.
fn refused(bytes: impl AsRef<[u8]>, options: &OpenOptions) -> (At, Flaw) {
    let text = String::from_utf8_lossy(bytes.as_ref()).into_owned();
    match Folder::new().open(bytes, options) {
        Err(Error::Embeddings { path, at, flaw }) => {
            assert!(path.ends_with("embeddings"));
            (at, *flaw)
        }
        Err(other) => panic!("{other}: {text}"),
        Ok(_) => panic!("read: {text}"),
    }
}

/// The name of a flaw.
fn name(flaw: &Flaw) -> String {
    format!("{flaw:?}").split([' ', '{', '(']).next().unwrap().to_owned()
}

fn line(line: u64, byte: u64) -> At {
    At::Line { line, byte }
}

#[test]
fn texts() {
    for (text, at, wanted) in [
        ("", At::File, "Empty"),
        ("[]", line(1, 1), "Empty"),
        ("[[]]", line(1, 2), "Empty"),
        (" \n ", At::File, "UnknownFormat"),
        ("hello world", At::File, "UnknownFormat"),
        ("[[1,2],\n[3]]", line(2, 1), "Ragged"),
        ("[1,2]\n[3]", line(2, 1), "Ragged"),
        ("[[1,2],[3,4]] x", line(1, 15), "Syntax"),
        ("[[1,2],[3,4]", line(1, 13), "Ends"),
        ("[[1,2],[3,4", line(1, 12), "Ends"),
        ("[[1,2],[3,", line(1, 11), "Ends"),
        ("[[1,2],[3,-", line(1, 11), "Syntax"),
        ("[[1,2],[3,NaN]]", line(1, 11), "NotFinite"),
        ("[[1,2],[3,-Infinity]]", line(1, 11), "NotFinite"),
        ("[[1,null]]", line(1, 5), "NotFinite"),
        ("[[1,1e39]]", line(1, 5), "Overflow"),
        ("[[1,\"a\"]]", line(1, 5), "Syntax"),
        ("[[1,01]]", line(1, 5), "Syntax"),
        ("[[1 2]]", line(1, 5), "Syntax"),
        ("[[1,2],]", line(1, 8), "Syntax"),
        ("[1,2]\n{\"a\":1}", line(2, 1), "MissingKey"),
        ("{}", line(1, 1), "NoList"),
        ("{\"a\":[[1,2]]}", line(1, 1), "NoList"),
        ("{\"embeddings\":[{\"id\":1}]}", line(1, 16), "MissingKey"),
        ("{\"embeddings\":[[1]],\"data\":[[1]]}", line(1, 28), "Twice"),
        ("{\"embedding\":[1],\"vector\":[1]}", line(1, 27), "Twice"),
        ("{\"id\":1.5,\"embedding\":[1]}", line(1, 7), "Syntax"),
        ("{\"id\":[1],\"embedding\":[1]}", line(1, 7), "Syntax"),
        ("{\"id\":\"\\ud800\",\"embedding\":[1]}", line(1, 8), "Syntax"),
        ("{\"id\":1,\"embedding\":[1]}\n{\"embedding\":[1]}", line(2, 1), "MissingKey"),
        ("{\"embedding\":[1]}\n{\"id\":1,\"embedding\":[1]}", At::File, "MissingKey"),
        ("{\"id\":1,\"embedding\":[1]}\n{\"id\":\"1\",\"embedding\":[1]}", At::File, "RepeatedId"),
        ("[{\"embedding\":[[1,2],[3,4]]}]", line(1, 22), "NotPooled"),
        ("[{\"embedding\":\"AACA\"}]", line(1, 15), "BadBase64"),
        ("[{\"embedding\":\"AADAfw==\"}]", line(1, 15), "NotFinite"),
        ("[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]", At::File, "BadIndex"),
        ("[{\"index\":0,\"embedding\":[1]},{\"index\":2,\"embedding\":[1]}]", At::File, "BadIndex"),
        ("{\"a", line(1, 4), "Ends"),
        ("{\"a\":{]}", line(1, 7), "Syntax"),
        ("{1:2}", line(1, 2), "Syntax"),
        ("the 1 2\nof 3\n", line(2, 1), "Ragged"),
        ("the 1 2\nof 3 x\n", line(2, 6), "Syntax"),
        ("the 1 2\nof 3 nan\n", line(2, 6), "NotFinite"),
        ("the 1 2\nof 3 1e50\n", line(2, 6), "Overflow"),
        ("the 1 2\nthe 3 4\n", At::File, "RepeatedId"),
        ("2 2\nthe 1 2\n", At::File, "Damaged"),
        ("2000000 2000\nthe 1 2\n", At::File, "Cut"),
        ("99999999999999999 99999999999999\nthe 1 2\n", At::File, "Cut"),
    ] {
        let (found, flaw) = refused(text, &plain());
        assert_eq!((found, name(&flaw).as_str()), (at, wanted), "{text}: {flaw}");
    }
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    assert_eq!(refused(deep, &plain()).1, Flaw::TooDeep { limit: 128 });
    let deep = "[".repeat(100_000);
    assert_eq!(name(&refused(deep, &plain()).1), "Syntax");
    let wide = format!("[{}1]", "1,".repeat(65_536));
    assert_eq!(name(&refused(wide, &plain()).1), "DimTooLarge");
}

#[test]
fn what_is_no_utf8() {
    for bytes in [&b"{\"id\":\"\xff\",\"embedding\":[1]}"[..], b"the 1 2\n\xff 3 4\n"] {
        assert_eq!(refused(bytes, &plain()).1, Flaw::NotUtf8 { what: "an id" });
    }
}

#[test]
fn keys_that_are_named_must_be_there() {
    let options = OpenOptions { id_key: Some("name".into()), ..plain() };
    let (at, flaw) = refused("[{\"id\":1,\"embedding\":[1]}]", &options);
    assert_eq!((at, flaw), (line(1, 2), Flaw::MissingKey { item: 0, key: "\"name\"".into() }));
    let options = OpenOptions { embedding_key: Some("e".into()), ..plain() };
    assert_eq!(name(&refused("[{\"id\":1,\"embedding\":[1]}]", &options).1), "MissingKey");
}

#[test]
fn arrays() {
    let data = bytes_of("f4", &VALUES);
    let huge = "(18446744073709551615, 65536)";
    for (bytes, wanted) in [
        (npy_of("<f4", "False", "(2, 4)", &data), "Cut"),
        (npy_of("<f4", "False", "(2, 2)", &data), "Damaged"),
        (npy_of("<f4", "False", huge, &data), "TooManyItems"),
        (npy_of("<f4", "False", "(4294967295, 65536)", &data), "Cut"),
        (npy_of("<f4", "False", "(2, 65537)", &data), "DimTooLarge"),
        (npy_of("<f4", "False", "(0, 3)", &[]), "Empty"),
        (npy_of("<f4", "False", "(6,)", &data), "NotTwo"),
        (npy_of("<f4", "False", "(99999999999999999999, 3)", &data), "BadHeader"),
        (npy_of("<f4", "Perhaps", "(2, 3)", &data), "BadHeader"),
        (npy_of(">f4", "False", "(2, 3)", &data), "ElementType"),
        (npy_of("<i4", "False", "(2, 3)", &data), "ElementType"),
        (npy("f4")[..50].to_vec(), "Ends"),
        (b"\x93NUMPY".to_vec(), "Ends"),
        (b"\x93NUMPY\x09\0\0\0".to_vec(), "BadHeader"),
        (b"\x93NUMPY\x02\0\xff\xff\xff\xff{".to_vec(), "BadHeader"),
    ] {
        assert_eq!(name(&refused(bytes, &plain()).1), wanted);
    }
}

#[test]
fn archives() {
    for is_deflated in [false, true] {
        let whole = npz(is_deflated);
        assert_eq!(name(&refused(&whole[..whole.len() - 30], &plain()).1), "Ends");
        let options = OpenOptions { array: Some("nothing".into()), ..plain() };
        let flaw = refused(&whole, &options).1.to_string();
        assert!(flaw.contains("\"embeddings\" (2 x 3)"), "{flaw}");
        let options = OpenOptions { array: Some("lengths".into()), ..plain() };
        assert_eq!(name(&refused(&whole, &options).1), "NotTwo");
    }
    let (packed, crc) = deflated();
    let with = |size, crc, packed: &[u8]| {
        zip(&[Member { name: "x.npy", deflated: true, packed, size, crc }])
    };
    let refused_as = |bytes: Vec<u8>| name(&refused(bytes, &plain()).1);
    assert_eq!(refused_as(with(152, crc + 1, &packed)), "Damaged");
    assert_eq!(refused_as(with(151, crc, &packed)), "Cut");
    assert_eq!(refused_as(with(153, crc, &packed)), "Damaged");
    assert_eq!(refused_as(with(u32::MAX - 1, crc, &packed)), "Cut");
    assert_eq!(refused_as(with(152, crc, &packed[..80])), "Damaged");
    assert_eq!(refused_as(b"PK\x05\x06".to_vec()), "Damaged");
}

#[test]
fn tensors() {
    let tensor = |dtype: &str, shape: &str, end: u64| {
        format!("{{\"x\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[0,{end}]}}}}")
    };
    let data = bytes_of("f4", &VALUES);
    for (header, wanted) in [
        (tensor("F32", "[2,4]", 32), "Cut"),
        (tensor("F32", "[2,4]", 24), "BadHeader"),
        (tensor("F32", "[4294967296,4294967296]", 24), "BadHeader"),
        (tensor("F32", "[6]", 24), "NoArray"),
        (tensor("I32", "[2,3]", 24), "ElementType"),
        (tensor("F33", "[2,3]", 24), "BadHeader"),
        (tensor("F32", "[0,3]", 0), "Empty"),
        ("{".into(), "BadHeader"),
        ("{\"x\":".to_owned() + &"[".repeat(1000), "BadHeader"),
    ] {
        let flaw = refused(safetensors(&header, &data), &plain()).1;
        assert_eq!(name(&flaw), wanted, "{header}: {flaw}");
    }
    // A header of 16 EB.
    let flaw = refused(b"\xff\xff\xff\xff\xff\xff\xff\xff{}", &plain()).1;
    assert_eq!(flaw, Flaw::Cut { what: "its header", needed: u64::MAX, there: 2 });
    // Ids that do not fit their ends.
    let ids = |ends: [u64; 2]| {
        let header = "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},\
                      \"id_ends\":{\"dtype\":\"U64\",\"shape\":[2],\"data_offsets\":[24,40]},\
                      \"ids\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[40,43]}}";
        let ends: Vec<u8> = ends.iter().flat_map(|end| end.to_le_bytes()).collect();
        safetensors(header, &[&data[..], &ends, "aé".as_bytes()].concat())
    };
    assert!(Folder::new().open(ids([1, 3]), &plain()).is_ok());
    for ends in [[2, 3], [1, 2], [3, 1], [1, u64::MAX]] {
        assert_eq!(name(&refused(ids(ends), &plain()).1), "Damaged");
    }
}

#[test]
fn binary_rows() {
    let (first, second) = VALUES.split_at(3);
    let (first, second) = (bytes_of("f4", first), bytes_of("f4", second));
    let three = b"\x03\0\0\0";
    let cut = [&three[..], &first, three, &second[..8]].concat();
    assert_eq!(refused(cut, &plain()).0, At::Byte(28));
    let ragged = [&three[..], &first, three, &second, b"\x02\0\0\0", &first].concat();
    assert_eq!(refused(ragged, &plain()).1, Flaw::Ragged { item: 2, length: 2, dim: 3 });
    let nan = [&three[..], &first, three, &[255; 12]].concat();
    assert_eq!(name(&refused(nan, &plain()).1), "NotFinite");
    let words = |begin: &str, rest: &[u8]| [begin.as_bytes(), &first, rest].concat();
    assert_eq!(name(&refused(words("2 3\nthe ", b""), &plain()).1), "Cut");
    assert_eq!(name(&refused(words("2 3\nthe ", b"ofofofofofofof"), &plain()).1), "Ends");
    assert_eq!(name(&refused(words("1 3\nthe ", b"more"), &plain()).1), "Damaged");
    let raw = |dim| {
        let raw = Some(RawValues { element_type: ElementType::F32, dim });
        Folder::new().open(&first, &OpenOptions { raw, ..plain() }).unwrap_err()
    };
    assert_eq!(raw(0), Error::ZeroSize { name: "dim" });
    assert!(raw(2).to_string().contains("needs 16 bytes, and 12 bytes are there"));
}

#[test]
fn other_ids_and_no_files() {
    let folder = Folder::new();
    let with = |text: &[u8]| {
        let options = OpenOptions { ids: Some(folder.file("ids", text)), ..plain() };
        match folder.open(npy("f4"), &options) {
            Err(Error::Embeddings { flaw, path, .. }) if path.ends_with("ids") => *flaw,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with(b"a\n"), Flaw::IdCount { ids: 1, num_items: 2 });
    assert_eq!(with(b""), Flaw::IdCount { ids: 0, num_items: 2 });
    assert_eq!(with(b"a\na\n"), Flaw::RepeatedId { id: "a".into(), first: 0, second: 1 });
    assert_eq!(with(b"a\n\xff\n"), Flaw::NotUtf8 { what: "an id" });
    for path in [folder.path("nothing"), folder.path("")] {
        let error = Embeddings::open(&path, &plain()).unwrap_err();
        assert!(matches!(error, Error::File { action: "open", .. }), "{error}");
    }
}

/// Every file, cut short anywhere, and with any byte changed.
#[test]
fn no_damage_is_a_crash() {
    let (packed, crc) = deflated();
    let files: [Vec<u8>; 8] = [
        npy("f2"),
        npz(false),
        npz(true),
        zip(&[Member { name: "x.npy", deflated: true, packed: &packed, size: 152, crc }]),
        b"{\"metadata\":{\"a\":[1]},\"embeddings\":[{\"id\":\"a\\u00e9\",\"embedding\":[1.5,2e1]},\
          {\"id\":2,\"embedding\":[-1,0.25]}]}"
            .to_vec(),
        b"[{\"index\":1,\"embedding\":[[1,2]]},{\"index\":0,\"embedding\":\"AACAPwAAAMA=\"}]"
            .to_vec(),
        b"2 2\nthe 1.5 -2\nof 3 4e1\n".to_vec(),
        [&b"2 2\nthe "[..], &[1; 8], b"of ", &[2; 8]].concat(),
    ];
    let folder = Folder::new();
    for file in files {
        assert!(folder.open(&file, &plain()).is_ok());
        for at in 0..file.len() {
            let _ = folder.open(&file[..at], &plain());
            for change in [1, 0x20, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= change;
                let _ = folder.open(&changed, &plain());
            }
        }
    }
}
