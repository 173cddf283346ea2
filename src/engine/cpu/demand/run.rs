//! A run without a matrix, as steps that all threads do.

use std::marker::PhantomData;
use std::sync::Mutex;

use super::super::lockstep::{self, Steps};
use super::super::rules::{pins, Candidates, Centroid, Chain, Farthest, Mmr};
use super::super::segments;
use super::super::simd::{Line, Simd};
use super::super::task::Task;
use super::super::workers::Workers;
use super::group::{Group, Work};
use super::layout::Layout;
use super::segment::{padded_items, Scratch, Segment};
use crate::error::Result;
use crate::memory::{room, Pages};
use crate::rule::Rule;

/// Computes all planned sequences.
pub(in super::super) fn compute(task: Task, layout: Layout, workers: Workers) -> Result<()> {
    match task.plan.rule() {
        Rule::Centroid if pins(task.corpus.num_items()) => {
            run::<Centroid<true>>(task, layout, workers)
        }
        Rule::Centroid => run::<Centroid<false>>(task, layout, workers),
        Rule::Farthest => run::<Farthest>(task, layout, workers),
        Rule::Mmr(_) => run::<Mmr>(task, layout, workers),
        Rule::Chain => run::<Chain>(task, layout, workers),
    }
}

fn run<C: Candidates>(task: Task, layout: Layout, workers: Workers) -> Result<()> {
    let num_items = task.corpus.num_items();
    let count = segments::count(num_items);
    let values = padded_items(num_items) * u64::from(layout.kept_rows);
    let mut kept = Pages::zeroed(values, "the rows that are kept")?;
    let mut kept: &mut [Line] = bytemuck::cast_slice_mut(&mut kept.get_mut()[..values as usize]);
    let mut parts = room(count, "the segments of a corpus")?;
    for number in 0..count {
        let rule = task.plan.rule();
        parts.push(Mutex::new(Segment::<C>::new(rule, num_items, number, layout, &mut kept)?));
    }
    let steps = InStep { task, layout, rule: PhantomData::<fn() -> C> };
    lockstep::run(&steps, Group::new(task, layout)?, parts, workers, task.progress)
}

/// Sequences that go in step.
struct InStep<'a, C> {
    task: Task<'a>,
    layout: Layout,
    rule: PhantomData<fn() -> C>,
}

impl<'a, C: Candidates> Steps for InStep<'a, C> {
    type Part = Segment<'a, C>;
    type State = Group;
    type Scratch = Scratch;

    fn scratch(&self) -> Result<Scratch> {
        Scratch::new(self.layout)
    }

    fn is_over(&self, group: &Group) -> bool {
        group.work == Work::End
    }

    fn work<S: Simd>(
        &self,
        simd: S,
        group: &Group,
        segment: &mut Segment<'a, C>,
        scratch: &mut Scratch,
    ) {
        match group.work {
            Work::Clear => segment.clear(),
            _ => {
                let Task { corpus, plan, .. } = self.task;
                segment.step(simd, corpus, plan.rule(), &group.wanted, scratch);
            }
        }
    }

    fn advance<S: Simd>(
        &self,
        _: S,
        group: &mut Group,
        segments: &[Mutex<Segment<'a, C>>],
        _: &mut Scratch,
    ) -> Result<()> {
        group.advance(self.task, segments)
    }
}
