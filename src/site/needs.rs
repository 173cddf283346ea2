//! What writing a site takes of memory.

use super::queue::ROWS;
use super::request::Site;
use super::waiting::{HELD_BYTES, ROW_BYTES};
use crate::error::Result;
use crate::memory::Bytes;
use crate::store::Stream;

/// How large a site is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiteShape {
    pub(crate) num_items: u32,
    /// Pages, and rankings.
    pub(crate) num_rows: u32,
    /// Entries of a row before `Site::top` shortens it.
    pub(crate) row_length: u32,
}

/// Texts, for their sum and the longest.
#[derive(Debug, Clone, Copy, Default)]
struct Lengths {
    sum: u64,
    longest: u64,
    /// What a list of them takes: each is a `String`, and the allocator keeps some bytes beside it.
    held: u64,
}

impl Lengths {
    fn of(texts: &[String]) -> Lengths {
        let lengths = texts.iter().map(|text| text.len() as u64);
        let (sum, longest) = (lengths.clone().sum(), lengths.max().unwrap_or(0));
        let each = size_of::<String>() as u64 + 16;
        Lengths { sum, longest, held: sum + texts.len() as u64 * each }
    }

    /// Of numbers up to ten digits.
    fn of_numbers(count: u64) -> Lengths {
        Lengths { sum: count * 10, longest: 10, held: 0 }
    }
}

/// Bytes of the ids and metadata, which are there before a run begins.
pub(crate) fn given_bytes(site: &Site) -> Bytes {
    let lists = [&site.ids, &site.metadata];
    lists.into_iter().flatten().map(|texts| Bytes::new(Lengths::of(texts).held)).sum()
}

/// Bytes at the most: ids and metadata, their texts in JSON, what every thread works with, rows on
/// their way to the threads, and rankings that wait for others.
pub(crate) fn host_bytes(site: &Site, shape: SiteShape) -> Result<Bytes> {
    let items = u64::from(shape.num_items);
    let ids = site.ids.as_deref().map_or(Lengths::of_numbers(items), Lengths::of);
    let metadata = site.metadata.as_deref().map_or(Lengths::default(), Lengths::of);
    // Of each item: its id in quotes, that as an entry, its number, and the ends of the three.
    let texts = Bytes::new(ids.sum) * 2 + Bytes::new(2 + 23 + 11 + 3 * 8) * items;
    let entries = u64::from(site.entries(shape.row_length));
    let page = Bytes::new(ids.longest + 34) * entries;
    let page = page + Bytes::new(ids.longest + metadata.longest + 64);
    let row = Bytes::new(8 * (ROWS as u64 + 2)) * shape.row_length.into();
    let threads = (page + row) * site.num_threads()? as u64;
    let rankings = match site.rankings.is_some() {
        true => ROW_BYTES * shape.num_rows.into() + Bytes::new(HELD_BYTES + Stream::BUFFER as u64),
        false => Bytes::ZERO,
    };
    Ok(threads + texts + rankings + given_bytes(site))
}
