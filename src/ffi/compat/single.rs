//! The functions of the older interface for one sequence at a time.
//!
//! Scripts ask for one start after the other, until they have all. So each call that has to compute
//! computes four times as many sequences as the last, of the start asked for and those behind it,
//! and keeps them for the calls to come: the first call costs one sequence, all starts in a row
//! cost one run of all and some more matrices. In any other order it is less than a half more.

use std::sync::{Arc, Mutex};

use super::boundary::{arguments, guard, guard_handle, Group};
use super::context::vkc_context;
use super::device::Device;
use crate::corpus::{Corpus, Elements, Shape};
use crate::error::{Error, Result};
use crate::ffi::boundary::release;
use crate::ffi::pointers::pointers;
use crate::plan::Request;
use crate::threads::lock;

/// Embeddings whose sequences are asked for one by one.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkc_diversity {
    device: Arc<Device>,
    corpus: Arc<Corpus>,
    block: Mutex<Block>,
}

/// How much larger each block is than the last.
const GROWTH: u32 = 4;

/// The sequences of some starts, one behind the other; behind the last start comes the first.
#[derive(Debug)]
struct Block {
    first: u32,
    items: Vec<u32>,
    /// How many sequences to compute next.
    next: u32,
    /// How many there was memory for.
    most: u32,
}

/// Prepares `num_items` x `dim` floats, row after row, which are copied. NULL where a pointer is
/// NULL, a size 0 or a value not finite.
///
/// # Safety
/// `context` must be NULL or live, `embeddings` NULL or valid for num_items x dim floats.
#[no_mangle]
pub unsafe extern "C" fn vkd_init(
    context: *const vkc_context,
    embeddings: *const f32,
    num_items: u32,
    dim: u32,
) -> *mut vkc_diversity {
    guard_handle(Group::Vkd, || {
        pointers!(context, embeddings;);
        let (device, shape) = (&context.handle()?.0, Shape::new(num_items, dim));
        shape.check()?;
        let values = embeddings.array(shape.values())?;
        let corpus = device.corpus(Elements::F32(values), shape)?;
        let block = Block { first: 0, items: Vec::new(), next: 1, most: num_items };
        Ok(vkc_diversity { device: Arc::clone(device), corpus, block: Mutex::new(block) })
    })
}

/// Frees what `vkd_init` made. NULL is fine.
///
/// # Safety
/// `diversity` must be NULL or come from `vkd_init`, and must not be used again.
#[no_mangle]
pub unsafe extern "C" fn vkd_destroy(diversity: *mut vkc_diversity) {
    // SAFETY: the caller's contract.
    unsafe { release(diversity) }
}

/// Computes the sequence of all items that begins with `start`: each further item is the one that
/// is least similar to the centroid of those before. Returns 0; -1 where a pointer is NULL or
/// `start` is no item (0-based); -6 where it cannot be computed.
///
/// # Safety
/// `diversity` must be NULL or live, `out_sequence` NULL or valid for num_items numbers.
#[no_mangle]
pub unsafe extern "C" fn vkd_compute_sequence(
    diversity: *const vkc_diversity,
    start: u32,
    out_sequence: *mut u32,
) -> i32 {
    guard(Group::Vkd, || {
        pointers!(diversity; out = out_sequence);
        let (diversity, out) = (diversity.handle()?, out.required()?);
        let num_items = diversity.corpus.num_items();
        if start >= num_items {
            return Err(arguments(format!("start is {start}, but there are {num_items} items")));
        }
        diversity.with_sequence(start, |sequence| Ok(out.copy(sequence, num_items.into())?))
    })
}

impl vkc_diversity {
    /// Hands the sequence of `start` to `use_it`.
    fn with_sequence<R, E: From<Error>>(
        &self,
        start: u32,
        use_it: impl FnOnce(&[u32]) -> std::result::Result<R, E>,
    ) -> std::result::Result<R, E> {
        let mut block = lock(&self.block);
        if block.find(start, self.corpus.num_items()).is_none() {
            block.compute(start, &self.corpus, |request| {
                Ok(self.device.context.sequences_of(&self.corpus, request)?.items)
            })?;
        }
        let missing = || Error::Internal { detail: "a block without its first sequence".into() };
        use_it(block.find(start, self.corpus.num_items()).ok_or_else(missing)?)
    }
}

