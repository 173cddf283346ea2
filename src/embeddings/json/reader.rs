//! The shapes of JSON files.
//!
//! A file is one document (a list of rows or items, or an object that holds one), or one item or
//! row after the other, mostly on lines of their own. The first value tells.

use memmap2::Mmap;

use super::items::Items;
use super::keys::{Key, Keys};
use crate::embeddings::options::OpenOptions;
use crate::embeddings::stop::{Read, Stop};
use crate::embeddings::values::{Contents, Values};
use crate::flaw::Flaw;
use crate::memory::filled;

/// A place that no item has yet.
const NOBODY: u32 = u32::MAX;

/// What a value at the top of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Top {
    /// One of many.
    Item,
    /// All of the file.
    Document,
}

/// Reads the JSON text in `map` from byte `begin` on.
pub(in crate::embeddings) fn read(
    map: &Mmap,
    begin: usize,
    options: &OpenOptions,
) -> Read<Contents> {
    let mut items = Items::new(map, begin, Keys::new(options));
    let mut top = Top::Item;
    while let Some(first) = items.cursor.skip_blanks() {
        if top == Top::Document {
            return Err(items.cursor.unexpected("the end of the file"));
        }
        top = match first {
            b'{' => object(&mut items)?,
            b'[' => array(&mut items)?,
            _ => return Err(items.cursor.unexpected("an item, or a list of numbers")),
        };
    }
    if items.matrix.item() == 0 {
        return Err(Stop::file(Flaw::Empty));
    }
    if top == Top::Document {
        put_in_order(&mut items)?;
    }
    let Items { matrix, ids, .. } = items;
    let ids = (ids.len() > 0).then_some(ids);
    Ok(Contents { values: Values::parsed(matrix), ids })
}

/// Reads an array: a list, or a row among others.
fn array(items: &mut Items) -> Read<Top> {
    let mut inside = items.cursor;
    inside.at += 1;
    match inside.next()? {
        b'[' | b'{' if items.matrix.item() == 0 => {
            items.list()?;
            Ok(Top::Document)
        }
        _ => {
            items.row_alone()?;
            Ok(Top::Item)
        }
    }
}

/// Reads an object: an item among others, or one that holds a list.
fn object(items: &mut Items) -> Read<Top> {
    let is_first = items.matrix.item() == 0;
    let begin = items.cursor.at;
    items.begin_item();
    let mut has_list = false;
    if !items.cursor.begin(b'}')? {
        loop {
            let key = items.keys.meaning(items.cursor.key(&mut items.scratch)?);
            let may_hold = is_first && key == Key::List && !items.has_embedding();
            if may_hold && begins_list(items)? {
                if std::mem::replace(&mut has_list, true) {
                    return Err(items.cursor.flaw(Flaw::Twice { item: 0, what: "list" }));
                }
                items.list()?;
                items.begin_item();
            } else if has_list || key == Key::List {
                items.cursor.skip_value()?;
            } else {
                items.member(key)?;
            }
            if !items.cursor.goes_on(b'}', "a comma or the end of the object")? {
                break;
            }
        }
    }
    if has_list {
        return Ok(Top::Document);
    }
    if is_first && !items.has_embedding() {
        return Err(Stop::text(begin, Flaw::NoList { key: items.keys.list() }));
    }
    items.end_item()?;
    Ok(Top::Item)
}

/// Whether the value that is next, whose blanks are passed, is a list of items or rows.
fn begins_list(items: &mut Items) -> Read<bool> {
    if items.cursor.next()? != b'[' {
        return Ok(false);
    }
    let mut inside = items.cursor;
    inside.at += 1;
    Ok(matches!(inside.next()?, b'[' | b'{'))
}

/// Puts items in the order of their indexes, where all have one and none has an id.
fn put_in_order(items: &mut Items) -> Read<()> {
    let num_items = items.matrix.item();
    let indexes = std::mem::take(&mut items.indexes);
    let all_have = indexes.len() == num_items as usize && items.ids.len() == 0;
    if !all_have || indexes.iter().copied().eq(0..u64::from(num_items)) {
        return Ok(());
    }
    let mut places = filled(indexes.len(), 0_u32, "the order of the items")?;
    let mut taken = filled(indexes.len(), NOBODY, "the order of the items")?;
    for (item, (&index, place)) in (0..).zip(indexes.iter().zip(&mut places)) {
        let seat = usize::try_from(index).ok().and_then(|index| taken.get_mut(index));
        match seat.filter(|seat| **seat == NOBODY) {
            Some(seat) => (*seat, *place) = (item, index as u32),
            None => return Err(Stop::file(Flaw::BadIndex { item, index, last: num_items - 1 })),
        }
    }
    items.matrix.permute(&mut places);
    Ok(())
}
