//! Neighbours: squares of dot products, and the k nearest of each row kept while they pass.
//!
//! Neighbours of the corpus itself are found from one half of the squares: a square of bands I and J serves the rows of both.
//! Every row then needs its k nearest so far in memory. Where that is too much (large k), and for other queries,
//! a thread goes through whole rows, band by band, and keeps only the dot products of its 64 rows.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::product::{multiply, packed_bytes, task_bands, transpose, Packed, BAND};
use super::simd::{dispatch, Level, OnSimd, Simd};
use super::threads;
use crate::corpus::Corpus;
use crate::engine::neighbors::{Nearest, Neighbors, Query};
use crate::error::Result;
use crate::progress::{Phase, Progress};

/// The most bytes that the nearest of all rows may take for the way by halves.
const MOST_KEPT: u64 = 256 << 20;

fn by_halves(query: &Query, num_rows: u32) -> bool {
    query.queries.is_none() && u64::from(num_rows) * Nearest::bytes(query.k) <= MOST_KEPT
}

/// The most bytes that `num_threads` threads hold, the result apart.
pub(super) fn host_bytes(corpus: &Corpus, query: &Query, num_threads: usize) -> u64 {
    let (num_items, rows) = (corpus.num_items(), query.rows(corpus).num_items());
    let square = (BAND * BAND * 4) as u64 * num_threads as u64;
    let kept = if by_halves(query, rows) { rows.into() } else { (num_threads * BAND) as u64 };
    let queries = query.queries.map_or(0, |queries| packed_bytes(rows, queries.dim()));
    packed_bytes(num_items, corpus.dim()) + queries + square + kept * Nearest::bytes(query.k)
}

/// Finds the neighbours of all queries.
pub(super) fn compute(
    corpus: &Corpus,
    query: &Query,
    (level, num_threads): (Level, usize),
    progress: &Progress,
) -> Result<Neighbors> {
    let rows = query.rows(corpus).num_items();
    let mut out = Neighbors::new(rows, query.k)?;
    let items = progress.time(Phase::Upload, || Packed::new(corpus, num_threads))?;
    let queries = query.queries.map(|queries| Packed::new(queries, num_threads)).transpose()?;
    let search = Search { corpus, query, items: &items, level, num_threads, progress };
    progress.time(Phase::Matrix, || {
        if by_halves(query, rows) {
            search.halves(&mut out)
        } else {
            search.whole_rows(queries.as_ref().unwrap_or(&items), rows, &mut out)
        }
    })?;
    Ok(out)
}

/// A band of the result: its first row, indices and dot products.
type OutBand<'a> = (usize, &'a mut [u32], &'a mut [i32]);

fn out_bands(out: &mut Neighbors) -> impl Iterator<Item = OutBand<'_>> {
    let band = BAND * out.k as usize;
    let bands = out.indices.chunks_mut(band).zip(out.dots.chunks_mut(band)).enumerate();
    bands.map(|(band, (indices, dots))| (band, indices, dots))
}

fn write(rows: &mut [Nearest], k: usize, indices: &mut [u32], dots: &mut [i32]) {
    for ((row, indices), dots) in rows.iter_mut().zip(indices.chunks_mut(k)).zip(dots.chunks_mut(k))
    {
        row.write(indices, dots);
    }
}

struct Search<'a> {
    corpus: &'a Corpus,
    query: &'a Query<'a>,
    items: &'a Packed,
    level: Level,
    num_threads: usize,
    progress: &'a Progress,
}

impl Search<'_> {
    /// Each square once, for the rows of both its bands.
    fn halves(&self, out: &mut Neighbors) -> Result<()> {
        let num_items = self.corpus.num_items();
        let bands = num_items.div_ceil(BAND as u32) as usize;
        let band = |_| {
            let rows: Vec<Nearest> = (0..BAND).map(|_| Nearest::new(self.query.k)).collect();
            Mutex::new(rows)
        };
        let kept: Vec<_> = (0..bands).map(band).collect();
        let tasks = bands * (bands + 1) / 2;
        let next = AtomicUsize::new(0);
        threads::run(self.num_threads.min(tasks), || {
            let mut dots = vec![[0; BAND]; BAND];
            loop {
                self.progress.check()?;
                let task = next.fetch_add(1, Relaxed);
                if task >= tasks {
                    return Ok(());
                }
                let (i, j) = task_bands(task);
                let rows = (self.items, i);
                dispatch(self.level, Square { rows, columns: (self.items, j), dots: &mut dots });
                self.keep(&kept[i], (i, j), num_items, &dots);
                if i != j {
                    transpose(&mut dots);
                    self.keep(&kept[j], (j, i), num_items, &dots);
                }
                self.progress.add_picks((BAND * BAND * (1 + usize::from(i != j))) as u64, 0);
            }
        })?;
        let k = self.query.k as usize;
        let all = Mutex::new(out_bands(out));
        threads::run(self.num_threads, || {
            let next = || all.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((band, indices, dots)) = next() {
                self.progress.check()?;
                let mut rows = kept[band].lock().unwrap_or_else(PoisonError::into_inner);
                write(&mut rows, k, indices, dots);
            }
            Ok(())
        })
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
    fn whole_rows(&self, queries: &Packed, num_rows: u32, out: &mut Neighbors) -> Result<()> {
        let k = self.query.k as usize;
        let bands = self.corpus.num_items().div_ceil(BAND as u32) as usize;
        let all = Mutex::new(out_bands(out));
        threads::run(self.num_threads, || {
            let mut square = vec![[0; BAND]; BAND];
            let next = || all.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((band, indices, dots)) = next() {
                let mut rows: Vec<Nearest> =
                    (0..BAND).map(|_| Nearest::new(self.query.k)).collect();
                for columns in 0..bands {
                    self.progress.check()?;
                    let square = &mut square;
                    let of = (self.items, columns);
                    dispatch(
                        self.level,
                        Square { rows: (queries, band), columns: of, dots: square },
                    );
                    let (search, rows, dots) = (self, &mut *rows, &**square);
                    let keep = Keep { search, rows, band, columns, num_rows, dots };
                    dispatch(self.level, keep);
                }
                self.progress.add_picks((BAND * BAND * bands) as u64, 0);
                write(&mut rows, k, indices, dots);
            }
            Ok(())
        })
    }
}

/// Computes the dot products of two bands.
struct Square<'a> {
    rows: (&'a Packed, usize),
    columns: (&'a Packed, usize),
    dots: &'a mut [[i32; BAND]],
}

impl OnSimd for Square<'_> {
    type Output = ();

    fn run<S: Simd>(self, simd: S) {
        let Square { rows, columns, dots } = self;
        simd.vectorize(
            #[inline(always)]
            || {
                multiply(simd, rows, columns, dots);
            },
        );
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