impl Block {
    /// The sequence of `start`, if it is here.
    fn find(&self, start: u32, num_items: u32) -> Option<&[u32]> {
        let n = u64::from(num_items);
        let place = (u64::from(start) + n - u64::from(self.first)) % n;
        self.items.chunks_exact(num_items as usize).nth(place as usize)
    }

    /// The start behind the last one that is here.
    fn end(&self, num_items: u32) -> Option<u32> {
        let count = self.items.len() / num_items as usize;
        let end = (u64::from(self.first) + count as u64) % u64::from(num_items);
        (count > 0).then_some(end as u32)
    }

    /// Computes the next block, which begins with `start`; a smaller one where there is no memory
    /// for it.
    fn compute(
        &mut self,
        start: u32,
        corpus: &Corpus,
        run: impl Fn(&Request) -> Result<Vec<u32>>,
    ) -> Result<()> {
        let n = u64::from(corpus.num_items());
        // Who asks for one start after the other has those before it.
        let left = match self.end(corpus.num_items()) == Some(start) {
            true => corpus.num_items() - start,
            false => corpus.num_items(),
        };
        // Room for the new ones.
        self.items = Vec::new();
        let wanted = self.next.min(self.most);
        let mut count = wanted.min(left);
        loop {
            let starts = (0..u64::from(count)).map(|place| ((u64::from(start) + place) % n) as u32);
            let request = Request { starts: Some(starts.collect()), ..Request::default() };
            match run(&request) {
                Ok(items) => (self.first, self.items) = (start, items),
                Err(error) if count > 1 && is_memory(&error) => {
                    count /= 2;
                    self.most = count;
                    continue;
                }
                Err(error) => return Err(error),
            }
            self.next = wanted.saturating_mul(GROWTH);
            return Ok(());
        }
    }
}

/// Whether fewer sequences at once would help.
fn is_memory(error: &Error) -> bool {
    match error {
        Error::Variable { error, .. } => is_memory(error),
        Error::TooLarge { .. }
        | Error::HostMemory { .. }
        | Error::DeviceMemory { .. }
        | Error::DriverMemory { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::corpus::Input;

    fn corpus(num_items: u32) -> Corpus {
        let values: Vec<f32> = (1..=num_items).map(|value| value as f32).collect();
        let input = Input::new(Elements::F32(&values), num_items, 1);
        Corpus::prepare(&input).unwrap()
    }

    /// How many sequences each run computes, of which there is memory for `room`.
    fn runs(calls: impl Iterator<Item = u32>, n: u32, room: usize) -> Vec<usize> {
        let (corpus, counts) = (corpus(n), RefCell::new(Vec::new()));
        let mut block = Block { first: 0, items: Vec::new(), next: 1, most: n };
        for start in calls {
            if block.find(start, n).is_none() {
                let run = |request: &Request| {
                    let starts = request.starts.clone().unwrap();
                    if starts.len() > room {
                        return Err(Error::HostMemory { what: "a test", bytes: 1 });
                    }
                    counts.borrow_mut().push(starts.len());
                    // A sequence is its start, n times.
                    Ok(starts.iter().flat_map(|&start| vec![start; n as usize]).collect())
                };
                block.compute(start, &corpus, run).unwrap();
            }
            assert_eq!(block.find(start, n).unwrap(), vec![start; n as usize]);
        }
        counts.into_inner()
    }

    #[test]
    fn blocks_grow_until_all_starts_are_there() {
        assert_eq!(runs(5..6, 100, 100), [1]);
        assert_eq!(runs(0..100, 100, 100), [1, 4, 16, 64, 15]);
        assert_eq!(runs((0..100).chain(0..100), 100, 100), [1, 4, 16, 64, 15, 100]);
        assert_eq!(runs(0..1, 1, 1), [1]);
        let odd = runs((0..1000).map(|call| call * 37 % 100), 100, 100);
        assert!(odd.iter().sum::<usize>() <= 200, "{odd:?}");
        assert_eq!(odd.last(), Some(&100));
    }

    #[test]
    fn blocks_stay_as_small_as_the_memory_wants_them() {
        let counts = runs(0..100, 100, 11);
        assert_eq!(counts[..4], [1, 4, 8, 8]);
        assert_eq!(counts.iter().sum::<usize>(), 100);
        let nothing = |_: &Request| Err(Error::Cancelled);
        let mut block = Block { first: 0, items: Vec::new(), next: 4, most: 9 };
        assert_eq!(block.compute(0, &corpus(9), nothing), Err(Error::Cancelled));
    }
}
