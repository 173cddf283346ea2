//! Texts of rows that come before their turn.
//!
//! Some of them wait in memory, all others in a file without a name: with several devices half of
//! all rows can come before the first of the others, and none of them may wait for its writer, or
//! the row that all wait for could not get through.

use std::fs::File;

use super::folder::Folder;
use crate::error::Result;
use crate::memory::{self, Bytes};
use crate::store::errors::file_error;
use crate::store::place::{read_at, write_at};

/// Bytes of texts in memory.
pub(super) const HELD_BYTES: u64 = 32 << 20;
/// Bytes beside them for every row.
pub(super) const ROW_BYTES: Bytes = Bytes::of::<Place>(1);

const TEXT: &str = "a ranking that waits for others";

/// Where the text of a row is.
#[derive(Debug, Clone, Default)]
enum Place {
    #[default]
    Nowhere,
    Held(Box<[u8]>),
    InFile {
        begin: u64,
        bytes: u64,
    },
}

/// Texts of rows that come before their turn.
pub(super) struct Waiting {
    places: Vec<Place>,
    /// Bytes of those in memory, and how many there may be.
    held: u64,
    most: u64,
    /// The others, and how long it is.
    file: Option<File>,
    end: u64,
}

impl Waiting {
    pub(super) fn new(num_rows: u32, most: u64) -> Result<Waiting> {
        let places = (0..num_rows as usize).map(|_| Place::default());
        let places = memory::collected(places, "the rankings that wait for others")?;
        Ok(Waiting { places, held: 0, most, file: None, end: 0 })
    }

    /// Takes the text of a row. `folder`: where to make the file.
    pub(super) fn put(&mut self, row: u32, text: &[u8], folder: &Folder) -> Result<()> {
        let bytes = text.len() as u64;
        let place = match self.held + bytes <= self.most {
            true => {
                self.held += bytes;
                Place::Held(memory::copied(text, TEXT)?.into_boxed_slice())
            }
            false => self.write(text, folder)?,
        };
        self.places[row as usize] = place;
        Ok(())
    }

    /// Gives the text of a row if it waits, into `text`.
    pub(super) fn take(&mut self, row: u32, text: &mut Vec<u8>, folder: &Folder) -> Result<bool> {
        // The one behind the last has no place.
        let Some(place) = self.places.get_mut(row as usize) else { return Ok(false) };
        text.clear();
        match std::mem::take(place) {
            Place::Nowhere => return Ok(false),
            Place::Held(held) => {
                self.held -= held.len() as u64;
                *text = held.into_vec();
            }
            Place::InFile { begin, bytes } => {
                memory::reserve(text, bytes as usize, TEXT)?;
                text.resize(bytes as usize, 0);
                let file = self.file.as_ref();
                let read = file.map_or(Ok(()), |file| read_at(file, text, begin));
                read.map_err(|error| file_error("read", folder.path(), bytes, &error))?;
            }
        }
        Ok(true)
    }

    /// Bytes of the texts in memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Whether the file was needed.
    #[cfg(test)]
    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    fn write(&mut self, text: &[u8], folder: &Folder) -> Result<Place> {
        let failed = |error| {
            file_error("write", &folder.place("rankings".as_ref()), text.len() as u64, &error)
        };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(folder.unnamed().map_err(failed)?),
        };
        let (begin, bytes) = (self.end, text.len() as u64);
        write_at(file, text, begin).map_err(failed)?;
        self.end += bytes;
        Ok(Place::InFile { begin, bytes })
    }
}
