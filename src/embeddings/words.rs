//! word2vec and GloVe as text: a line for each item, its id and then its values.
//!
//! word2vec has a line before them: the number of items, and the number of dimensions. An id may
//! hold blanks, as some of GloVe do: the values are the last ones of a line.

use memmap2::Mmap;

use super::matrix::Matrix;
use super::number::{scan, NoNumber};
use super::stop::{Read, Stop};
use super::text::shown;
use super::values::{shape_of, Contents, Values};
use crate::corpus::Shape;
use crate::flaw::Flaw;
use crate::ids::IdList;
use crate::store::map;

/// Bytes after which the system may take back the memory of what was read.
const RELEASE: usize = 4 << 20;

/// The line before all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) num_items: u64,
    pub(super) dim: u64,
    /// Where it ends, its newline included.
    pub(super) end: usize,
}

impl Header {
    /// The header of `bytes`, if their first line is two integers.
    pub(super) fn read(bytes: &[u8]) -> Option<Header> {
        let line = line_at(bytes, 0);
        let mut numbers = tokens(line).map(|token| {
            let is_number = token.iter().all(u8::is_ascii_digit);
            std::str::from_utf8(token).ok().filter(|_| is_number)?.parse().ok()
        });
        let (num_items, dim) = (numbers.next()??, numbers.next()??);
        let end = (line.len() + 1).min(bytes.len());
        numbers.next().is_none().then_some(Header { num_items, dim, end })
    }

    /// The shape, of a file in which `there` bytes follow, of at least `each` for a value.
    pub(super) fn shape(&self, each: u64, there: usize) -> Read<Shape> {
        let needed = self.num_items.saturating_mul(self.dim).saturating_mul(each);
        if needed > there as u64 {
            let what = "what its header says";
            return Err(Stop::file(Flaw::Cut { what, needed, there: there as u64 }));
        }
        shape_of(self.num_items, self.dim)
    }
}

/// The line that begins at byte `begin`, without its newline.
fn line_at(bytes: &[u8], begin: usize) -> &[u8] {
    let rest = bytes.get(begin..).unwrap_or_default();
    &rest[..rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())]
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| is_blank(byte)).filter(|token| !token.is_empty())
}

/// Whether the first line of `bytes` is an id and numbers.
pub(super) fn is_words(bytes: &[u8]) -> bool {
    // The longest line of 65,536 numbers that a file may have.
    const LONGEST: usize = 4 << 20;
    let line = line_at(&bytes[..bytes.len().min(LONGEST)], 0);
    let mut tokens = tokens(line).skip(1).peekable();
    tokens.peek().is_some() && tokens.all(|token| number(token).is_ok())
}

/// A number as Python and C write them.
fn number(token: &[u8]) -> Result<f32, NoNumber> {
    match scan(token, 0) {
        Ok(found) if found.end == token.len() => return Ok(found.value),
        Err(NoNumber::TooLarge(end)) if end == token.len() => return Err(NoNumber::TooLarge(end)),
        _ => {}
    }
    let text = std::str::from_utf8(token).map_err(|_| NoNumber::Malformed)?;
    text.parse().map_err(|_| NoNumber::Malformed)
}

/// Reads the text in `map` from byte `begin` on.
pub(super) fn read(map: &Mmap, begin: usize) -> Read<Contents> {
    let header = Header::read(&map[begin..]);
    let mut words = Words { map, matrix: Matrix::default(), ids: IdList::default(), dim: None };
    let mut at = begin;
    if let Some(header) = header {
        at += header.end;
        let shape = header.shape(2, map.len() - at)?;
        words.dim = Some(shape.dim);
        words.matrix.expect(shape.values())?;
    }
    let mut released = 0;
    while at < map.len() {
        let line = line_at(map, at);
        if !line.iter().all(|&byte| is_blank(byte)) {
            words.line(line, at)?;
        }
        at += line.len() + 1;
        if at - released > RELEASE {
            map::release(map);
            released = at;
        }
    }
    let Words { matrix, ids, .. } = words;
    match (matrix.item(), header) {
        (0, _) => Err(Stop::file(Flaw::Empty)),
        (there, Some(header)) if u64::from(there) != header.num_items => {
            let reason = format!(
                "its first line promises {}, and there are {}",
                crate::units::many(header.num_items, "item"),
                crate::units::count(there)
            );
            Err(Stop::file(Flaw::Damaged { reason }))
        }
        _ => Ok(Contents { values: Values::parsed(matrix), ids: Some(ids) }),
    }
}

struct Words<'a> {
    map: &'a Mmap,
    matrix: Matrix,
    ids: IdList,
    dim: Option<u32>,
}

impl Words<'_> {
    /// Reads a line, which begins at byte `begin` of the file.
    fn line(&mut self, line: &[u8], begin: usize) -> Read<()> {
        let dim = self.dim.map_or(usize::MAX, |dim| dim as usize);
        let count = tokens(line).count();
        // All that is before the last `dim` tokens is the id, and the first one in any case.
        let of_id = count.saturating_sub(dim).max(1);
        let mut behind = 0;
        for token in tokens(line).take(of_id) {
            behind = offset(line, token) + token.len();
        }
        let id = std::str::from_utf8(&line[..behind]).map(|id| id.trim_start_matches([' ', '\t']));
        let id = id.map_err(|_| Stop::text(begin, Flaw::NotUtf8 { what: "an id" }))?;
        self.ids.push(id)?;
        for token in tokens(&line[behind..]) {
            let at = begin + offset(line, token);
            let value = number(token).map_err(|why| self.no_number(why, token, at))?;
            if !value.is_finite() {
                return Err(self.not_finite(value, at));
            }
            self.matrix.push(value)?;
        }
        let is_first = self.end_row(begin)?;
        if is_first && self.dim.is_none() {
            self.expect_rest(line.len() + 1, begin)?;
        }
        Ok(())
    }

    fn end_row(&mut self, begin: usize) -> Read<bool> {
        let length = self.matrix.dimension();
        match self.dim.filter(|&dim| dim != length) {
            Some(dim) => {
                let flaw = Flaw::Ragged { item: self.matrix.item(), length: length.into(), dim };
                Err(Stop::text(begin, flaw))
            }
            None => self.matrix.end_row().map_err(|flaw| Stop::text(begin, flaw)),
        }
    }

    /// After the first line: makes room for as many lines as there may be.
    fn expect_rest(&mut self, length: usize, begin: usize) -> Read<()> {
        let dim = self.matrix.shape().dim;
        self.dim = Some(dim);
        let rest = self.map.len().saturating_sub(begin + length) as u64;
        let rows = rest / length as u64 + 1;
        self.matrix.expect(((rows + rows / 32) * u64::from(dim)).min(rest / 2))
    }

    #[cold]
    fn no_number(&self, why: NoNumber, token: &[u8], at: usize) -> Stop {
        let (item, dimension) = (self.matrix.item(), self.matrix.dimension());
        let flaw = match why {
            NoNumber::TooLarge(_) => {
                let number = String::from_utf8_lossy(&token[..token.len().min(40)]).into_owned();
                Flaw::Overflow { item, dimension, number }
            }
            NoNumber::Malformed => Flaw::Syntax { expected: "a number", found: shown(token) },
        };
        Stop::text(at, flaw)
    }

    #[cold]
    fn not_finite(&self, value: f32, at: usize) -> Stop {
        let (item, dimension) = (self.matrix.item(), self.matrix.dimension());
        Stop::text(at, Flaw::NotFinite { item, dimension, value: value.to_string() })
    }
}

/// Where `part` begins in `whole`, of which it is a part.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}
