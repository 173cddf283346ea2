//! Rows that the next steps are likely to need: while the corpus streams by for one row, a few more
//! cost their multiply-adds only.
//!
//! A pick changes the order of the candidates little. So what a sequence picks next is most often
//! the cheapest item of some segment already: 200 picks of one sequence from 100,000 clustered
//! items needed 32 passes with eight rows each. A wrong guess costs time, never a bit.

use std::sync::Mutex;

use super::super::rules::Cheapest;
use super::super::track::Track;
use super::layout::ROWS_OF_PASS;
use super::segment::Segment;
use crate::error::Result;
use crate::memory::{filled, Bytes};
use crate::threads::lock;

/// Candidates of a sequence: the rows of many of them are kept already.
const CANDIDATES: usize = 4 * ROWS_OF_PASS as usize;

/// The cheapest items of different segments, those of the lowest costs first.
type Candidates = [Cheapest; CANDIDATES];

/// No item.
const NONE: Cheapest = Cheapest { item: u32::MAX, cost: i32::MAX };

/// The candidates of each sequence of a group.
pub(super) struct Ahead(Vec<Candidates>);

impl Ahead {
    pub(super) fn new(group: u32) -> Result<Ahead> {
        filled(group as usize, [NONE; CANDIDATES], "the rows of the next steps").map(Ahead)
    }

    /// Bytes for each sequence.
    pub(super) fn bytes() -> Bytes {
        Bytes::of::<Candidates>(1)
    }

    /// What the first `active` sequences are likely to pick after `segments` were searched, the
    /// likeliest of each first.
    pub(super) fn likely<C>(
        &mut self,
        segments: &[Mutex<Segment<'_, C>>],
        active: usize,
    ) -> impl Iterator<Item = u32> + '_ {
        let all = &mut self.0[..active];
        all.fill([NONE; CANDIDATES]);
        for segment in segments {
            let segment = lock(segment);
            for (candidates, &found) in all.iter_mut().zip(&segment.found) {
                insert(candidates, found);
            }
        }
        let all = &*all;
        let of_all = |place: usize| all.iter().map(move |candidates| candidates[place].item);
        (0..CANDIDATES).flat_map(of_all).filter(|&item| item != NONE.item)
    }
}

/// Puts a candidate where its cost belongs; the last one goes.
fn insert(candidates: &mut Candidates, found: Cheapest) {
    let place = candidates.partition_point(|other| other.cost <= found.cost);
    if place < candidates.len() {
        candidates.copy_within(place..CANDIDATES - 1, place + 1);
        candidates[place] = found;
    }
}

/// The rows of their heads that the sequences add next, the next one of each first.
pub(super) fn of_heads(tracks: &[Track]) -> impl Iterator<Item = u32> + '_ {
    (0..ROWS_OF_PASS as usize)
        .flat_map(|place| tracks.iter().filter_map(move |track| track.replay(place)))
}
