//! numpy's npy: versions 1 to 3, of which only the header is read here.
//!
//! 6 bytes that no text begins with, the version, the length of the header, and the header: a
//! Python dictionary of the element type, the order and the shape. The values follow.

use memmap2::Mmap;

use super::options::ElementType;
use super::stop::{Read, Stop};
use super::values::{Array, Contents, Values};
use crate::flaw::Flaw;
use crate::units;

/// What a file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Bytes of a header at the most, as numpy itself has it, and of what stands before it.
const LONGEST: usize = 10_000;
pub(super) const HEAD: usize = LONGEST + 12;

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The type as numpy writes it, such as "<f4".
    pub(super) described: String,
    is_fortran: bool,
    pub(super) shape: Vec<u64>,
    /// Where the values begin.
    pub(super) begin: usize,
}

impl Header {
    /// Reads the header of a file that begins with [`MAGIC`]; `bytes` are some of it, or all.
    pub(super) fn read(bytes: &[u8]) -> Read<Header> {
        let cut = || Stop::file(Flaw::Ends { within: "its header" });
        let version = *bytes.get(6).ok_or_else(cut)?;
        let lengths = bytes.get(8..).ok_or_else(cut)?;
        let (length, before) = match version {
            1 => (u32::from(u16::from_le_bytes(*lengths.first_chunk().ok_or_else(cut)?)), 10),
            2 | 3 => (u32::from_le_bytes(*lengths.first_chunk().ok_or_else(cut)?), 12),
            _ => return Err(bad(format!("its version {version} is unknown (1 to 3 are known)"))),
        };
        let length = length as usize;
        if length > LONGEST {
            let claimed = units::bytes(length as u64);
            return Err(bad(format!("it claims {claimed}; numpy reads at most 10,000")));
        }
        let begin = before + length;
        let text = bytes.get(before..begin).ok_or_else(cut)?;
        let text = std::str::from_utf8(text).map_err(|_| bad("it is no text".into()))?;
        Header::parse(text, begin)
    }

    fn parse(text: &str, begin: usize) -> Read<Header> {
        let unclear = || bad("it cannot be understood".into());
        let value = |key: &str| -> Read<&str> {
            let quoted = |quote: char| text.split_once(&format!("{quote}{key}{quote}"));
            let (_, behind) = quoted('\'').or_else(|| quoted('"')).ok_or_else(unclear)?;
            Ok(behind.trim_start().strip_prefix(':').ok_or_else(unclear)?.trim_start())
        };
        let described = value("descr")?;
        let quote = described.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let Some(quote) = quote else {
            return Err(Stop::file(Flaw::ElementType { found: "records".into() }));
        };
        let described = described[1..].split_once(quote).ok_or_else(unclear)?.0.to_owned();
        let order = value("fortran_order")?;
        let is_fortran = order.starts_with("True");
        if !is_fortran && !order.starts_with("False") {
            return Err(unclear());
        }
        let shape = value("shape")?.strip_prefix('(').ok_or_else(unclear)?;
        let shape = shape.split_once(')').ok_or_else(unclear)?.0.split(',').map(str::trim);
        let shape = shape.filter(|length| !length.is_empty());
        let shape = shape.map(|length| length.trim_end_matches('L').parse().ok());
        let shape = shape.collect::<Option<Vec<u64>>>().ok_or_else(unclear)?;
        Ok(Header { described, is_fortran, shape, begin })
    }

    /// The array of these values, in a file of `there` bytes. `name` is for messages.
    pub(super) fn array(&self, name: &str, there: usize) -> Read<Array> {
        let &[rows, columns] = self.shape.as_slice() else {
            let (name, dimensions) = (name.to_owned(), self.shape.len());
            return Err(Stop::file(Flaw::NotTwo { name, dimensions }));
        };
        let element_type = match self.described.as_str() {
            "<f2" => ElementType::F16,
            "<f4" => ElementType::F32,
            "<f8" => ElementType::F64,
            other => {
                let found = match other.starts_with(">f") {
                    true => "big-endian values".into(),
                    false => format!("values of dtype \"{}\"", other.escape_default()),
                };
                return Err(Stop::file(Flaw::ElementType { found }));
            }
        };
        let array = Array::new(rows, columns, element_type, self.begin, there)?;
        if array.range.end < there {
            let more = units::bytes((there - array.range.end) as u64);
            let reason = format!("{more} follow behind its array");
            return Err(Stop::byte(array.range.end, Flaw::Damaged { reason }));
        }
        Ok(array)
    }

    /// Whether the values lie column after column.
    pub(super) fn is_fortran(&self, array: &Array) -> bool {
        self.is_fortran && array.shape.num_items > 1 && array.shape.dim > 1
    }
}

fn bad(reason: String) -> Stop {
    Stop::file(Flaw::BadHeader { reason })
}

/// Reads a file that begins with [`MAGIC`].
pub(super) fn read(map: Mmap) -> Read<Contents> {
    let header = Header::read(&map)?;
    let array = header.array("of the file", map.len())?;
    let values = match header.is_fortran(&array) {
        true => Values::transposed(&map[array.range.clone()], &array)?,
        false => Values::mapped(map, array)?,
    };
    Ok(Contents { values, ids: None })
}
