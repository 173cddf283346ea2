//! Plain rows of dot products, band by band.
//!
//! A thread fills the rows of a band from squares and puts them; of `Pairs::Upper` it leaves out the squares left of the diagonal.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::product::{in_band, packed_bytes, Packed, Square, BAND};
use super::simd::{dispatch, Level};
use crate::corpus::Corpus;
use crate::engine::{DotRows, Pairs};
use crate::error::{zeroed, Result};
use crate::progress::{Phase, Progress};
use crate::threads;

/// The most bytes that `num_threads` threads hold, the result apart.
pub(super) fn host_bytes(num_items: u32, dim: u32, num_threads: usize) -> u64 {
    let row = u64::from(num_items).next_multiple_of(BAND as u64) * 4;
    // A band of rows, a square, and the row that is put.
    let thread = row * (BAND as u64 + 1) + (BAND * BAND * 4) as u64;
    packed_bytes(num_items, dim) + num_threads as u64 * thread
}

/// Puts all rows into `out`.
pub(super) fn compute(
    corpus: &Corpus,
    pairs: Pairs,
    (level, num_threads): (Level, usize),
    out: &dyn DotRows,
    progress: &Progress,
) -> Result<()> {
    let items = progress.time(Phase::Upload, || Packed::new(corpus, num_threads))?;
    let num_items = corpus.num_items() as usize;
    let bands = num_items.div_ceil(BAND);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut square = vec![[0; BAND]; BAND];
        let mut rows = zeroed::<i32>(BAND * bands * BAND, "rows of dot products")?;
        loop {
            let band = next.fetch_add(1, Ordering::Relaxed);
            if band >= bands {
                return Ok(());
            }
            let first = match pairs {
                Pairs::All => 0,
                Pairs::Upper => band,
            };
            for column in first..bands {
                progress.check()?;
                let columns = (&items, column);
                dispatch(level, Square { rows: (&items, band), columns, dots: &mut square });
                for (row, dots) in rows.chunks_exact_mut(bands * BAND).zip(&square) {
                    row[column * BAND..][..BAND].copy_from_slice(dots);
                }
            }
            let begin = first * BAND;
            for (row, dots) in (band * BAND..num_items).zip(rows.chunks_exact(bands * BAND)) {
                out.put(row as u32, begin as u32, &dots[begin..num_items])?;
            }
            progress.add_steps(in_band(band, corpus.num_items()) * num_items as u64, 0);
        }
    };
    progress.time(Phase::Steps, || threads::run(num_threads.min(bands), work))
}
