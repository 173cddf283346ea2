//! The picks: for each, one row of the matrix is added to the scores and the lowest score is found.
//!
//! A thread works on a few sequences in turn, one pick each. While it adds a row for one, it prefetches the row of the next
//! into the second-level cache (the first is full of scores), so that the memory's latency hides behind
//! work. Scores are kept in blocks of 256 with the minimum taken in the same pass; the search for the index then touches
//! one block.
//!
//! A sequence with a longer head first adds the rows of its head, without asking for the lowest score; in the order of
//! their numbers, so that the sequences of a thread, whose heads have much in common, find each other's rows in the caches.
//!
//! A taken item gets a score above all others. Up to 21,845 items it may go on receiving contributions:
//! 2^31 - 1 - N 2^15 stays above N 2^15 by whatever is added. With more items (PIN) it is held at the top.

use std::sync::{Mutex, PoisonError};

use super::matrix::Matrix;
use super::merge::{Meetings, SetHash};
use super::simd::{dispatch, HalfLine, Level, Line, OnSimd, Simd};
use super::{threads, Settings};
use crate::engine::Rows;
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
    plan: &'a Plan,
    meetings: Option<Meetings>,
    rows: &'a dyn Rows,
    progress: &'a Progress,
}

/// Sequences that no thread has begun.
type Queue<'q, 'a> = Mutex<&'q mut (dyn Iterator<Item = (u32, &'a [u32])> + Send + 'q)>;

/// Computes all planned sequences.
pub(super) fn compute(
    matrix: &Matrix,
    num_items: u32,
    plan: &Plan,
    rows: &dyn Rows,
    progress: &Progress,
    (level, num_threads, settings): (Level, usize, &Settings),
) -> Result<()> {
    let share = settings.share_equal_sets.unwrap_or(true) && plan.count() > 1;
    let meetings = share.then(|| Meetings::new(plan.length()));
    let mut all = (0..).zip(plan.heads());
    let run = Run { matrix, num_items, plan, meetings, rows, progress };
    let queue: Queue = Mutex::new(&mut all);
    threads::run(num_threads, || dispatch(level, Worker { run: &run, queue: &queue }))
}

/// Bytes that `num_threads` threads hold for their sequences.
pub(super) fn slot_bytes(stride: usize, length: u32, num_threads: usize) -> u64 {
    (num_threads * num_slots(stride)) as u64 * (stride as u64 * 4 + u64::from(length) * 4)
}

/// A sequence under way.
struct Slot {
    sequence: u32,
    row: Vec<u32>,
    picked: u32,
    /// Rows of the head that wait to be added, the next one last.
    replay: Vec<u32>,
    /// The item whose row is added next.
    last: u32,
    hash: SetHash,
    /// Computed without a look at others: see `Meetings::next_alone`.
    alone: bool,
    scores: Vec<Line>,
}

impl Slot {
    fn new(stride: usize, length: u32) -> Result<Slot> {
        let scores = zeroed::<Line>(stride / LINE, "the scores of a sequence")?;
        let row = zeroed(length as usize, "a sequence")?;
        let hash = SetHash::default();
        let (replay, alone) = (Vec::new(), false);
        Ok(Slot { sequence: 0, row, picked: 0, replay, last: 0, hash, alone, scores })
    }

    fn begin(&mut self, (sequence, head): (u32, &[u32]), num_items: u32) {
        let taken = taken_score(num_items);
        self.scores.fill(Line([0; LINE]));
        for padding in num_items as usize..self.scores.len() * LINE {
            self.scores[padding / LINE].0[padding % LINE] = taken;
        }
        (self.sequence, self.picked) = (sequence, 0);
        self.hash = SetHash::default();
        head.iter().for_each(|&item| self.take(item, taken));
        self.replay.clear();
        self.replay.extend(head);
        self.replay.sort_unstable_by(|a, b| b.cmp(a));
        self.last = self.replay.pop().unwrap_or_default();
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
    queue: &'r Queue<'q, 'a>,
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

impl Worker<'_, '_, '_> {
    fn work<S: Simd, const PIN: bool>(&self, simd: S) -> Result<()> {
        let stride = self.run.matrix.stride();
        let mut slots = Vec::new();
        for _ in 0..num_slots(stride) {
            let mut slot = Slot::new(stride, self.run.plan.length())?;
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
                    picks += self.pick::<S, PIN>(simd, &mut slots[at], next);
                    if self.goes_on(&mut slots[at])? || self.refill(&mut slots[at]) {
                        at += 1;
                    } else {
                        slots.swap_remove(at);
                    }
                }
            }
            self.run.progress.add_steps(picks, picks * u64::from(self.run.num_items) * 2);
        }
        Ok(())
    }

    /// Gives a slot the next sequence, if there is one.
    fn refill(&self, slot: &mut Slot) -> bool {
        let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        slot.alone = false;
        let next = next.or_else(|| {
            let index = self.run.meetings.as_ref()?.next_alone()?;
            slot.alone = true;
            Some((index, self.run.plan.heads().nth(index as usize)?))
        });
        next.map(|next| slot.begin(next, self.run.num_items)).is_some()
    }

    /// Whether a sequence needs more picks of its own.
    fn goes_on(&self, slot: &mut Slot) -> Result<bool> {
        let run = self.run;
        let length = run.plan.length();
        if slot.picked == length {
            let finished = match &run.meetings {
                Some(meetings) => meetings.finish(slot.sequence, &slot.row, run.rows)?,
                None => run.rows.put(slot.sequence as usize, &slot.row).map(|()| 1)?,
            };
            run.progress.add_rows(finished);
            return Ok(false);
        }
        let Some(meetings) = &run.meetings else { return Ok(true) };
        if slot.alone || !slot.replay.is_empty() || !meetings.is_checkpoint(slot.picked) {
            return Ok(true);
        }
        let Some(target) = meetings.meet(slot.picked, slot.hash, slot.sequence) else {
            return Ok(true);
        };
        let one = (slot.sequence, slot.picked, &*slot.row);
        let Some(finished) = meetings.wait_for(target, one, run.rows)? else { return Ok(true) };
        run.progress.add_steps(u64::from(length - slot.picked), 0);
        run.progress.add_rows(finished);
        Ok(false)
    }

    /// Adds a row; returns the number of picks made, which is none while the head is added.
    fn pick<S: Simd, const PIN: bool>(&self, simd: S, slot: &mut Slot, next: &[HalfLine]) -> u64 {
        let row = self.run.matrix.row(slot.last);
        let scores = &mut slot.scores;
        let item = simd.vectorize(
            #[inline(always)]
            || step::<S, PIN>(simd, scores, row, next),
        );
        if let Some(next) = slot.replay.pop() {
            slot.last = next;
            return 0;
        }
        slot.take(item, taken_score(self.run.num_items));
        1
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
