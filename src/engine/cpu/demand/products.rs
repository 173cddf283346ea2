//! Rows of contributions or similarities for the items of a segment, 32 at a time: their prepared
//! rows are then read from the first-level cache by all queries but the first.

use super::super::simd::Simd;
use super::super::tiles::{finish, multiply, tile_queries, Asked, Block, Dots, MOST};
use super::wanted::Wanted;
use crate::contract::extra_shift;
use crate::corpus::Corpus;
use crate::rule::Weighing;

/// Items of a block.
const BLOCK: usize = 16;

/// Some items, and how far the slots of rows are apart that hold what is computed for them.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) first: u32,
    pub(super) count: usize,
    pub(super) stride: usize,
}

/// Computes the wanted rows for some items.
#[inline(always)]
pub(super) fn compute<S: Simd>(
    simd: S,
    corpus: &Corpus,
    weighing: Weighing,
    wanted: &Wanted,
    Part { first, count, stride }: Part,
    rows: &mut [i16],
) {
    let shift = extra_shift(corpus.num_items());
    let mut dots: Dots<BLOCK> = [[0; BLOCK]; MOST];
    for at in (0..count).step_by(BLOCK) {
        let ahead = corpus.dim() as usize * BLOCK;
        let mut block = Block::<BLOCK>::new(corpus, first + at as u32, count - at, ahead);
        let (mut number, count) = (0, wanted.num_queries());
        while number < count {
            let left = count - number;
            let query = |more| wanted.query(number + more).values;
            // Meanwhile the next block comes to the caches, a part of it with every tile: memory
            // then works as long as the multiplications do.
            let queries = tile_queries::<S>(left);
            block.asked = Asked { first: number / queries, every: count.div_ceil(queries) };
            let took = multiply(simd, &block, query, left, &mut dots);
            for (dots, number) in dots[..took].iter().zip(number..) {
                let end = BLOCK.min(stride - at);
                let values = &mut rows[wanted.slot(number) * stride + at..][..end];
                finish(dots, values, wanted.query(number).weight, weighing, shift);
            }
            number += took;
        }
    }
}
