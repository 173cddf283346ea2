//! The functions of the older interface for many sequences at once.
//!
//! Scripts ask for a batch step by step, or in chunks of places whose size they choose by the time
//! that the first one took. Both only note how far they got: the sequences are computed when the
//! end is reached, or when they are fetched before that, so far as they were asked for.
//!
//! Whether the rows are floats or halves shows in the first of these calls: steps are of scripts
//! that pass floats, chunks of those that pass halves. So a batch first copies what is there in
//! either case, as many bytes as halves have, and reads the floats where they lie at the first
//! step.

use std::sync::{Arc, Mutex};

use half::f16;
use libc::c_void;

use super::boundary::{arguments, guard, guard_handle, Group, Result};
use super::context::vkc_context;
use super::device::Device;
use crate::corpus::{Corpus, Elements, Shape};
use crate::error::Error;
use crate::ffi::boundary::release;
use crate::ffi::pointers::{pointers, In};
use crate::memory::{self, collected, Bytes};
use crate::plan::Request;
use crate::threads::lock;

/// Sequences of some starts, computed together.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkc_batch {
    device: Arc<Device>,
    shape: Shape,
    starts: Vec<u32>,
    /// Where the rows were at first: read by a first step, while they are there.
    address: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rows: Rows,
    /// Places of each sequence that were asked for, the start among them.
    asked: u32,
    found: Option<Found>,
}

/// The rows of a batch.
#[derive(Debug)]
enum Rows {
    /// The bytes that they have if they are halves.
    Unknown(Vec<u8>),
    Known(Arc<Corpus>),
}

/// Sequences that were computed.
#[derive(Debug)]
struct Found {
    items: Vec<u32>,
    length: u32,
}

/// Begins a batch: the sequences of `batch` starts (0-based, duplicates allowed). `rows` are
/// num_items x dim values, row after row: halves for the chunks, floats for the steps. Halves are
/// copied; floats must stay until the first step. NULL where a pointer is NULL, a size 0 or a start
/// no item.
///
/// # Safety
/// `context` must be NULL or live, `rows` NULL or valid as said, `starts` NULL or valid for `batch`
/// numbers.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_init(
    context: *const vkc_context,
    rows: *const c_void,
    num_items: u32,
    dim: u32,
    batch: u32,
    starts: *const u32,
) -> *mut vkc_batch {
    guard_handle(Group::Vkd, || {
        pointers!(context, rows, starts;);
        let (device, shape) = (Arc::clone(&context.handle()?.0), Shape::new(num_items, dim));
        shape.check()?;
        if batch == 0 {
            return Err(Error::ZeroSize { name: "batch" }.into());
        }
        let starts = starts.copied(batch.into())?;
        Request { starts: Some(starts.clone()), ..Request::default() }.shape(num_items)?;
        let halves = rows.cast::<u8>().copied(shape.values() * 2)?;
        let state = State { rows: Rows::Unknown(halves), asked: 1, found: None };
        let address = rows.as_ptr().expose_provenance();
        Ok(vkc_batch { device, shape, starts, address, state: Mutex::new(state) })
    })
}

/// Asks for the next place of all sequences, number `iteration`. The first step of a batch reads
/// the rows as floats, where they were when it began. `selections` is not written. Returns 0; -1
/// for NULL and where `iteration` is not below the number of items; -6 where it cannot be computed.
///
/// # Safety
/// `batch` must be NULL or live; at the first step its rows must be there, num_items x dim floats.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_step(
    batch: *const vkc_batch,
    iteration: u32,
    selections: *mut u32,
) -> i32 {
    let _ = selections;
    guard(Group::Vkd, || {
        pointers!(batch;);
        let batch = batch.handle()?;
        if iteration >= batch.shape.num_items {
            return Err(batch.beyond(iteration.into()));
        }
        let mut state = lock(&batch.state);
        if let Rows::Unknown(_) = state.rows {
            let rows = std::ptr::with_exposed_provenance::<u8>(batch.address);
            pointers!(rows;);
            state.rows = Rows::Known(batch.corpus_of_floats(rows)?);
        }
        batch.ask(&mut state, iteration + 1)
    })
}

/// Asks for places start_slot to start_slot + slot_count - 1 of all sequences; place 0 is the
/// start. The first chunk of a batch takes its rows for halves. The sequences are computed when the
/// last place is asked for, or when they are fetched. Returns 0; -1 for NULL, for no place and for
/// places beyond the last item (with fewer than 11 items those count as the last); -6 where they
/// cannot be computed.
///
/// # Safety
/// `batch` must be NULL or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_compute_chunk(
    batch: *const vkc_batch,
    start_slot: u32,
    slot_count: u32,
) -> i32 {
    guard(Group::Vkd, || {
        pointers!(batch;);
        chunk(batch, start_slot, slot_count)
    })
}

/// The same as `vkd_batch_compute_chunk`; `tile_size` changes nothing.
///
/// # Safety
/// `batch` must be NULL or live.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_compute_chunk_pipelined(
    batch: *const vkc_batch,
    start_slot: u32,
    slot_count: u32,
    tile_size: u32,
) -> i32 {
    let _ = tile_size;
    guard(Group::Vkd, || {
        pointers!(batch;);
        chunk(batch, start_slot, slot_count)
    })
}

