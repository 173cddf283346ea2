//! Dot products of prepared rows, as they lie in the corpus, with a few queries.
//!
//! Sums run along the dimensions, 32 at a time, and are added up across the lanes at the end. Tiles
//! of some rows and some queries stay in registers.

use super::simd::{Line, Simd};
use crate::contract::{contribution, similarity_q15};
use crate::corpus::Corpus;
use crate::rule::Weighing;

/// Values of a line.
pub(super) const VALUES: usize = 32;

/// Queries of a tile, at most.
pub(super) const MOST: usize = 4;

/// Dot products of `N` items with each query of a tile.
pub(super) type Dots<const N: usize> = [[i32; N]; MOST];

/// 32 values of a prepared row.
type Chunk = [i16; VALUES];

/// Lines of a prepared row.
pub(super) fn lines(dim: u32) -> usize {
    (dim as usize).div_ceil(VALUES)
}

/// A prepared row that others are multiplied with.
#[derive(Clone, Copy)]
pub(super) struct Query<'a> {
    /// Padded with zeros to whole lines.
    pub(super) values: &'a [Line],
    pub(super) weight: u16,
}

/// Writes the prepared row of an item to the lines of a query; what pads them is 0 already.
pub(super) fn fill_query(corpus: &Corpus, item: u32, query: &mut [Line]) {
    let values: &mut [i16] = bytemuck::cast_slice_mut(query);
    values[..corpus.dim() as usize].copy_from_slice(corpus.row(item));
}

/// The prepared rows of `N` items.
pub(super) struct Block<'a, const N: usize> {
    rows: [&'a [Chunk]; N],
    /// Values from each item to that which is needed next in its place.
    ahead: usize,
    /// Which lines of those are asked for meanwhile, every so many from the first on.
    pub(super) asked: Asked,
}

/// Which lines of a row are asked for: `first`, and every one that comes `every` lines later.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) first: usize,
    pub(super) every: usize,
}

impl Asked {
    pub(super) const ALL: Asked = Asked { first: 0, every: 1 };
    pub(super) const NONE: Asked = Asked { first: usize::MAX, every: 0 };
}

impl<'a, const N: usize> Block<'a, N> {
    /// The items from `first` on, of which there are `count`. Behind the last one that one once
    /// more: nobody reads what comes of it.
    #[inline(always)]
    pub(super) fn new(corpus: &'a Corpus, first: u32, count: usize, ahead: usize) -> Self {
        let lines = lines(corpus.dim());
        let mut rows: [&[Chunk]; N] = [&[]; N];
        for (at, row) in rows.iter_mut().enumerate() {
            let item = first + at.min(count - 1) as u32;
            *row = bytemuck::cast_slice(&corpus.rows_from(item)[..lines * VALUES]);
        }
        Block { rows, ahead, asked: Asked::NONE }
    }
}

/// How many of `left` queries a tile has.
#[inline(always)]
pub(super) fn tile_queries<S: Simd>(left: usize) -> usize {
    match (S::TILE_ROWS, left) {
        (8, 4..) => 4,
        (2 | 4 | 8, 2..) => 2,
        _ => 1,
    }
}

/// Multiplies a block with the first of `left` queries, of which `query` gives any; returns with
/// how many.
#[inline(always)]
pub(super) fn multiply<'q, S: Simd, const N: usize>(
    simd: S,
    block: &Block<N>,
    query: impl Fn(usize) -> &'q [Line],
    left: usize,
    dots: &mut Dots<N>,
) -> usize {
    // Sums fill half of the registers, those of AVX-512 too.
    match (S::TILE_ROWS, tile_queries::<S>(left)) {
        (_, 4) => {
            let queries = [query(0), query(1), query(2), query(3)];
            tiles::<S, 4, 4, N>(simd, block, queries, dots)
        }
        (2, 2) => tiles::<S, 1, 2, N>(simd, block, [query(0), query(1)], dots),
        (_, 2) => tiles::<S, 2, 2, N>(simd, block, [query(0), query(1)], dots),
        (2, _) => tiles::<S, 2, 1, N>(simd, block, [query(0)], dots),
        _ => tiles::<S, 4, 1, N>(simd, block, [query(0)], dots),
    }
}

/// Multiplies a block with `Q` queries, `R` items at a time; returns how many queries that were.
#[inline(always)]
fn tiles<S: Simd, const R: usize, const Q: usize, const N: usize>(
    simd: S,
    block: &Block<N>,
    queries: [&[Line]; Q],
    dots: &mut Dots<N>,
) -> usize {
    let lines = queries[0].len();
    let mut all = queries;
    // The compiler sees that all are equally long, and checks no index below.
    all.iter_mut().for_each(|query| *query = &query[..lines]);
    for first in (0..N).step_by(R) {
        let mut rows: [&[Chunk]; R] = [&[]; R];
        for (row, item) in rows.iter_mut().zip(&block.rows[first..]) {
            *row = &item[..lines];
        }
        let Asked { first: mut asked, every } = block.asked;
        let mut sums = [[simd.splat(0); Q]; R];
        for at in 0..lines {
            if at == asked {
                asked += every;
                for row in rows {
                    simd.prefetch_values(&row[at], block.ahead);
                }
            }
            for row in 0..R {
                let chunk = &rows[row][at];
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
pub(super) fn finish<const N: usize>(
    dots: &[i32; N],
    values: &mut [i16],
    weight: u16,
    weighing: Weighing,
    shift: u32,
) {
    let places = values.iter_mut().zip(dots);
    match weighing {
        Weighing::Weighted => {
            places.for_each(|(value, &dot)| *value = contribution(dot, weight, shift));
        }
        Weighing::Plain => places.for_each(|(value, &dot)| *value = similarity_q15(dot)),
    }
}
