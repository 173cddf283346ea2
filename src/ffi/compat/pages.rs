//! A page for each item, `poem_index_%u.json`, with all others, nearest first: byte for byte as the
//! older library wrote it.

use std::collections::HashMap;
use std::path::Path;

use super::new_file::NewFile;
use super::results::Results;
use super::triangle::Other;
use crate::error::Result;
use crate::memory::reserve;

/// Bytes of an entry of a page at the most: a number, a similarity, what stands around them, and
/// the number once more.
const ENTRY_BYTES: usize = 80;

impl Results<'_> {
    /// Writes a page for each item, named by its number, into `folder`.
    pub(super) fn write_pages(&self, folder: &Path, ids: &[&[u8]]) -> Result<()> {
        // Of several items with one number the last has the page, whichever thread comes last.
        let last: HashMap<u32, usize> = self.numbers.iter().copied().zip(0..).collect();
        self.on_threads(0..self.numbers.len(), |row, others, text| {
            let number = self.numbers[row];
            if last.get(&number) != Some(&row) {
                return Ok(());
            }
            self.triangle.nearest(row, usize::MAX, others)?;
            self.page(row, ids[row], others, text)?;
            let mut file = NewFile::begin(&folder.join(format!("poem_index_{number}.json")))?;
            file.write(text)?;
            file.finish()
        })
    }

    fn page(&self, row: usize, id: &[u8], others: &[Other], to: &mut Vec<u8>) -> Result<()> {
        let room = others.len() * ENTRY_BYTES + id.len() * 6 + 512;
        reserve(to, room, "a page")?;
        let format = if others.is_empty() { "triangular_upper" } else { "full_bidirectional" };
        to.extend(b"{\n  \"metadata\": {\n    \"poem_id\": \"");
        push_escaped(to, id);
        to.extend(b"\",\n    \"poem_index\": ");
        push_number(to, self.numbers[row].into());
        to.extend(b",\n    \"total_comparisons\": ");
        push_number(to, others.len() as u64);
        to.extend(format!(",\n    \"format\": \"{format}\",\n").bytes());
        to.extend(b"    \"method\": \"gpu_vulkan_parallel_c\"\n  },\n  \"similarities\": [");
        for (place, other) in others.iter().enumerate() {
            to.extend_from_slice(if place == 0 { b"\n" } else { b",\n" });
            to.extend_from_slice(b"    {\"id\": \"");
            push_number(to, self.numbers[other.item()].into());
            to.extend_from_slice(b"\", \"similarity\": ");
            push_similarity(to, self.triangle.get(row, other.item()));
            to.push(b'}');
        }
        to.extend_from_slice(if others.is_empty() { b"],\n" } else { b"\n  ],\n" });
        to.extend(b"  \"sorted_indices\": [");
        self.push_numbers(to, others);
        to.extend(b"]\n}\n");
        Ok(())
    }

    fn push_numbers(&self, to: &mut Vec<u8>, others: &[Other]) {
        for (place, other) in others.iter().enumerate() {
            if place > 0 {
                to.extend_from_slice(b", ");
            }
            push_number(to, self.numbers[other.item()].into());
        }
    }
}

/// Writes an id so that no byte of it ends or breaks a JSON text.
fn push_escaped(to: &mut Vec<u8>, id: &[u8]) {
    for &byte in id {
        match byte {
            b'"' | b'\\' => to.extend([b'\\', byte]),
            b'\n' => to.extend(b"\\n"),
            b'\t' => to.extend(b"\\t"),
            b'\r' => to.extend(b"\\r"),
            ..0x20 => to.extend(format!("\\u{byte:04x}").bytes()),
            _ => to.push(byte),
        }
    }
}

/// Writes a number as `%u` does.
fn push_number(to: &mut Vec<u8>, number: u64) {
    push_digits(to, number, 1);
}

