//! word2vec's binary files: a line with the number of items and of dimensions, then for each item
//! its id, a blank and its values as little-endian 32-bit floats; some end each with a newline.

use super::matrix::Matrix;
use super::stop::{Read, Stop};
use super::values::{Contents, Values};
use super::vectors::push_floats;
use super::words::Header;
use crate::flaw::Flaw;
use crate::ids::IdList;

/// Bytes behind an id that tell text from values.
const LOOK: usize = 32;

/// Whether floats, and no text, stand behind the first id.
pub(super) fn is_binary(bytes: &[u8], header: &Header) -> bool {
    let rest = &bytes[header.end..];
    let Some(blank) = rest.iter().position(|&byte| byte == b' ') else { return false };
    let values = &rest[blank + 1..];
    let most = usize::try_from(header.dim.saturating_mul(4)).unwrap_or(usize::MAX);
    let values = &values[..values.len().min(LOOK).min(most)];
    let line = values.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let is_text = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-. \t\r".contains(byte);
    !line.iter().all(is_text) || (line.is_empty() && !values.is_empty())
}

/// Reads the items behind `header`.
pub(super) fn read(bytes: &[u8], header: &Header) -> Read<Contents> {
    let shape = header.shape(4, bytes.len() - header.end)?;
    let (mut matrix, mut ids) = (Matrix::default(), IdList::default());
    matrix.expect(shape.values())?;
    let mut at = header.end;
    for _ in 0..shape.num_items {
        let rest = &bytes[at..];
        let ends = |within| Stop::byte(bytes.len(), Flaw::Ends { within });
        let newlines = rest.iter().take_while(|&&byte| byte == b'\n').count();
        let rest = &rest[newlines..];
        let blank = rest.iter().position(|&byte| byte == b' ').ok_or_else(|| ends("an id"))?;
        let id = std::str::from_utf8(&rest[..blank]);
        let flaw = || Flaw::NotUtf8 { what: "an id" };
        ids.push(id.map_err(|_| Stop::byte(at, flaw()))?)?;
        let begin = at + newlines + blank + 1;
        at = begin + shape.dim as usize * 4;
        let row = bytes.get(begin..at).ok_or_else(|| ends("a row"))?;
        push_floats(&mut matrix, row, begin)?;
        matrix.end_row().map_err(|flaw| Stop::byte(begin, flaw))?;
    }
    if bytes[at..].iter().any(|byte| !byte.is_ascii_whitespace()) {
        let reason = "more follows behind the last item of its header".into();
        return Err(Stop::byte(at, Flaw::Damaged { reason }));
    }
    Ok(Contents { values: Values::parsed(matrix), ids: Some(ids) })
}
