//! fvecs, where each row stands behind its number of dimensions; and files of values alone.

use memmap2::Mmap;

use super::matrix::Matrix;
use super::options::RawValues;
use super::stop::{Read, Stop};
use super::values::{shape_of, Array, Contents, Values};
use crate::corpus::MAX_DIM;
use crate::error::Error;
use crate::flaw::Flaw;

/// The number of dimensions before the row that begins at byte `begin`, if there can be so many.
fn dim_at(bytes: &[u8], begin: usize) -> Option<u32> {
    let dim = bytes.get(begin..)?.first_chunk::<4>().map(|four| u32::from_le_bytes(*four))?;
    (1..=MAX_DIM).contains(&dim).then_some(dim)
}

/// Whether `bytes` are likely fvecs: the second row is as long as the first, or there is only one.
pub(super) fn is_fvecs(bytes: &[u8]) -> bool {
    dim_at(bytes, 0).is_some_and(|dim| {
        let next = 4 + dim as usize * 4;
        bytes.len() == next || dim_at(bytes, next) == Some(dim)
    })
}

/// Reads fvecs.
pub(super) fn read_fvecs(bytes: &[u8]) -> Read<Contents> {
    let mut matrix = Matrix::default();
    // All but the numbers of dimensions.
    let dim = dim_at(bytes, 0).ok_or_else(|| Stop::file(Flaw::Empty))?;
    matrix.expect(bytes.len() as u64 / (u64::from(dim) + 1) / 4 * u64::from(dim))?;
    let mut at = 0;
    while at < bytes.len() {
        let ends = || Stop::byte(bytes.len(), Flaw::Ends { within: "a row" });
        let four = bytes[at..].first_chunk::<4>().ok_or_else(ends)?;
        let here = u32::from_le_bytes(*four);
        if here != dim {
            let (item, length) = (matrix.item(), here.into());
            return Err(Stop::byte(at, Flaw::Ragged { item, length, dim }));
        }
        let begin = at + 4;
        at = begin + dim as usize * 4;
        push_floats(&mut matrix, bytes.get(begin..at).ok_or_else(ends)?, begin)?;
        matrix.end_row().map_err(|flaw| Stop::byte(begin, flaw))?;
    }
    Ok(Contents { values: Values::parsed(matrix), ids: None })
}

/// Adds the little-endian floats of a row, which begins at byte `begin` of the file.
pub(super) fn push_floats(matrix: &mut Matrix, row: &[u8], begin: usize) -> Read<()> {
    for (place, four) in row.as_chunks::<4>().0.iter().enumerate() {
        let value = f32::from_le_bytes(*four);
        if !value.is_finite() {
            let (item, dimension) = (matrix.item(), matrix.dimension());
            let flaw = Flaw::NotFinite { item, dimension, value: value.to_string() };
            return Err(Stop::byte(begin + place * 4, flaw));
        }
        matrix.push(value)?;
    }
    Ok(())
}

/// Takes a file of values alone.
pub(super) fn read_raw(map: Mmap, raw: RawValues) -> Read<Contents> {
    let RawValues { element_type, dim } = raw;
    let row = u64::from(dim) * element_type.bytes();
    let there = map.len() as u64;
    if row == 0 {
        return Err(Error::ZeroSize { name: "dim" }.into());
    }
    shape_of(1, dim.into())?;
    let rows = there / row;
    if rows * row != there {
        let needed = (rows + 1) * row;
        return Err(Stop::file(Flaw::Cut { what: "a whole number of rows", needed, there }));
    }
    let array = Array::new(rows, dim.into(), element_type, 0, map.len())?;
    Ok(Contents { values: Values::mapped(map, array)?, ids: None })
}
