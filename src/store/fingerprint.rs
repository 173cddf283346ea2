//! The name of a corpus in its files of results.

use xxhash_rust::xxh3::Xxh3;

use crate::corpus::Corpus;

/// Hash of a prepared corpus: its shape, rows and weights. 32 hex digits.
pub fn fingerprint(corpus: &Corpus) -> String {
    let mut hash = Xxh3::new();
    hash.update(&corpus.num_items().to_le_bytes());
    hash.update(&corpus.dim().to_le_bytes());
    for item in 0..corpus.num_items() {
        hash.update(bytemuck::cast_slice(corpus.row(item)));
    }
    hash.update(bytemuck::cast_slice(corpus.weights()));
    format!("{:032x}", hash.digest128())
}
