//! The picks: for each, one row of the matrix is added to the scores and the lowest score is found.
//!
//! A thread works on a few sequences in turn, one pick each. While it adds a row for one, it prefetches the row of the next
//! into the second-level cache (the first is full of scores), so that the memory's latency hides behind
//! work. Scores are kept in blocks of 256 with the minimum taken in the same pass; the search for the index then touches
//! one block.
//!
//! A taken item gets a score above all others. Up to 21,845 items it may go on receiving contributions:
//! 2^31 - 1 - N 2^15 stays above N 2^15 by whatever is added. With more items (PIN) it is held at the top.

use std::sync::{Mutex, PoisonError};

use super::matrix::Matrix;
use super::merge::{self, Meetings, Merged, SetHash};
use super::simd::{dispatch, HalfLine, Level, Line, OnSimd, Simd};
use super::{threads, Settings};
use crate::error::{zeroed, Result};
use crate::plan::Plan;
use crate::progress::Progress;

/// Sequences that a thread works on in turn. Two, while their scores stay in 24 of the 32 KiB of a first-level cache; with scores
/// that do not, four: the rows then come from memory and need more time to arrive.
pub(super) fn num_slots(stride: usize) -> usize {
    if 2 * stride * size_of::<i32>() <= 24 * 1024 {
        2
    } else {
        4
    }
}

/// Scores of a block, in lines of 16.
const BLOCK: usize = 256;
const LINE: usize = 16;

/// Rounds between two looks at the wish to stop, and reports of progress: some 100 us.
const ROUNDS: u32 = 64;

/// The most items whose taken scores need no pinning.
const UNPINNED_ITEMS: u32 = 21_845;

/// Everything that all threads share.
struct Run<'a> {
    matrix: &'a Matrix,
    num_items: u32,
    length: u32,
    meetings: Option<Meetings>,
    merged: Mutex<Vec<Merged>>,
    progress: &'a Progress,
}

/// Rows of the result that no thread has begun.
type Queue<'a> = Mutex<Box<dyn Iterator<Item = (u32, u32, &'a mut [u32])> + Send + 'a>>;

/// Computes all planned sequences.
pub(super) fn compute(
    matrix: &Matrix,
    num_items: u32,
    plan: &Plan,
    level: Level,
    num_threads: usize,
    settings: &Settings,
    progress: &Progress,
) -> Result<Vec<u32>> {
    let mut out = zeroed::<u32>(plan.output_len(), "the sequences")?;
    let length = plan.length();
    if length == 1 {
        out.copy_from_slice(plan.starts());
        progress.add_sequences(plan.starts().len() as u64);
        return Ok(out);
    }
    let row = length as usize;
    let share = settings.share_equal_sets.unwrap_or(true) && plan.starts().len() > 1;
    let mut run = Run {
        matrix,
        num_items,
        length,
        meetings: share.then(|| Meetings::new(length)),
        merged: Mutex::default(),
        progress,
    };
    let starts = plan.starts();
    let all = (0..).zip(starts).zip(out.chunks_mut(row)).map(|((i, &start), row)| (i, start, row));
    run.all(level, num_threads, Mutex::new(Box::new(all)))?;

    let merged = std::mem::take(run.merged.get_mut().unwrap_or_else(PoisonError::into_inner));
    let differ = merge::resolve(&mut out, length, merged);
    if !differ.is_empty() {
        run.meetings = None;
        let again = out.chunks_mut(row).enumerate().map(|(i, row)| (i as u32, starts[i], row));
        let again = again.filter(|(i, ..)| differ.iter().any(|one| one.sequence == *i));
        run.all(level, num_threads, Mutex::new(Box::new(again)))?;
    }
    Ok(out)
}

impl Run<'_> {
    fn all(&self, level: Level, num_threads: usize, queue: Queue) -> Result<()> {
        threads::run(num_threads, || dispatch(level, Worker { run: self, queue: &queue }))
    }
}

/// A sequence under way.
struct Slot<'a> {
    sequence: u32,
    row: &'a mut [u32],
    picked: u32,
    last: u32,
    hash: SetHash,
    scores: Vec<Line>,
}

impl<'a> Slot<'a> {
    fn new(stride: usize) -> Result<Slot<'a>> {
        let scores = zeroed::<Line>(stride / LINE, "the scores of a sequence")?;
        let hash = SetHash::default();
        Ok(Slot { sequence: 0, row: &mut [], picked: 0, last: 0, hash, scores })
    }

    fn begin(&mut self, (sequence, start, row): (u32, u32, &'a mut [u32]), run: &Run) {
        let taken = taken_score(run.num_items);
        self.scores.fill(Line([0; LINE]));
        for padding in run.num_items as usize..self.scores.len() * LINE {
            self.scores[padding / LINE].0[padding % LINE] = taken;
        }
        (self.sequence, self.row, self.picked) = (sequence, row, 0);
        self.hash = SetHash::default();
        self.take(start, taken);
    }

    fn take(&mut self, item: u32, taken: i32) {
        self.scores[item as usize / LINE].0[item as usize % LINE] = taken;
        self.row[self.picked as usize] = item;
        self.picked += 1;
        self.last = item;
        self.hash.add(item);
    }
}

