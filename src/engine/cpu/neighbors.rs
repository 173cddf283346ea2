//! Neighbours: squares of dot products, and the k nearest of each row kept while they pass.
//!
//! Neighbours of the corpus itself are found from one half of the squares: a square of bands I and J serves the rows of both.
//! Every row then needs its k nearest so far in memory. Where that is too much (large k), and for other queries,
//! a thread goes through whole rows, band by band, and keeps only the dot products of its 64 rows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::product::{in_band, packed_bytes, task_bands, transpose, Packed, Square, BAND};
use super::simd::{dispatch, Level, OnSimd, Simd};
use crate::corpus::Corpus;
use crate::engine::neighbors::{Nearest, Query, QueryShape};
use crate::engine::NeighborRows;
use crate::error::Result;
use crate::progress::{Phase, Progress};
use crate::threads;

/// The most bytes that the nearest of all rows may take for the way by halves.
const MOST_KEPT: u64 = 256 << 20;

fn by_halves(shape: &QueryShape) -> bool {
    shape.own && u64::from(shape.num_rows) * Nearest::bytes(shape.k) <= MOST_KEPT
}

/// The most bytes that `num_threads` threads hold, the result apart.
pub(super) fn host_bytes(shape: &QueryShape, num_threads: usize) -> u64 {
    let threads = num_threads as u64;
    let square = (BAND * BAND * 4) as u64 * threads;
    let kept = if by_halves(shape) { shape.num_rows.into() } else { threads * BAND as u64 };
    let queries = if shape.own { 0 } else { packed_bytes(shape.num_rows, shape.dim) };
    let put = threads * u64::from(shape.k) * 8;
    packed_bytes(shape.num_items, shape.dim)
        + queries
        + square
        + put
        + kept * Nearest::bytes(shape.k)
}

/// Finds the neighbours of all queries.
pub(super) fn compute(
    corpus: &Corpus,
    query: &Query,
    (level, num_threads): (Level, usize),
    out: &dyn NeighborRows,
    progress: &Progress,
) -> Result<()> {
    let rows = query.rows(corpus).num_items();
    let pack = || -> Result<(Packed, Option<Packed>)> {
        let queries = query.queries.map(|queries| Packed::new(queries, num_threads));
        Ok((Packed::new(corpus, num_threads)?, queries.transpose()?))
    };
    let (items, queries) = progress.time(Phase::Upload, pack)?;
    let search = Search { corpus, query, items: &items, level, num_threads, out, progress };
    progress.time(Phase::Steps, || {
        if by_halves(&query.shape(corpus)) {
            search.halves()
        } else {
            search.whole_rows(queries.as_ref().unwrap_or(&items), rows)
        }
    })
}

struct Search<'a> {
    corpus: &'a Corpus,
    query: &'a Query<'a>,
    items: &'a Packed,
    level: Level,
    num_threads: usize,
    out: &'a dyn NeighborRows,
    progress: &'a Progress,
}

