//! Some items in blocks of 8, what is known of them, and which of them have to be looked at.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::super::rules::Cheapest;
use super::super::segments;
use super::super::simd::Simd;
use super::super::tiles::{finish, multiply, Asked, Block, Dots, MOST};
use super::known::{Known, TAKEN};
use super::queries::Queries;
use crate::contract::extra_shift;
use crate::corpus::Corpus;
use crate::error::Result;
use crate::memory::{filled, Bytes};
use crate::rule::Rule;

/// Items of a block: few, so that few are looked at in vain; as many as tiles have rows.
const BLOCK: usize = 8;

/// Bytes of all segments.
pub(super) fn bytes<K>(num_items: u32) -> Bytes {
    Bytes::of::<Known8<K>>(u64::from(num_items).div_ceil(BLOCK as u64))
}

/// The cheapest item that is found so far: cost and number as one number, the lowest first.
pub(super) struct Best(AtomicU64);

impl Best {
    pub(super) fn new() -> Best {
        Best(AtomicU64::new(u64::MAX))
    }

    pub(super) fn clear(&self) {
        self.0.store(u64::MAX, Relaxed);
    }

    pub(super) fn get(&self) -> Cheapest {
        let key = self.0.load(Relaxed);
        Cheapest { item: key as u32, cost: ((key >> 32) as u32 ^ 1 << 31) as i32 }
    }

    fn offer(&self, Cheapest { item, cost }: Cheapest) {
        let key = u64::from(cost as u32 ^ 1 << 31) << 32 | u64::from(item);
        self.0.fetch_min(key, Relaxed);
    }
}

/// What segments are looked at with.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) rule: Rule,
    pub(super) queries: &'a Queries,
    pub(super) best: &'a Best,
}

/// What is known of 8 items.
#[derive(Debug, Clone, Copy)]
struct Known8<K> {
    known: [K; BLOCK],
    /// The lowest cost of them.
    low: i32,
    /// Rows that are added.
    added: u32,
}

/// Some items.
pub(super) struct Segment<K> {
    first: u32,
    count: usize,
    blocks: Vec<Known8<K>>,
    /// The block with the lowest cost known, and that.
    lowest: Lowest,
}

/// A block and the lowest cost that is known of its items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lowest {
    block: usize,
    pub(super) cost: i32,
}

/// Room for the numbers of blocks.
pub(super) type Scratch = Vec<usize>;

impl<K: Known> Segment<K> {
    pub(super) fn new(num_items: u32, number: usize) -> Result<Segment<K>> {
        let first = segments::first(number);
        let count = segments::size(number, num_items) as usize;
        let blocks = filled(count.div_ceil(BLOCK), Known8::NEW, "the scores of a sequence")?;
        Ok(Segment { first, count, blocks, lowest: Lowest { block: 0, cost: i32::MIN } })
    }

    /// Back to where no row is added.
    pub(super) fn clear(&mut self) {
        self.blocks.fill(Known8::NEW);
        // What pads the last block counts as taken.
        let last = self.blocks.len() - 1;
        self.blocks[last].known[self.count - last * BLOCK..].iter_mut().for_each(K::take);
        self.lowest = Lowest { block: 0, cost: i32::MIN };
    }

    /// Takes an item of the segment out.
    pub(super) fn take(&mut self, item: u32, lambda: i32) {
        let at = (item - self.first) as usize;
        let block = &mut self.blocks[at / BLOCK];
        block.known[at % BLOCK].take();
        let all_taken = block.known.iter().all(|known| known.cost(lambda) == TAKEN);
        if block.added > 0 || all_taken {
            block.low = block.lowest(lambda);
        }
        self.find_lowest();
    }

