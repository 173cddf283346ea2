//! numpy's npz: a zip archive of npy files, stored or deflated.
//!
//! The values of a stored array stay in the file where they are aligned. An array of texts with the
//! name "ids", beside the embeddings, is not read: ids come from a text file then.

use memmap2::Mmap;

use super::npy::{Header, HEAD, MAGIC};
use super::options::OpenOptions;
use super::stop::{Read, Stop};
use super::values::{Contents, Values};
use super::zip::{members, Member};
use crate::flaw::Flaw;

/// An array of the archive.
struct Found {
    name: String,
    member: Member,
    header: Header,
}

/// Reads the archive in `map`.
pub(super) fn read(map: Mmap, options: &OpenOptions) -> Read<Contents> {
    let found = arrays(&map)?;
    let Found { name, member, header } = choose(found, options)?;
    let mut array = header.array(&name, member.size())?;
    let values = match (member.stored(), header.is_fortran(&array)) {
        (Some(range), is_fortran) => {
            array.range = range.start + array.range.start..range.start + array.range.end;
            match is_fortran {
                true => Values::transposed(&map[array.range.clone()], &array)?,
                false => Values::mapped(map, array)?,
            }
        }
        (None, is_fortran) => {
            let words = member.unpack(&map)?;
            let bytes: &[u8] = bytemuck::cast_slice(&words);
            match is_fortran {
                true => Values::transposed(&bytes[array.range.clone()], &array)?,
                false => Values::in_words(words, array)?,
            }
        }
    };
    Ok(Contents { values, ids: None })
}

/// All members that are arrays. One that cannot be read is passed over where others can.
fn arrays(map: &Mmap) -> Read<Vec<Found>> {
    let (mut found, mut failed) = (Vec::new(), None);
    let mut head = vec![0; HEAD];
    for member in members(map)? {
        head.fill(0);
        let length = member.begin(map, &mut head).min(member.size());
        if !head[..length].starts_with(MAGIC) {
            continue;
        }
        let name = member.name.trim_end_matches(".npy").to_owned();
        match Header::read(&head[..length]) {
            Ok(header) => found.push(Found { name, member, header }),
            Err(stop) => failed = Some(stop),
        }
    }
    failed.filter(|_| found.is_empty()).map_or(Ok(found), Err)
}

/// The array that is named, or the only one of two dimensions.
fn choose(found: Vec<Found>, options: &OpenOptions) -> Read<Found> {
    let is_matrix = |found: &&Found| found.header.shape.len() == 2;
    let wanted = options.array.as_deref().map(|name| name.trim_end_matches(".npy"));
    let chosen = match wanted {
        Some(wanted) => found.iter().position(|one| one.name == wanted),
        None if found.iter().filter(is_matrix).count() == 1 => {
            found.iter().position(|one| is_matrix(&one))
        }
        None => None,
    };
    let there = list(found.iter().map(|one| (one.name.as_str(), one.header.shape.as_slice())));
    let none = || Stop::file(no_array(wanted, there));
    let chosen = chosen.ok_or_else(none)?;
    found.into_iter().nth(chosen).ok_or_else(|| Stop::file(Flaw::Empty))
}

/// The flaw of a file without the array that is wanted.
pub(super) fn no_array(wanted: Option<&str>, there: String) -> Flaw {
    let name =
        wanted.map_or_else(|| "that alone has two dimensions".into(), |w| format!("\"{w}\""));
    Flaw::NoArray { name, there }
}

/// Some arrays with their shapes, as a message shows them.
pub(super) fn list<'a>(arrays: impl ExactSizeIterator<Item = (&'a str, &'a [u64])>) -> String {
    const MOST: usize = 8;
    let more = arrays.len().saturating_sub(MOST);
    let one = |(name, shape): (&str, &[u64])| {
        let lengths: Vec<String> =
            shape.iter().map(|&length| crate::units::count(length)).collect();
        let name: String = name.chars().take(40).flat_map(char::escape_default).collect();
        format!("\"{name}\" ({})", lengths.join(" x "))
    };
    let mut named: Vec<String> = arrays.take(MOST).map(one).collect();
    match (named.len(), more) {
        (0, _) => return "none".into(),
        (_, 0) => {}
        (_, more) => named.push(format!("{} more", crate::units::count(more as u64))),
    }
    named.join(", ")
}
