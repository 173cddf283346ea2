//! Plain rows of dot products, band by band.
//!
//! A thread fills the rows of a band from squares and puts them; of `Pairs::Upper` it leaves out
//! the squares left of the diagonal.

use super::product::{in_band, new_square, num_bands, packed_bytes, Packed, SquareOfDots, BAND};
use super::workers::Workers;
use crate::corpus::{Corpus, Shape};
use crate::engine::rows::{Pairs, PutDots};
use crate::error::Result;
use crate::memory::{zeroed, Bytes};
use crate::progress::{Phase, Progress};

/// The most bytes that `num_threads` threads hold, the result apart.
pub(super) fn host_bytes(shape: Shape, num_threads: usize) -> Bytes {
    let row = Bytes::of::<i32>(u64::from(shape.num_items).next_multiple_of(BAND as u64));
    // A band of rows, and a square.
    let thread = row * BAND as u64 + Bytes::of::<[[i32; BAND]; BAND]>(1);
    packed_bytes(shape) + thread * num_threads as u64
}

/// What a thread works in.
struct Scratch {
    square: Vec<[i32; BAND]>,
    rows: Vec<i32>,
}

/// Puts all rows into `out`.
pub(super) fn compute(
    corpus: &Corpus,
    pairs: Pairs,
    workers: Workers,
    out: &dyn PutDots,
    progress: &Progress,
) -> Result<()> {
    let pack = || Packed::new(corpus, workers.num_threads);
    let items = progress.time(Phase::Upload, pack)?;
    let num_items = corpus.num_items() as usize;
    let bands = num_bands(corpus.num_items());
    let scratch = || {
        let rows = zeroed::<i32>(BAND * bands * BAND, "rows of dot products")?;
        Ok(Scratch { square: new_square(), rows })
    };
    let work = |band: usize, Scratch { square, rows }: &mut Scratch| {
        let first = match pairs {
            Pairs::All => 0,
            Pairs::Upper => band,
        };
        for column in first..bands {
            progress.check()?;
            let (rows_of, columns) = (items.band(band), items.band(column));
            workers.dispatch(SquareOfDots { rows: rows_of, columns, dots: square });
            for (row, dots) in rows.chunks_exact_mut(bands * BAND).zip(&*square) {
                row[column * BAND..][..BAND].copy_from_slice(dots);
            }
        }
        let begin = first * BAND;
        for (row, dots) in (band * BAND..num_items).zip(rows.chunks_exact(bands * BAND)) {
            out.put(row as u32, begin as u32, &dots[begin..num_items])?;
        }
        let finished = in_band(band, corpus.num_items());
        progress.add_steps(finished * num_items as u64, 0);
        progress.add_rows(finished);
        Ok(())
    };
    progress.time(Phase::Steps, || workers.each(bands, scratch, work))
}