    /// Looks at the items that may be the cheapest.
    pub(super) fn step<S: Simd>(&mut self, simd: S, look: Look, scratch: &mut Scratch) -> u64 {
        scratch.clear();
        let all = 0..self.blocks.len();
        scratch.extend(all.filter(|&number| self.blocks[number].may_be_best(look)));
        let mut read = 0;
        for (at, &number) in scratch.iter().enumerate() {
            // Others may have found a cheaper one meanwhile.
            if self.blocks[number].may_be_best(look) {
                let next = scratch.get(at + 1).copied();
                self.look_at(simd, number, next, look);
                read += (BLOCK * look.corpus.dim() as usize * 2) as u64;
            }
        }
        if !scratch.is_empty() {
            self.find_lowest();
        }
        read
    }

    /// The lowest cost that is known.
    pub(super) fn lowest(&self) -> Lowest {
        self.lowest
    }

    /// Looks at the block with the lowest cost known.
    pub(super) fn look_at_lowest<S: Simd>(&mut self, simd: S, look: Look) {
        self.look_at(simd, self.lowest.block, None, look);
    }

    fn find_lowest(&mut self) {
        let mut lowest = Lowest { block: 0, cost: i32::MAX };
        for (number, block) in self.blocks.iter().enumerate() {
            if block.low < lowest.cost {
                lowest = Lowest { block: number, cost: block.low };
            }
        }
        self.lowest = lowest;
    }

    /// Adds rows to what is known of a block, until its items cannot be the cheapest or all are
    /// added, while asking for the block `next`.
    #[inline(always)]
    fn look_at<S: Simd>(&mut self, simd: S, number: usize, next: Option<usize>, look: Look) {
        let Look { corpus, rule, queries, best, .. } = look;
        let (begin, dim) = (number * BLOCK, corpus.dim() as usize);
        let ahead = next.map_or(0, |next| (next - number) * BLOCK * dim);
        let (first, count) = (self.first + begin as u32, self.count - begin);
        let block = &mut self.blocks[number];
        let lambda = lambda(rule);
        let shift = extra_shift(corpus.num_items());
        simd.vectorize(
            #[inline(always)]
            || {
                let mut rows = Block::<BLOCK>::new(corpus, first, count, ahead);
                rows.asked = if ahead > 0 { Asked::ALL } else { Asked::NONE };
                let mut dots: Dots<BLOCK> = [[0; BLOCK]; MOST];
                while block.may_be_best(look) {
                    let added = block.added as usize;
                    let left = queries.count() as usize - added;
                    let query = |more: usize| queries.values(added + more);
                    let took = multiply(simd, &rows, query, left, &mut dots);
                    rows.asked = Asked::NONE;
                    for (dots, number) in dots[..took].iter().zip(added..) {
                        let mut values = [0; BLOCK];
                        let weight = queries.weight(number);
                        finish(dots, &mut values, weight, rule.weighing(), shift);
                        for (known, value) in block.known.iter_mut().zip(values) {
                            known.add(value, number == 0);
                        }
                    }
                    block.added += took as u32;
                    block.low = block.lowest(lambda);
                }
            },
        );
        if block.added == queries.count() {
            let cost = |at: usize| block.known[at].cost(lambda);
            if let Some(at) = (0..BLOCK).find(|&at| cost(at) == block.low && block.low < TAKEN) {
                best.offer(Cheapest { item: first + at as u32, cost: block.low });
            }
        }
    }
}

impl<K: Known> Known8<K> {
    const NEW: Known8<K> = Known8 { known: [K::START; BLOCK], low: i32::MIN, added: 0 };

    /// Whether rows have to be added: where some wait and one of the items may be the cheapest.
    #[inline(always)]
    fn may_be_best(&self, look: Look) -> bool {
        let waits = self.added < look.queries.count() && self.low < TAKEN;
        waits && K::least(self.low, self.added, lambda(look.rule)) <= look.best.get().cost
    }

    #[inline(always)]
    fn lowest(&self, lambda: i32) -> i32 {
        self.known.iter().fold(TAKEN, |low, known| low.min(known.cost(lambda)))
    }
}

/// The weight of mmr in Q15, 0 of the others.
pub(super) fn lambda(rule: Rule) -> i32 {
    rule.lambda().map_or(0, |lambda| lambda.q15())
}