/// Writes the sequences, batch x num_items numbers, row after row. Places that were not asked for
/// are 0. At any time, as often as you like. Returns 0; -1 for NULL; -6 where they cannot be
/// computed.
///
/// # Safety
/// `batch` must be NULL or live, `out_sequences` NULL or valid for the numbers.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_download_sequences(
    batch: *const vkc_batch,
    out_sequences: *mut u32,
) -> i32 {
    guard(Group::Vkd, || {
        pointers!(batch; out = out_sequences);
        let (batch, out) = (batch.handle()?, out.required()?);
        let mut state = lock(&batch.state);
        let asked = state.asked;
        let found = batch.found(&mut state, asked)?;
        if asked == batch.shape.num_items {
            return Ok(out.copy(&found.items, u64::MAX)?);
        }
        let all = found.padded(asked, batch.shape.num_items)?;
        Ok(out.copy(&all, u64::MAX)?)
    })
}

/// Frees what `vkd_batch_init` made. NULL is fine.
///
/// # Safety
/// `batch` must be NULL or come from `vkd_batch_init`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_batch_destroy(batch: *mut vkc_batch) {
    // SAFETY: the caller's contract.
    unsafe { release(batch) }
}

/// Scripts try so many places first, however few items they have.
const PROBE: u32 = 10;

fn chunk(batch: In<vkc_batch>, start_slot: u32, slot_count: u32) -> Result<()> {
    let batch = batch.handle()?;
    let (num_items, end) = (batch.shape.num_items, u64::from(start_slot) + u64::from(slot_count));
    if slot_count == 0 {
        return Err(arguments("slot_count is 0; it must be at least 1"));
    }
    if end > num_items.into() && num_items > PROBE {
        return Err(batch.beyond(end - 1));
    }
    let mut state = lock(&batch.state);
    if let Rows::Unknown(halves) = &state.rows {
        state.rows = Rows::Known(batch.corpus_of_halves(halves)?);
    }
    batch.ask(&mut state, end.min(num_items.into()) as u32)
}

impl vkc_batch {
    fn beyond(&self, place: u64) -> super::boundary::Refusal {
        let num_items = self.shape.num_items;
        arguments(format!("place {place} (0-based) is beyond the last of {num_items} items"))
    }

    fn corpus_of_halves(&self, bytes: &[u8]) -> Result<Arc<Corpus>> {
        let halves = bytes.chunks_exact(2).map(|half| f16::from_ne_bytes([half[0], half[1]]));
        let halves = collected(halves, "the halves")?;
        Ok(self.device.corpus(Elements::F16(&halves), self.shape)?)
    }

    fn corpus_of_floats(&self, rows: In<u8>) -> Result<Arc<Corpus>> {
        let len = self.shape.values();
        memory::require("the floats", Bytes::of::<f32>(len))?;
        // They may lie anywhere.
        let bytes = rows.array(len * 4)?;
        let floats = bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
        let floats = collected(floats, "the floats")?;
        Ok(self.device.corpus(Elements::F32(&floats), self.shape)?)
    }

    /// Notes that places before `end` are asked for, and computes when these are all.
    fn ask(&self, state: &mut State, end: u32) -> Result<()> {
        state.asked = state.asked.max(end);
        if state.asked == self.shape.num_items {
            self.found(state, state.asked)?;
        }
        Ok(())
    }

    /// The sequences, `length` places at least.
    fn found<'a>(&self, state: &'a mut State, length: u32) -> Result<&'a Found> {
        if state.found.as_ref().is_none_or(|found| found.length < length) {
            // Who fetches a part for the second time will fetch more of them.
            let is_first = state.found.take().is_none_or(|found| found.length == 1);
            let length = if is_first { length } else { self.shape.num_items };
            state.found = Some(self.compute(&state.rows, length)?);
        }
        let missing = || Error::Internal { detail: "a batch without its sequences".into() };
        Ok(state.found.as_ref().ok_or_else(missing)?)
    }

    fn compute(&self, rows: &Rows, length: u32) -> Result<Found> {
        let corpus = match rows {
            Rows::Known(corpus) if length > 1 => corpus,
            _ => return Ok(Found { items: self.starts.clone(), length: 1 }),
        };
        let request = Request { starts: Some(self.starts.clone()), length, ..Request::default() };
        Ok(Found { items: self.device.context.sequences_of(corpus, &request)?.items, length })
    }
}

impl Found {
    /// The first `asked` places of all sequences, zeros behind them.
    fn padded(&self, asked: u32, num_items: u32) -> Result<Vec<u32>> {
        let rows = self.items.chunks_exact(self.length as usize);
        let all = rows.len() as u64 * u64::from(num_items);
        let mut padded = memory::zeroed_of(all, "the sequences")?;
        for (to, from) in padded.chunks_exact_mut(num_items as usize).zip(rows) {
            let from: &[u32] = &from[..asked as usize];
            to[..asked as usize].copy_from_slice(from);
        }
        Ok(padded)
    }
}
