//! Items and rows of JSON, read one after the other into one vector of values.

use memmap2::Mmap;

use super::base64;
use super::keys::{Key, Keys};
use crate::embeddings::matrix::Matrix;
use crate::embeddings::number::{scan, NoNumber};
use crate::embeddings::stop::{Read, Stop};
use crate::embeddings::text::{shown, Cursor};
use crate::flaw::Flaw;
use crate::ids::IdList;
use crate::memory::reserve;
use crate::store::map;

/// Bytes after which the system may take back the memory of what was read.
const RELEASE: usize = 4 << 20;

/// Words that some programs write for what is no number.
const NO_NUMBERS: [&str; 7] = ["NaN", "-NaN", "nan", "Infinity", "-Infinity", "-inf", "null"];

/// The items that were read, and the place of the next.
#[derive(Debug)]
pub(super) struct Items<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) keys: Keys<'a>,
    pub(super) matrix: Matrix,
    pub(super) ids: IdList,
    /// What items said of their place, as long as all did.
    pub(super) indexes: Vec<u64>,
    /// A key or a text that had to be decoded.
    pub(super) scratch: Vec<u8>,
    about: About,
    map: &'a Mmap,
    released: usize,
}

/// What is known of the item that is being read.
#[derive(Debug, Default)]
struct About {
    begin: usize,
    has_embedding: bool,
    id: Vec<u8>,
    has_id: bool,
    poem_index: Option<u64>,
    index: Option<u64>,
}

