//! Files of embeddings as other programs write them, and a folder for them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use vkd::embeddings::{Embeddings, OpenOptions};
use vkd::Elements;

/// Two items of three dimensions, which every format holds exactly.
pub const VALUES: [f32; 6] = [1.0, -2.0, 0.5, 3.25, -0.125, 8.0];

/// A folder of its own, gone at its end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("vkd-embeddings-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// Opens a file of these bytes.
    pub fn open(&self, bytes: impl AsRef<[u8]>, options: &OpenOptions) -> vkd::Result<Embeddings> {
        Embeddings::open(&self.file("embeddings", bytes), options)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// All values of a file, as f32.
pub fn values(embeddings: &Embeddings) -> Vec<f32> {
    match embeddings.elements() {
        Elements::F32(values) => values.to_vec(),
        Elements::F16(values) => values.iter().map(|value| value.to_f32()).collect(),
        Elements::F64(values) => values.iter().map(|&value| value as f32).collect(),
    }
}

/// All ids of a file.
pub fn ids(embeddings: &Embeddings) -> Option<Vec<&str>> {
    embeddings.ids().map(|ids| ids.iter().collect())
}

/// Little-endian values of a type.
pub fn bytes_of(element: &str, values: &[f32]) -> Vec<u8> {
    let one = |&value: &f32| match element {
        "f2" => half::f16::from_f32(value).to_le_bytes().to_vec(),
        "bf" => half::bf16::from_f32(value).to_le_bytes().to_vec(),
        "f4" => value.to_le_bytes().to_vec(),
        _ => f64::from(value).to_le_bytes().to_vec(),
    };
    values.iter().flat_map(one).collect()
}

/// An npy file with this header, and `data` behind it.
pub fn npy_of(described: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut text =
        format!("{{'descr': '{described}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (text.len() + 11) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, text.as_bytes(), data].concat()
}

/// An npy file of [`VALUES`].
pub fn npy(element: &str) -> Vec<u8> {
    npy_of(&format!("<{element}"), "False", "(2, 3)", &bytes_of(element, &VALUES))
}

/// A safetensors file with this header.
pub fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// A member of a zip archive.
pub struct Member<'a> {
    pub name: &'a str,
    pub deflated: bool,
    pub packed: &'a [u8],
    pub size: u32,
    pub crc: u32,
}

/// A zip archive.
pub fn zip(members: &[Member]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let begin = file.len() as u32;
        let method = if member.deflated { 8_u16 } else { 0 };
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0]);
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        for number in [member.crc, member.packed.len() as u32, member.size] {
            common.extend(number.to_le_bytes());
        }
        common.extend((member.name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(member.name.bytes());
        file.extend(member.packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(begin.to_le_bytes());
        directory.extend(member.name.bytes());
    }
    let begin = file.len() as u32;
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend((members.len() as u16).to_le_bytes());
    file.extend((members.len() as u16).to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(begin.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// `npy("f4")` deflated by zlib, and its checksum.
pub fn deflated() -> (Vec<u8>, u32) {
    let hex = "9bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f54529498179f5f94\
               920a12774bcc294e058a17672416a402f91a463a0ac69a3a0ab50a64032e0686067b0606860340\
               0ca4031c80f43e20760400";
    let digits: Vec<u8> = hex.bytes().collect();
    let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
    (digits.chunks(2).map(byte).collect(), 3_382_419_095)
}

/// An archive of `npy("f4")` as "embeddings.npy", deflated or not, and of another array.
pub fn npz(is_deflated: bool) -> Vec<u8> {
    let (npy, (packed, crc)) = (npy("f4"), deflated());
    let lengths = npy_of("<f8", "False", "(2,)", &[0; 16]);
    zip(&[
        Member { name: "lengths.npy", deflated: false, packed: &lengths, size: 144, crc: 0 },
        Member {
            name: "embeddings.npy",
            deflated: is_deflated,
            packed: if is_deflated { &packed } else { &npy },
            size: 152,
            crc,
        },
    ])
}
