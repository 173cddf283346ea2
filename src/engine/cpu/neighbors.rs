//! Neighbours: squares of dot products, and the k nearest of each row kept while they pass.
//!
//! Neighbours of the corpus itself are found from one half of the squares: a square of bands I and
//! J serves the rows of both. Every row then needs its k nearest so far in memory. Where that is
//! too much (large k), and for other queries, a thread goes through whole rows, band by band, and
//! keeps only the dot products of its 64 rows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use super::nearest::Nearest;
use super::product::{
    in_band, new_square, num_bands, packed_bytes, transpose, BandPair, Packed, SquareOfDots, BAND,
};
use super::simd::{OnSimd, Simd};
use super::workers::Workers;
use crate::corpus::{Corpus, Shape};
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::rows::PutNeighbors;
use crate::error::Result;
use crate::memory::{collected, room, zeroed, Bytes};
use crate::progress::{Phase, Progress};
use crate::threads::lock;

/// The most bytes that the nearest of all rows may take for the way by halves.
const MOST_KEPT: Bytes = Bytes::new(256 << 20);

fn by_halves(shape: &QueryShape) -> bool {
    shape.own && (Nearest::bytes(shape.k) * shape.num_rows.into()).fit(MOST_KEPT)
}

/// The most bytes that `num_threads` threads hold, the result apart.
pub(super) fn host_bytes(shape: &QueryShape, num_threads: usize) -> Bytes {
    let threads = num_threads as u64;
    let items = packed_bytes(Shape::new(shape.num_items, shape.dim));
    let queries = match shape.own {
        true => Bytes::ZERO,
        false => packed_bytes(Shape::new(shape.num_rows, shape.dim)),
    };
    let square = Bytes::of::<[[i32; BAND]; BAND]>(threads);
    let put = Bytes::of::<u64>(shape.k.into()) * threads;
    let kept = if by_halves(shape) { shape.num_rows.into() } else { threads * BAND as u64 };
    let row = Nearest::bytes(shape.k) + Bytes::of::<Nearest>(1);
    items + queries + square + put + row * kept
}

/// Finds the neighbours of all queries.
pub(super) fn compute(
    corpus: &Corpus,
    query: &Query,
    workers: Workers,
    out: &dyn PutNeighbors,
    progress: &Progress,
) -> Result<()> {
    let pack = || -> Result<_> {
        let queries = query.queries.map(|queries| Packed::new(queries, workers.num_threads));
        Ok((Packed::new(corpus, workers.num_threads)?, queries.transpose()?))
    };
    let (items, queries) = progress.time(Phase::Upload, pack)?;
    let shape = query.shape(corpus);
    let search = NearestSearch { query, shape, items: &items, workers, out, progress };
    progress.time(Phase::Steps, || match by_halves(&shape) {
        true => search.halves(),
        false => search.whole_rows(queries.as_ref().unwrap_or(&items)),
    })
}

/// What a thread works in.
struct Scratch {
    square: Vec<[i32; BAND]>,
    indices: Vec<u32>,
    dots: Vec<i32>,
}

struct NearestSearch<'a> {
    query: &'a Query<'a>,
    shape: QueryShape,
    items: &'a Packed,
    workers: Workers,
    out: &'a dyn PutNeighbors,
    progress: &'a Progress,
}

