//! Helpers of the integration tests: npy files, golden cases, random corpora, one-line computing.
#![allow(dead_code, unreachable_pub)]

pub mod embeddings;
pub mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use vkd::engine::vulkan::Settings;
use vkd::engine::RowSource;
use vkd::{Context, ContextOptions, Elements, Input, Request};

pub struct Npy {
    pub num_items: u32,
    pub dim: u32,
    pub values: Vec<f32>,
}

impl Npy {
    pub fn input(&self, center: bool) -> Input<'_> {
        let elements = Elements::F32(&self.values);
        Input { center, ..Input::new(elements, self.num_items, self.dim) }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Runs one test of this program, ignored or not, in a process of its own, whose environment
/// `prepare` sets. Where it did not pass: all that it printed.
pub fn alone(test: &str, prepare: impl FnOnce(&mut Command)) -> Result<(), String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--include-ignored", "--test-threads=1", "--nocapture"]);
    prepare(&mut command);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    // A name that no test has passes, too: with 0 tests.
    match output.status.success() && text.contains("1 passed") {
        true => Ok(()),
        false => Err(format!("{test}: {text}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// Reads a file of tests/golden (f2 or f4, C order).
pub fn npy(name: &str) -> Npy {
    npy_at(&folder().join(name))
}

/// Reads an npy file (f2 or f4, C order).
pub fn npy_at(path: &Path) -> Npy {
    let bytes = std::fs::read(path).unwrap();
    let header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..10 + header_len]).unwrap();
    let shape = header.split("'shape': (").nth(1).unwrap().split(')').next().unwrap();
    let shape: Vec<u32> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let data = &bytes[10 + header_len..];
    let values = if header.contains("'<f2'") {
        data.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
    } else {
        assert!(header.contains("'<f4'"), "{header}");
        data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    Npy { num_items: shape[0], dim: shape[1], values }
}

/// Writes an npy file (f4, C order).
pub fn write_npy(path: &Path, npy: &Npy) {
    let shape = (npy.num_items, npy.dim);
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape:?}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(npy.values.iter().flat_map(|value| value.to_le_bytes()));
    std::fs::write(path, bytes).unwrap();
}

/// A corpus of clustered, repeated and mixed-length rows from a small generator.
pub fn random(num_items: u32, dim: u32, seed: u64) -> Npy {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let mut values: Vec<f32> = Vec::new();
    for item in 0..num_items as usize {
        if item > 4 && item % 7 == 0 {
            // An exact duplicate of an earlier row, for ties.
            let from = (item / 2) * dim as usize;
            values.extend_from_within(from..from + dim as usize);
        } else {
            let scale = 1.0 + (item % 3) as f32;
            values.extend((0..dim).map(|_| scale * (next() + 0.3) + 1e-3));
        }
    }
    Npy { num_items, dim, values }
}

/// A part of the name of the software driver under test: llvmpipe, or what tests/drivers/run names.
pub fn software_driver() -> String {
    std::env::var("VKD_TEST_DRIVER").unwrap_or("llvmpipe".into())
}

/// The best Vulkan device, with the matrix where it fits: the small questions of tests would be
/// answered without.
pub fn vulkan(vulkan: Settings) -> ContextOptions {
    let vulkan = Settings { rows: vulkan.rows.or(Some(RowSource::Matrix)), ..vulkan };
    ContextOptions { device: Some("vulkan".into()), vulkan, ..Default::default() }
}

pub fn compute(options: &ContextOptions, npy: &Npy, center: bool, request: &Request) -> Vec<u32> {
    let context = Context::new(options).unwrap();
    context.sequences(&npy.input(center), request).unwrap().items
}

pub fn reference(npy: &Npy, center: bool, request: &Request) -> Vec<u32> {
    let options = ContextOptions { device: Some("reference".into()), ..Default::default() };
    compute(&options, npy, center, request)
}

pub struct Golden {
    pub name: String,
    pub npy: Npy,
    expected: serde_json::Value,
}

pub fn golden() -> Vec<Golden> {
    let text = std::fs::read_to_string(folder().join("golden.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    cases
        .into_iter()
        .map(|expected| {
            let name = expected["file"].as_str().unwrap().to_owned();
            Golden { npy: npy(&name), name, expected }
        })
        .collect()
}

/// The hash of numbers as 32-bit little-endian bytes.
pub fn sha256(numbers: &[u32]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    format!("{:x}", Sha256::digest(bytes))
}

impl Golden {
    /// k, and the committed hash of the neighbours.
    pub fn neighbor_hashes(&self, center: bool) -> Vec<(u32, String)> {
        let Some(rule) = self.rule(center).as_object() else { return Vec::new() };
        let of = |(name, hash): (&String, &serde_json::Value)| {
            let k = name.strip_prefix("neighbors_")?.strip_suffix("_sha256")?.parse().ok()?;
            Some((k, hash.as_str()?.to_owned()))
        };
        rule.iter().filter_map(of).collect()
    }

    fn rule(&self, center: bool) -> &serde_json::Value {
        &self.expected[if center { "centered" } else { "plain" }]
    }

    /// Centring leaves nothing of a single item.
    pub fn expects_error(&self, center: bool) -> bool {
        !self.rule(center)["error"].is_null()
    }

    /// Rows of all starts against the committed hash.
    pub fn check_rows(&self, center: bool, rows: &[u32], what: &str) {
        let hash = sha256(rows);
        let expected = self.rule(center)["sequences_sha256"].as_str().unwrap();
        assert_eq!(hash, expected, "{}, center: {center}, {what}", self.name);
    }

    /// Computes all starts, plain and centred, and checks them.
    pub fn check(&self, options: &ContextOptions) {
        let context = Context::new(options).unwrap();
        for center in [false, true] {
            let result = context.sequences(&self.npy.input(center), &Request::default());
            if self.expects_error(center) {
                assert_eq!(result.unwrap_err(), vkd::Error::ZeroNormCentered { item: 0 });
            } else {
                self.check_rows(center, &result.unwrap().items, &format!("{options:?}"));
            }
        }
    }
}
