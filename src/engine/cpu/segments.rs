//! How a corpus is cut into segments, the parts that threads take one after the other.

/// Items of a segment: what one row holds for them fits the first-level cache, and what a thread
/// does with them takes longer than to ask for more.
pub(super) const ITEMS: u32 = 1024;

/// How many segments a corpus has.
pub(super) fn count(num_items: u32) -> usize {
    num_items.div_ceil(ITEMS) as usize
}

/// The first item of a segment.
pub(super) fn first(number: usize) -> u32 {
    number as u32 * ITEMS
}

/// Items of a segment of a corpus of `num_items`: the last one may have fewer.
pub(super) fn size(number: usize, num_items: u32) -> u32 {
    (num_items - first(number)).min(ITEMS)
}

/// The segment of an item.
pub(super) fn of(item: u32) -> usize {
    (item / ITEMS) as usize
}