/// Writes the decimal digits of a number, zeros before it so that they are `least` digits.
fn push_digits(to: &mut Vec<u8>, mut number: u64, least: usize) {
    let (mut digits, mut begin) = ([b'0'; 20], 20);
    while number > 0 {
        begin -= 1;
        digits[begin] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    to.extend_from_slice(&digits[begin.min(20 - least)..]);
}

/// Writes a similarity as `%.8f` does.
fn push_similarity(to: &mut Vec<u8>, similarity: f32) {
    if similarity.is_sign_negative() {
        to.push(b'-');
    }
    let size = f64::from(similarity.abs());
    if size.is_nan() {
        return to.extend(b"nan");
    }
    if size >= 1e6 {
        return to.extend(format!("{size:.8}").bytes());
    }
    // Exact: 24 bits of a float times the 19 of 5^8. Halves go to the even number, as printf has
    // it.
    let scaled = (size * 1e8).round_ties_even() as u64;
    push_digits(to, scaled / 100_000_000, 1);
    to.push(b'.');
    push_digits(to, scaled % 100_000_000, 8);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::results::fixtures::{in_folder, results, text, THREE};
    use super::*;

    #[test]
    fn a_page_has_these_bytes() {
        in_folder("pages", |folder| {
            let ids: [&[u8]; 3] =
                [b"sea", "the \"sto\\ne\"\u{1}\n".as_bytes(), "h\u{e6}".as_bytes()];
            results(&THREE, &[7, 3, 12], 2).write_pages(folder, &ids).unwrap();
            let first = r#"{
  "metadata": {
    "poem_id": "sea",
    "poem_index": 7,
    "total_comparisons": 2,
    "format": "full_bidirectional",
    "method": "gpu_vulkan_parallel_c"
  },
  "similarities": [
    {"id": "3", "similarity": 0.50000000},
    {"id": "12", "similarity": -0.00000000}
  ],
  "sorted_indices": [3, 12]
}
"#;
            assert_eq!(text(&folder.join("poem_index_7.json")), first);
            let second = text(&folder.join("poem_index_3.json"));
            assert!(second.contains(r#""poem_id": "the \"sto\\ne\"\u0001\n","#), "{second}");
            let third = text(&folder.join("poem_index_12.json"));
            assert!(third.contains(r#"{"id": "3", "similarity": 0.12345679},"#), "{third}");
            assert!(third.contains("\"poem_id\": \"h\u{e6}\"") && third.contains("[3, 7]\n}\n"));
            assert_eq!(fs::read_dir(folder).unwrap().count(), 3);
        });
    }

    #[test]
    fn a_single_item_has_empty_lists() {
        in_folder("single", |folder| {
            results(&[], &[0], 4).write_pages(folder, &[b"only"]).unwrap();
            let only = r#"{
  "metadata": {
    "poem_id": "only",
    "poem_index": 0,
    "total_comparisons": 0,
    "format": "triangular_upper",
    "method": "gpu_vulkan_parallel_c"
  },
  "similarities": [],
  "sorted_indices": []
}
"#;
            assert_eq!(text(&folder.join("poem_index_0.json")), only);
            results(&[], &[], 1).write_pages(folder, &[]).unwrap();
            let path = folder.join("rankings.json");
            results(&[], &[], 1).write_rankings(&path, 0).unwrap();
            assert!(text(&path).ends_with("  \"rankings\": {\n  }\n}\n"));
        });
    }

    #[test]
    fn threads_change_no_byte() {
        let n = 150_usize;
        let values: Vec<f32> = (0..n * (n - 1) / 2).map(|at| (at as f32 * 0.7).sin()).collect();
        // Two items with one number: the last one's page stays.
        let numbers: Vec<u32> = (0..n as u32).map(|item| item % 149 * 3).collect();
        let ids: Vec<String> = (0..n).map(|item| format!("id {item}")).collect();
        let ids: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes()).collect();
        let of = |num_threads| {
            let mut files = Vec::new();
            in_folder(&format!("threads-{num_threads}"), |folder| {
                let results = results(&values, &numbers, num_threads);
                results.write_pages(folder, &ids).unwrap();
                let path = folder.join("rankings");
                results.write_rankings(&path, 9).unwrap();
                let told = format!("\"sort_threads\": {num_threads}");
                fs::write(&path, text(&path).replacen(&told, "", 1)).unwrap();
                let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
                files =
                    names.map(|path| (path.file_name().unwrap().to_owned(), text(&path))).collect();
                files.sort();
            });
            files
        };
        let one = of(1);
        assert_eq!(one.len(), 150);
        let zero = &one.iter().find(|(name, _)| name == "poem_index_0.json").unwrap().1;
        assert!(zero.contains("\"poem_id\": \"id 149\""));
        assert!(of(2) == one && of(7) == one && of(64) == one);
    }

    #[test]
    fn similarities_are_printed_as_c_prints_them() {
        let printed = |value: f32| {
            let mut text = Vec::new();
            push_similarity(&mut text, value);
            String::from_utf8(text).unwrap()
        };
        let values = [0.0, -0.0, 1.0, -1.0, 0.1, -1e-9, 1e-8, 5e-9, 999_999.94, 3e38, 1e-45];
        let random = (0..100_000_u32).map(|n| f32::from_bits(n.wrapping_mul(2_654_435_761)));
        // Halves of the last digit: multiples of 2^-9.
        let halves = (-4096..4096).map(|n| n as f32 / 512.0);
        for value in values.into_iter().chain(random).chain(halves) {
            if !value.is_nan() {
                assert_eq!(printed(value), format!("{value:.8}"), "{value:e}");
            }
        }
        assert_eq!([printed(f32::NAN), printed(-f32::NAN)], ["nan", "-nan"]);
        assert_eq!(printed(f32::NEG_INFINITY), "-inf");
    }

    #[test]
    fn what_cannot_be_opened_is_an_error_and_leaves_nothing() {
        in_folder("failures", |folder| {
            let three = results(&THREE, &[7, 3, 12], 2);
            let missing = folder.join("missing");
            assert!(three.write_pages(&missing, &[b"a", b"b", b"c"]).is_err());
            assert!(three.write_rankings(&missing.join("file"), 0).is_err());
            assert!(three.write_rankings(folder, 0).is_err());
            assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
        });
    }
}