impl Search<'_> {
    fn new_band(&self) -> Vec<Nearest> {
        (0..BAND).map(|_| Nearest::new(self.query.k)).collect()
    }

    /// Each square once, for the rows of both its bands. Band by band from the first on, so that finished rows come
    /// out all the while.
    fn halves(&self) -> Result<()> {
        let num_items = self.corpus.num_items();
        let bands = num_items.div_ceil(BAND as u32) as usize;
        let kept: Vec<_> = (0..bands).map(|_| Mutex::new(self.new_band())).collect();
        // Squares that a band still waits for.
        let missing: Vec<_> = (0..bands).map(|_| AtomicUsize::new(bands)).collect();
        let tasks = bands * (bands + 1) / 2;
        let next = AtomicUsize::new(0);
        threads::run(self.num_threads.min(tasks), || {
            let mut dots = vec![[0; BAND]; BAND];
            loop {
                self.progress.check()?;
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    return Ok(());
                }
                let (last_j, last_i) = task_bands(tasks - 1 - task);
                let (i, j) = (bands - 1 - last_i, bands - 1 - last_j);
                let rows = (self.items, i);
                dispatch(self.level, Square { rows, columns: (self.items, j), dots: &mut dots });
                self.keep(&kept[i], (i, j), num_items, &dots);
                if i != j {
                    transpose(&mut dots);
                    self.keep(&kept[j], (j, i), num_items, &dots);
                }
                let sides = 1 + usize::from(i != j);
                let dots = in_band(i, num_items) * in_band(j, num_items) * sides as u64;
                self.progress.add_steps(dots, 0);
                for band in [i, j].into_iter().take(sides) {
                    if missing[band].fetch_sub(1, Ordering::AcqRel) == 1 {
                        let mut rows = kept[band].lock().unwrap_or_else(PoisonError::into_inner);
                        self.put(band, &mut std::mem::take(&mut *rows), num_items)?;
                    }
                }
            }
        })
    }

    /// Puts the rows of a finished band.
    fn put(&self, band: usize, nearest: &mut [Nearest], num_rows: u32) -> Result<()> {
        let k = self.query.k as usize;
        let (mut indices, mut dots) = (vec![0; k], vec![0; k]);
        for (row, nearest) in ((band * BAND) as u32..num_rows).zip(nearest) {
            nearest.write(&mut indices, &mut dots);
            self.out.put(row, &indices, &dots)?;
        }
        Ok(())
    }

    fn keep(
        &self,
        rows: &Mutex<Vec<Nearest>>,
        (band, columns): (usize, usize),
        num_rows: u32,
        dots: &[[i32; BAND]],
    ) {
        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        dispatch(self.level, Keep { search: self, rows: &mut rows, band, columns, num_rows, dots });
    }

    /// Band by band of the queries, against all items.
    fn whole_rows(&self, queries: &Packed, num_rows: u32) -> Result<()> {
        let columns = self.corpus.num_items().div_ceil(BAND as u32) as usize;
        let bands = num_rows.div_ceil(BAND as u32) as usize;
        let next = AtomicUsize::new(0);
        threads::run(self.num_threads.min(bands), || {
            let mut square = vec![[0; BAND]; BAND];
            loop {
                let band = next.fetch_add(1, Ordering::Relaxed);
                if band >= bands {
                    return Ok(());
                }
                let mut rows = self.new_band();
                for columns in 0..columns {
                    self.progress.check()?;
                    let (of, dots) = (self.items, &mut square);
                    let rows_of = (queries, band);
                    dispatch(self.level, Square { rows: rows_of, columns: (of, columns), dots });
                    let (search, rows, dots) = (self, &mut *rows, &*square);
                    let keep = Keep { search, rows, band, columns, num_rows, dots };
                    dispatch(self.level, keep);
                }
                let dots = in_band(band, num_rows) * u64::from(self.corpus.num_items());
                self.progress.add_steps(dots, 0);
                self.put(band, &mut rows, num_rows)?;
            }
        })
    }
}

/// Offers the dot products of a square to the rows of a band.
struct Keep<'a> {
    search: &'a Search<'a>,
    rows: &'a mut [Nearest],
    band: usize,
    columns: usize,
    num_rows: u32,
    dots: &'a [[i32; BAND]],
}

impl OnSimd for Keep<'_> {
    type Output = ();

    fn run<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || self.keep(),
        );
    }
}

impl Keep<'_> {
    #[inline(always)]
    fn keep(self) {
        let first_row = (self.band * BAND) as u32;
        let first_item = (self.columns * BAND) as u32;
        let items = (self.search.corpus.num_items() - first_item).min(BAND as u32) as usize;
        let there = (self.num_rows - first_row).min(BAND as u32) as usize;
        for (number, (nearest, dots)) in
            (first_row..).zip(self.rows.iter_mut().zip(self.dots)).take(there)
        {
            // Most squares have nothing for a row: their greatest dot product says so. Padding counts as 0 there and is
            // left out below.
            let greatest = dots.iter().fold(i32::MIN, |greatest, &dot| greatest.max(dot));
            if greatest < nearest.least() {
                continue;
            }
            let own = self.search.query.excluded(number);
            for (item, &dot) in (first_item..).zip(&dots[..items]) {
                if dot >= nearest.least() && own != Some(item) {
                    nearest.add(dot, item);
                }
            }
        }
    }
}