impl NearestSearch<'_> {
    fn new_band(&self) -> Result<Vec<Nearest>> {
        collected((0..BAND).map(|_| Nearest::new(self.shape.k)), "a band of rows")
    }

    fn scratch(&self) -> Result<Scratch> {
        let k = self.shape.k as usize;
        let what = "the neighbours of a row";
        Ok(Scratch { square: new_square(), indices: zeroed(k, what)?, dots: zeroed(k, what)? })
    }

    /// Each square once, for the rows of both its bands. Band by band from the first on, so that
    /// finished rows come out all the while.
    fn halves(&self) -> Result<()> {
        let num_items = self.shape.num_items;
        let bands = num_bands(num_items);
        let mut kept = room(bands, "the nearest of all rows")?;
        for _ in 0..bands {
            kept.push(Mutex::new(self.new_band()?));
        }
        // Squares that a band still waits for.
        let waits = (0..bands).map(|_| AtomicUsize::new(bands));
        let missing = collected(waits, "the bands that wait")?;
        let tasks = BandPair::count(bands);
        self.workers.each(
            tasks,
            || self.scratch(),
            |task, scratch| {
                self.progress.check()?;
                let dots = &mut scratch.square;
                let last = BandPair::of_task(tasks - 1 - task);
                let (i, j) = (bands - 1 - last.j, bands - 1 - last.i);
                let (rows, columns) = (self.items.band(i), self.items.band(j));
                self.workers.dispatch(SquareOfDots { rows, columns, dots });
                self.keep(&mut lock(&kept[i]), i, j, dots)?;
                if i != j {
                    transpose(dots);
                    self.keep(&mut lock(&kept[j]), j, i, dots)?;
                }
                let sides = 1 + usize::from(i != j);
                let dots = in_band(i, num_items) * in_band(j, num_items) * sides as u64;
                self.progress.add_steps(dots, 0);
                for band in [i, j].into_iter().take(sides) {
                    if missing[band].fetch_sub(1, Ordering::AcqRel) == 1 {
                        let mut rows = std::mem::take(&mut *lock(&kept[band]));
                        self.put(band, &mut rows, scratch)?;
                    }
                }
                Ok(())
            },
        )
    }

    /// Band by band of the queries, against all items.
    fn whole_rows(&self, queries: &Packed) -> Result<()> {
        let QueryShape { num_items, num_rows, .. } = self.shape;
        self.workers.each(
            num_bands(num_rows),
            || self.scratch(),
            |band, scratch| {
                let dots = &mut scratch.square;
                let mut nearest = self.new_band()?;
                for column in 0..num_bands(num_items) {
                    self.progress.check()?;
                    let (rows, columns) = (queries.band(band), self.items.band(column));
                    self.workers.dispatch(SquareOfDots { rows, columns, dots });
                    self.keep(&mut nearest, band, column, dots)?;
                }
                self.progress.add_steps(in_band(band, num_rows) * u64::from(num_items), 0);
                self.put(band, &mut nearest, scratch)
            },
        )
    }

    /// Offers the dot products of a square to the rows of its band.
    fn keep(
        &self,
        rows: &mut [Nearest],
        band: usize,
        columns: usize,
        dots: &[[i32; BAND]],
    ) -> Result<()> {
        self.workers.dispatch(Keep { search: self, rows, band, columns, dots })
    }

    /// Puts the rows of a finished band.
    fn put(&self, band: usize, nearest: &mut [Nearest], scratch: &mut Scratch) -> Result<()> {
        let Scratch { indices, dots, .. } = scratch;
        for (row, nearest) in ((band * BAND) as u32..self.shape.num_rows).zip(nearest) {
            nearest.write(indices, dots);
            self.out.put(row, indices, dots)?;
            self.progress.add_rows(1);
        }
        Ok(())
    }
}

/// [`NearestSearch::keep`] as work for a level.
struct Keep<'a> {
    search: &'a NearestSearch<'a>,
    rows: &'a mut [Nearest],
    band: usize,
    columns: usize,
    dots: &'a [[i32; BAND]],
}

impl OnSimd for Keep<'_> {
    type Output = Result<()>;

    fn run<S: Simd>(self, simd: S) -> Result<()> {
        simd.vectorize(
            #[inline(always)]
            || self.keep(),
        )
    }
}

impl Keep<'_> {
    #[inline(always)]
    fn keep(self) -> Result<()> {
        let first_row = (self.band * BAND) as u32;
        let first_item = (self.columns * BAND) as u32;
        let QueryShape { num_items, num_rows, .. } = self.search.shape;
        let items = in_band(self.columns, num_items) as usize;
        let there = in_band(self.band, num_rows) as usize;
        for (number, (nearest, dots)) in
            (first_row..).zip(self.rows.iter_mut().zip(self.dots)).take(there)
        {
            // Most squares have nothing for a row: their greatest dot product says so. Padding
            // counts as 0 there and is left out below.
            let greatest = dots.iter().fold(i32::MIN, |greatest, &dot| greatest.max(dot));
            if greatest < nearest.least() {
                continue;
            }
            if !nearest.has_begun() {
                nearest.begin()?;
            }
            let own = self.search.query.excluded(number);
            for (item, &dot) in (first_item..).zip(&dots[..items]) {
                if dot >= nearest.least() && own != Some(item) {
                    nearest.add(dot, item);
                }
            }
        }
        Ok(())
    }
}