/// The score of a taken item: see the head of this file.
fn taken_score(num_items: u32) -> i32 {
    if num_items > UNPINNED_ITEMS {
        i32::MAX
    } else {
        i32::MAX - ((num_items as i32) << 15)
    }
}

/// What one thread does.
struct Worker<'r, 'a, 'q> {
    run: &'r Run<'a>,
    queue: &'r Queue<'q>,
}

impl OnSimd for Worker<'_, '_, '_> {
    type Output = Result<()>;

    fn run<S: Simd>(self, simd: S) -> Result<()> {
        if self.run.num_items > UNPINNED_ITEMS {
            self.work::<S, true>(simd)
        } else {
            self.work::<S, false>(simd)
        }
    }
}

impl<'q> Worker<'_, '_, 'q> {
    fn work<S: Simd, const PIN: bool>(&self, simd: S) -> Result<()> {
        let mut slots = Vec::new();
        for _ in 0..num_slots(self.run.matrix.stride()) {
            let mut slot = Slot::new(self.run.matrix.stride())?;
            if self.refill(&mut slot) {
                slots.push(slot);
            }
        }
        while !slots.is_empty() {
            self.run.progress.check()?;
            let mut picks = 0;
            for _ in 0..ROUNDS {
                let mut at = 0;
                while at < slots.len() {
                    let next = self.run.matrix.row(slots[(at + 1) % slots.len()].last);
                    self.pick::<S, PIN>(simd, &mut slots[at], next);
                    picks += 1;
                    if self.goes_on(&mut slots[at]) || self.refill(&mut slots[at]) {
                        at += 1;
                    } else {
                        slots.swap_remove(at);
                    }
                }
            }
            let bytes = picks * u64::from(self.run.num_items) * 2;
            self.run.progress.add_picks(picks, bytes);
        }
        Ok(())
    }

    /// Gives a slot the next sequence, if there is one.
    fn refill(&self, slot: &mut Slot<'q>) -> bool {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        match queue.next() {
            Some(next) => {
                slot.begin(next, self.run);
                true
            }
            None => false,
        }
    }

    /// Whether a sequence needs more picks of its own.
    fn goes_on(&self, slot: &mut Slot) -> bool {
        let run = self.run;
        if slot.picked == run.length {
            run.progress.add_sequences(1);
            return false;
        }
        let Some(meetings) = &run.meetings else { return true };
        if !meetings.is_checkpoint(slot.picked) {
            return true;
        }
        let Some(into) = meetings.meet(slot.picked, slot.hash, slot.sequence) else { return true };
        let merged = Merged { sequence: slot.sequence, into, length: slot.picked };
        run.merged.lock().unwrap_or_else(PoisonError::into_inner).push(merged);
        run.progress.add_picks(u64::from(run.length - slot.picked), 0);
        run.progress.add_sequences(1);
        false
    }

    fn pick<S: Simd, const PIN: bool>(&self, simd: S, slot: &mut Slot, next: &[HalfLine]) {
        let row = self.run.matrix.row(slot.last);
        let scores = &mut slot.scores;
        let item = simd.vectorize(
            #[inline(always)]
            || step::<S, PIN>(simd, scores, row, next),
        );
        slot.take(item, taken_score(self.run.num_items));
    }
}

/// Adds `row` to the scores and finds the first of the lowest, while asking for the row `next`.
#[inline(always)]
fn step<S: Simd, const PIN: bool>(
    simd: S,
    scores: &mut [Line],
    row: &[HalfLine],
    next: &[HalfLine],
) -> u32 {
    let highest = simd.splat(i32::MAX);
    let mut best = i32::MAX;
    let mut best_block = 0;
    let lines = BLOCK / LINE;
    for (block, (scores, row)) in scores.chunks_mut(lines).zip(row.chunks(lines)).enumerate() {
        let mut low = highest;
        for (at, (score, row)) in scores.iter_mut().zip(row).enumerate() {
            if at % 2 == 0 {
                simd.prefetch(next, block * lines + at);
            }
            let old = simd.load(score);
            let mut sum = simd.add(old, simd.widen(row));
            if PIN {
                sum = simd.where_equal(old, highest, highest, sum);
            }
            simd.store(sum, score);
            low = simd.min(low, sum);
        }
        let low = lowest(simd, low);
        if low < best {
            best = low;
            best_block = block;
        }
    }
    let block = scores.chunks(lines).nth(best_block).unwrap_or_default();
    (best_block * BLOCK) as u32 + first_of(simd, block, best)
}

#[inline(always)]
fn lowest<S: Simd>(simd: S, wide: S::Wide) -> i32 {
    let mut line = Line::default();
    simd.store(wide, &mut line);
    line.0.into_iter().fold(i32::MAX, i32::min)
}

/// The position of the first score that equals `best`.
#[inline(always)]
fn first_of<S: Simd>(simd: S, block: &[Line], best: i32) -> u32 {
    let best = simd.splat(best);
    let highest = simd.splat(i32::MAX);
    let mut first = highest;
    let mut position = simd.load(&POSITIONS);
    for line in block {
        let here = simd.where_equal(simd.load(line), best, position, highest);
        first = simd.min(first, here);
        position = simd.add(position, simd.splat(LINE as i32));
    }
    lowest(simd, first) as u32
}

const POSITIONS: Line = Line([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
