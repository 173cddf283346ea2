//! The name of a corpus in its files of results.

use xxhash_rust::xxh3::Xxh3;

use crate::corpus::{Corpus, Crew, Input, Preparation, Shape};
use crate::error::Result;
use crate::memory::{zeroed_of, Bytes};

/// Values that are prepared at once (512 kB), or a row: some 1 ms of work for two threads.
const BLOCK: u64 = 1 << 18;

/// Hash of a prepared corpus: its shape, rows and weights. 32 hex digits.
pub fn fingerprint(corpus: &Corpus) -> String {
    let mut hash = begin(corpus.shape());
    for item in 0..corpus.num_items() {
        hash.update(bytemuck::cast_slice(corpus.row(item)));
    }
    hash.update(bytemuck::cast_slice(corpus.weights()));
    text(&hash)
}

/// The same of embeddings, which are prepared some rows at a time and not held.
pub(crate) fn fingerprint_of(crew: &Crew, input: &Input) -> Result<String> {
    let (preparation, shape) = (Preparation::new(crew, input)?, input.shape());
    let mut block = zeroed_of(block_values(shape), "some prepared rows")?;
    let mut hash = begin(shape);
    let rows = block.len() as u32 / shape.dim;
    for first in (0..shape.num_items).step_by(rows as usize) {
        let count = rows.min(shape.num_items - first);
        let block = &mut block[..count as usize * shape.dim as usize];
        preparation.rows(crew, first, block)?;
        hash.update(bytemuck::cast_slice(block));
    }
    preparation.weights().for_each(|weight| hash.update(&weight.to_ne_bytes()));
    Ok(text(&hash))
}

/// The most bytes that `fingerprint_of` holds.
pub(crate) fn fingerprint_bytes(shape: Shape) -> Bytes {
    Preparation::bytes(shape) + Bytes::of::<i16>(block_values(shape))
}

/// Values of the rows that are prepared at once.
fn block_values(shape: Shape) -> u64 {
    let dim = u64::from(shape.dim);
    (BLOCK / dim).clamp(1, shape.num_items.into()) * dim
}

fn begin(Shape { num_items, dim }: Shape) -> Xxh3 {
    let mut hash = Xxh3::new();
    hash.update(&num_items.to_le_bytes());
    hash.update(&dim.to_le_bytes());
    hash
}

fn text(hash: &Xxh3) -> String {
    format!("{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Elements;
    use crate::progress::Progress;

    #[test]
    fn embeddings_have_the_fingerprint_of_their_corpus() {
        let values: Vec<f32> = (0..77).map(|n| (n as f32).sin()).collect();
        for center in [false, true] {
            let elements = Elements::F32(&values);
            let input = Input { center, ..Input::new(elements, 11, 7) };
            let wanted = fingerprint(&Corpus::prepare(&input).unwrap());
            let progress = Progress::default();
            assert_eq!(fingerprint_of(&Crew::new(2, &progress), &input).unwrap(), wanted);
        }
    }
}
