//! The golden cases on a device: small corpora whose right answers are known by their hashes. A
//! device that gives these gives the bits that every other one gives.
//!
//! `rows` are the corpora, `cases` the questions and the hashes; here they are asked and compared.

mod cases;
mod rows;

use sha2::{Digest, Sha256};
use vkd::context::NeighborsRequest;
use vkd::engine::RowSource;
use vkd::{Context, ContextOptions};

pub(crate) use cases::Effort;
use cases::{Case, Hashes, Work};
pub(crate) use rows::{Rows, PSALMS};

/// How the cases came out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Cases that were asked.
    pub(crate) cases: usize,
    /// What was wrong, in words.
    pub(crate) failures: Vec<String>,
}

impl Outcome {
    pub(crate) fn is_right(&self) -> bool {
        self.cases > 0 && self.failures.is_empty()
    }
}

/// Asks a device for all cases of an effort, with the rows of the matrix as the device chooses, and
/// with the whole matrix. `step` hears of each case.
pub(crate) fn check(
    device: Option<&str>,
    effort: Effort,
    mut step: impl FnMut(usize),
) -> vkd::Result<Outcome> {
    let cases = cases::cases(effort);
    let mut outcome = Outcome::default();
    for source in [None, Some(RowSource::Matrix)] {
        let mut options =
            ContextOptions { device: device.map(str::to_owned), ..Default::default() };
        (options.cpu.rows, options.vulkan.rows) = (source, source);
        let context = Context::new(&options)?;
        let mut corpus: Option<(&str, Rows)> = None;
        for case in &cases {
            if corpus.as_ref().is_none_or(|(file, _)| *file != case.file) {
                corpus = Rows::named(&case.file).map(|rows| (&*case.file, rows));
            }
            let Some((_, rows)) = &corpus else { continue };
            outcome.cases += 1;
            step(outcome.cases);
            let found = answer(&context, rows, case);
            let wrong = match found {
                Ok(found) => difference(&case.expected, &found).map(str::to_owned),
                Err(error) => Some(error.to_string()),
            };
            outcome.failures.extend(wrong.map(|wrong| format!("{}: {wrong}", case.name())));
        }
    }
    Ok(outcome)
}

/// The hashes of what a device answers.
fn answer(context: &Context, rows: &Rows, case: &Case) -> vkd::Result<Hashes> {
    let input = rows.input(case.center);
    match &case.work {
        Work::Sequences(request) => {
            let found = context.sequences(&input, request)?;
            let values = request.values.then(|| hash(found.values.iter().map(|v| v.to_bits())));
            Ok(Hashes { items: hash(found.items), values })
        }
        Work::Neighbors(k) => {
            let request = NeighborsRequest { input, k: *k, queries: None };
            let found = context.neighbors(&request)?;
            Ok(Hashes { items: hash(found.indices), values: None })
        }
    }
}

/// Of numbers as 32-bit little-endian bytes.
fn hash(numbers: impl IntoIterator<Item = u32>) -> String {
    let bytes: Vec<u8> = numbers.into_iter().flat_map(u32::to_le_bytes).collect();
    format!("{:x}", Sha256::digest(bytes))
}

/// What differs from what is right.
fn difference(expected: &Hashes, found: &Hashes) -> Option<&'static str> {
    if expected.items != found.items {
        Some("other items than are right")
    } else if expected.values != found.values {
        Some("other values than are right")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_hash_is_seen() {
        let right = Hashes { items: hash([1, 2, 3]), values: Some(hash([7])) };
        assert_eq!(difference(&right, &right.clone()), None);
        let other = Hashes { items: hash([1, 3, 2]), ..right.clone() };
        assert_eq!(difference(&right, &other), Some("other items than are right"));
        for values in [None, Some(hash([8]))] {
            let other = Hashes { values, ..right.clone() };
            assert_eq!(difference(&right, &other), Some("other values than are right"));
        }
    }

    #[test]
    fn the_hash_is_of_little_endian_numbers() {
        let expected = "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119";
        assert_eq!(hash([0]), expected);
    }
}
