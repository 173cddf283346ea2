//! The rankings of all items in one file of numbers, byte for byte as the older library wrote it.

use std::path::Path;
use std::sync::Mutex;

use super::new_file::NewFile;
use super::results::Results;
use crate::error::Result;
use crate::export::{rankings_head, Labels, RankingsMeta, TAIL};
use crate::threads::lock;

/// Rows whose texts one thread makes before they are written.
const ROWS_AT_ONCE: usize = 16;

impl Results<'_> {
    /// Writes the nearest `top` others of every item into one file; 0 means all.
    pub(super) fn write_rankings(&self, path: &Path, top: u32) -> Result<()> {
        let mut file = NewFile::begin(path)?;
        let (n, sort_threads) = (self.numbers.len(), self.num_threads);
        file.write(&rankings_head(RankingsMeta { num_items: n, sort_threads, top }))?;
        let labels = Labels::of_numbers(n as u32, |item| self.numbers[item as usize])?;
        let keep = if top == 0 { usize::MAX } else { top as usize };
        let wave = ROWS_AT_ONCE * self.num_threads;
        let texts: Vec<Mutex<Vec<u8>>> = (0..wave.min(n)).map(|_| Mutex::default()).collect();
        for first in (0..n).step_by(wave) {
            let rows = first..n.min(first + wave);
            self.on_threads(rows.clone(), |row, others, text| {
                self.triangle.nearest(row, keep, others)?;
                let others = others.iter().map(|other| other.item() as u32);
                labels.push_row(row as u32, others, row + 1 == n, text)?;
                std::mem::swap(text, &mut *lock(&texts[row - first]));
                Ok(())
            })?;
            for text in &texts[..rows.len()] {
                file.write(&lock(text))?;
            }
        }
        file.write(TAIL)?;
        file.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::fixtures::{in_folder, results, text, THREE};

    #[test]
    fn rankings_have_these_bytes() {
        in_folder("rankings", |folder| {
            let path = folder.join("rankings.json");
            results(&THREE, &[7, 3, 12], 8).write_rankings(&path, 0).unwrap();
            let description = "Pre-sorted similarity rankings, top-K neighbours per poem \
                               (top_k=0 means all)";
            let all = format!(
                r#"{{
  "metadata": {{
    "total_poems": 3,
    "algorithm": "gpu_vulkan_parallel_c",
    "format": "pre_sorted_rankings",
    "sort_threads": 8,
    "top_k": 0,
    "description": "{description}"
  }},
  "rankings": {{
    "7": [3, 12],
    "3": [7, 12],
    "12": [3, 7]
  }}
}}
"#
            );
            assert_eq!(text(&path), all);
            results(&THREE, &[7, 3, 12], 8).write_rankings(&path, 1).unwrap();
            let one = text(&path);
            assert!(one.contains("\"top_k\": 1,\n"), "{one}");
            assert!(
                one.contains("    \"7\": [3],\n    \"3\": [7],\n    \"12\": [3]\n  }"),
                "{one}"
            );
        });
    }
}