impl<'a> Items<'a> {
    pub(super) fn new(map: &'a Mmap, begin: usize, keys: Keys<'a>) -> Items<'a> {
        Items {
            cursor: Cursor { bytes: map, at: begin },
            keys,
            matrix: Matrix::default(),
            ids: IdList::default(),
            indexes: Vec::new(),
            scratch: Vec::new(),
            about: About::default(),
            map,
            released: 0,
        }
    }

    /// Reads all elements of a list, whose bracket is next.
    pub(super) fn list(&mut self) -> Read<()> {
        if self.cursor.begin(b']')? {
            return Ok(());
        }
        loop {
            match self.cursor.next()? {
                b'{' => self.item()?,
                b'[' => self.row_alone()?,
                _ => return Err(self.cursor.unexpected("an item, or a list of numbers")),
            }
            if !self.cursor.goes_on(b']', "a comma or the end of the list")? {
                return Ok(());
            }
        }
    }

    /// Reads an object that is an item.
    fn item(&mut self) -> Read<()> {
        self.begin_item();
        if !self.cursor.begin(b'}')? {
            loop {
                let key = self.keys.meaning(self.cursor.key(&mut self.scratch)?);
                self.member(key)?;
                if !self.cursor.goes_on(b'}', "a comma or the end of the object")? {
                    break;
                }
            }
        }
        self.end_item()
    }

    /// Forgets the item before.
    pub(super) fn begin_item(&mut self) {
        let mut id = std::mem::take(&mut self.about.id);
        id.clear();
        self.about = About { begin: self.cursor.at, id, ..About::default() };
    }

    /// Whether the item's embedding was read.
    pub(super) fn has_embedding(&self) -> bool {
        self.about.has_embedding
    }

    /// Reads the value of a member of an item.
    pub(super) fn member(&mut self, key: Key) -> Read<()> {
        let next = self.cursor.next()?;
        match (key, next) {
            (Key::Embedding, b'[' | b'"') => {
                if std::mem::replace(&mut self.about.has_embedding, true) {
                    let flaw = Flaw::Twice { item: self.matrix.item(), what: "embedding" };
                    return Err(self.cursor.flaw(flaw));
                }
                match next {
                    b'"' => self.base64(),
                    _ => self.embedding(),
                }
            }
            (Key::Id, b'"') => {
                self.about.has_id = true;
                self.cursor.string(&mut self.about.id)
            }
            (Key::Id, b'-' | b'0'..=b'9') => self.id_number(),
            (Key::Id, b'n') => self.cursor.skip_value(),
            (Key::Id, _) => Err(self.cursor.unexpected("an id, which is a string or an integer")),
            (Key::PoemIndex, b'0'..=b'9') => {
                self.about.poem_index = self.integer()?;
                Ok(())
            }
            (Key::Index, b'0'..=b'9') => {
                self.about.index = self.integer()?;
                Ok(())
            }
            _ => self.cursor.skip_value(),
        }
    }

    /// Takes an integer as id.
    fn id_number(&mut self) -> Read<()> {
        let begin = self.cursor.at;
        let text = self.word()?;
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            self.cursor.at = begin;
            return Err(self.cursor.unexpected("an id, which is a string or an integer"));
        }
        self.about.id.clear();
        reserve(&mut self.about.id, text.len(), "an id")?;
        self.about.id.extend_from_slice(text);
        self.about.has_id = true;
        Ok(())
    }

    /// An integer that is next, unless it is another number.
    fn integer(&mut self) -> Read<Option<u64>> {
        let text = self.word()?;
        Ok(std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()))
    }

    /// A number or the like, passed.
    fn word(&mut self) -> Read<&'a [u8]> {
        let begin = self.cursor.at;
        self.cursor.skip_value()?;
        Ok(&self.cursor.bytes[begin..self.cursor.at])
    }

    /// Ends an item, which must have an embedding, and an id if the others have one.
    pub(super) fn end_item(&mut self) -> Read<()> {
        let item = self.matrix.item();
        let missing = |key| Stop::text(self.about.begin, Flaw::MissingKey { item, key });
        if !self.about.has_embedding {
            return Err(missing(self.keys.embedding()));
        }
        let number = self.about.poem_index.map(|index| index.to_string());
        let id = match (&self.about, &number) {
            (About { has_id: true, id, .. }, _) => Some(id.as_slice()),
            (_, number) => number.as_ref().map(|number| number.as_bytes()),
        };
        match id {
            Some(id) if self.ids.len() == item as usize => {
                let text = std::str::from_utf8(id);
                let flaw = || Flaw::NotUtf8 { what: "an id" };
                self.ids.push(text.map_err(|_| Stop::text(self.about.begin, flaw()))?)?;
            }
            // One before has none.
            Some(_) => {
                let item = self.ids.len() as u32;
                return Err(Stop::file(Flaw::MissingKey { item, key: self.keys.id() }));
            }
            None if self.ids.len() > 0 || self.keys.wants_ids() => {
                return Err(missing(self.keys.id()));
            }
            None => {}
        }
        if let Some(index) = self.about.index.filter(|_| self.indexes.len() == item as usize) {
            if self.indexes.len() == self.indexes.capacity() {
                let more = (self.indexes.len() / 4).max(1 << 7);
                reserve(&mut self.indexes, more, "the order of the items")?;
            }
            self.indexes.push(index);
        }
        self.end_row()
    }

    /// Reads a row that is an item, without an id.
    pub(super) fn row_alone(&mut self) -> Read<()> {
        self.begin_item();
        self.about.has_embedding = true;
        self.embedding()?;
        self.end_item()
    }

    /// Ends the row of the item, and makes room for as many as there may be.
    fn end_row(&mut self) -> Read<()> {
        let begin = self.about.begin;
        let is_first = self.matrix.end_row().map_err(|flaw| Stop::text(begin, flaw))?;
        let at = self.cursor.at;
        if is_first {
            let rest = (self.cursor.bytes.len() - at) as u64;
            let rows = rest / (at - begin) as u64 + 1;
            let values = (rows + rows / 32) * u64::from(self.matrix.shape().dim);
            // A number and what divides it from the next take two bytes.
            self.matrix.expect(values.min(rest / 2))?;
        }
        if at - self.released > RELEASE {
            map::release(self.map);
            self.released = at;
        }
        Ok(())
    }

    /// Reads an array of numbers, or one that holds just that.
    fn embedding(&mut self) -> Read<()> {
        if self.cursor.begin(b']')? {
            return Ok(());
        }
        if self.cursor.peek() != Some(b'[') {
            return self.numbers();
        }
        if !self.cursor.begin(b']')? {
            self.numbers()?;
        }
        match self.cursor.goes_on(b']', "the end of the embedding")? {
            true => Err(self.cursor.flaw(Flaw::NotPooled { item: self.matrix.item() })),
            false => Ok(()),
        }
    }

    /// Reads numbers up to the end of their array.
    fn numbers(&mut self) -> Read<()> {
        loop {
            match scan(self.cursor.bytes, self.cursor.at) {
                Ok(number) => {
                    self.matrix.push(number.value)?;
                    self.cursor.at = number.end;
                }
                Err(why) => return Err(self.no_number(why)),
            }
            if !self.cursor.goes_on(b']', "a comma or the end of the embedding")? {
                return Ok(());
            }
            self.cursor.skip_blanks();
        }
    }

    #[cold]
    fn no_number(&self, why: NoNumber) -> Stop {
        let (at, bytes) = (self.cursor.at, self.cursor.bytes);
        let (item, dimension) = (self.matrix.item(), self.matrix.dimension());
        if let NoNumber::TooLarge(end) = why {
            let number = String::from_utf8_lossy(&bytes[at..end.min(at + 40)]).into_owned();
            return self.cursor.flaw(Flaw::Overflow { item, dimension, number });
        }
        let rest = &bytes[at.min(bytes.len())..];
        match NO_NUMBERS.iter().find(|word| rest.starts_with(word.as_bytes())) {
            Some(word) => {
                let value = (*word).to_owned();
                self.cursor.flaw(Flaw::NotFinite { item, dimension, value })
            }
            None if rest.is_empty() => self.cursor.ends("an embedding"),
            None => self.cursor.flaw(Flaw::Syntax { expected: "a number", found: shown(rest) }),
        }
    }

    /// Reads floats in base64.
    fn base64(&mut self) -> Read<()> {
        let begin = self.cursor.at;
        self.cursor.string(&mut self.scratch)?;
        let item = self.matrix.item();
        for value in base64::floats(&self.scratch) {
            let dimension = self.matrix.dimension();
            match value {
                Some(value) if value.is_finite() => self.matrix.push(value)?,
                Some(value) => {
                    let flaw = Flaw::NotFinite { item, dimension, value: value.to_string() };
                    return Err(Stop::text(begin, flaw));
                }
                None => return Err(Stop::text(begin, Flaw::BadBase64 { item })),
            }
        }
        Ok(())
    }
}
