//! Rows of contributions or similarities for the items of a segment, from prepared rows as they
//! lie in the corpus.
//!
//! Sums of products run along the dimensions, 32 at a time, and are added up across the lanes at
//! the end. Tiles of some rows and some queries stay in registers. 32 items at a time, so that
//! their prepared rows are read from the first-level cache by all queries but the first.

use super::super::simd::{Line, Simd};
use super::wanted::{lines, Query, Wanted, VALUES};
use crate::contract::{contribution, extra_shift, similarity_q15};
use crate::corpus::Corpus;
use crate::rule::Weighing;

/// Items of a block.
const BLOCK: usize = 32;

/// Queries of a tile, at most.
const MOST: usize = 4;

/// Dot products of a block of items with each query of a tile.
type Dots = [[i32; BLOCK]; MOST];

/// 32 values of a prepared row.
type Chunk = [i16; VALUES];

/// The prepared rows of 32 items.
struct Block<'a> {
    rows: [&'a [Chunk]; BLOCK],
    /// Values to the next block.
    ahead: usize,
}

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
    let lines = lines(corpus.dim());
    let mut dots: Dots = [[0; BLOCK]; MOST];
    for at in (0..count).step_by(BLOCK) {
        let mut block = Block { rows: [&[]; BLOCK], ahead: corpus.dim() as usize * BLOCK };
        for (item, row) in block.rows.iter_mut().enumerate() {
            // Behind the last item that one once more: nobody reads what comes of it.
            let item = first + (at + item).min(count - 1) as u32;
            *row = bytemuck::cast_slice(&corpus.rows_from(item)[..lines * VALUES]);
        }
        let mut number = 0;
        while number < wanted.num_queries() {
            let took = multiply(simd, &block, wanted, number, &mut dots);
            for (dots, number) in dots[..took].iter().zip(number..) {
                let query = wanted.query(number);
                let end = BLOCK.min(stride - at);
                let values = &mut rows[query.slot * stride + at..][..end];
                finish(dots, values, query, weighing, shift);
            }
            number += took;
        }
    }
}

/// Multiplies a block with some of the queries from `number` on; returns with how many.
#[inline(always)]
fn multiply<S: Simd>(
    simd: S,
    block: &Block,
    wanted: &Wanted,
    number: usize,
    dots: &mut Dots,
) -> usize {
    let query = |more: usize| wanted.query(number + more).values;
    // The first one brings the block behind this one to the caches.
    let ahead = if number == 0 { block.ahead } else { 0 };
    // Sums fill half of the registers, those of AVX-512 too.
    match (S::TILE_ROWS, wanted.num_queries() - number) {
        (8, 4..) => {
            let queries = [query(0), query(1), query(2), query(3)];
            tiles::<S, 4, 4>(simd, block, queries, ahead, dots)
        }
        (4 | 8, 2..) => tiles::<S, 2, 2>(simd, block, [query(0), query(1)], ahead, dots),
        (2, 2..) => tiles::<S, 1, 2>(simd, block, [query(0), query(1)], ahead, dots),
        (2, _) => tiles::<S, 2, 1>(simd, block, [query(0)], ahead, dots),
        _ => tiles::<S, 4, 1>(simd, block, [query(0)], ahead, dots),
    }
}

/// Multiplies a block with `Q` queries, `R` items at a time; returns how many queries that were.
#[inline(always)]
fn tiles<S: Simd, const R: usize, const Q: usize>(
    simd: S,
    block: &Block,
    queries: [&[Line]; Q],
    ahead: usize,
    dots: &mut Dots,
) -> usize {
    let lines = queries[0].len();
    let mut all = queries;
    // The compiler sees that all are equally long, and checks no index below.
    all.iter_mut().for_each(|query| *query = &query[..lines]);
    for first in (0..BLOCK).step_by(R) {
        let mut rows: [&[Chunk]; R] = [&[]; R];
        for (row, item) in rows.iter_mut().zip(&block.rows[first..]) {
            *row = &item[..lines];
        }
        let mut sums = [[simd.splat(0); Q]; R];
        for at in 0..lines {
            for row in 0..R {
                let chunk = &rows[row][at];
                if ahead > 0 {
                    simd.prefetch_values(chunk, ahead);
                }
                let chunk = simd.load_values(chunk);
                for query in 0..Q {
                    let value = simd.load(&all[query][at]);
                    sums[row][query] = simd.multiply_add(sums[row][query], chunk, value);
                }
            }
        }
        for (item, sums) in (first..).zip(sums) {
            for (dots, sum) in dots.iter_mut().zip(sums) {
                dots[item] = simd.sum(sum);
            }
        }
    }
    Q
}

/// From dot products to what the row of a query holds.
#[inline(always)]
fn finish(dots: &[i32; BLOCK], values: &mut [i16], query: Query, weighing: Weighing, shift: u32) {
    let places = values.iter_mut().zip(dots);
    match weighing {
        Weighing::Weighted => {
            places.for_each(|(value, &dot)| *value = contribution(dot, query.weight, shift));
        }
        Weighing::Plain => places.for_each(|(value, &dot)| *value = similarity_q15(dot)),
    }
}
