//! safetensors: a header of JSON that says where each tensor lies, and the tensors.
//!
//! Ids lie in two tensors of their own: `ids`, the bytes of all, and `id_ends`, where each ends.
//! `write` makes such files.

use std::collections::BTreeMap;
use std::ops::Range;

use half::bf16;
use memmap2::Mmap;
use safetensors::tensor::{Dtype, TensorInfo};
use serde_json::Value;

use super::matrix::Matrix;
use super::npz::{list, no_array};
use super::options::{ElementType, OpenOptions};
use super::stop::{Read, Stop};
use super::values::{shape_of, Array, Contents, Values};
use crate::flaw::Flaw;
use crate::ids::IdList;
use crate::memory::{copied, room};

/// The tensors of ids.
pub(super) const IDS: &str = "ids";
pub(super) const ID_ENDS: &str = "id_ends";

/// Bytes of a header at the most, as the format has it.
const LONGEST: u64 = 100_000_000;

/// A tensor, with its place in the file.
struct Tensor {
    dtype: Dtype,
    shape: Vec<u64>,
    range: Range<usize>,
}

/// Reads the file in `map`.
pub(super) fn read(map: Mmap, options: &OpenOptions) -> Read<Contents> {
    let tensors = tensors(&map)?;
    let name = choose(&tensors, options)?;
    let tensor = &tensors[&name];
    let &[rows, columns] = tensor.shape.as_slice() else {
        let dimensions = tensor.shape.len();
        return Err(Stop::file(Flaw::NotTwo { name: format!("\"{name}\""), dimensions }));
    };
    let ids = ids(&map, &tensors)?;
    let element_type = match tensor.dtype {
        Dtype::F16 => ElementType::F16,
        Dtype::F32 => ElementType::F32,
        Dtype::F64 => ElementType::F64,
        Dtype::BF16 => {
            let values = widened(&map[tensor.range.clone()], rows, columns)?;
            return Ok(Contents { values, ids });
        }
        other => {
            return Err(Stop::file(Flaw::ElementType { found: format!("values of type {other}") }))
        }
    };
    let Range { start, end } = tensor.range;
    let array = Array::new(rows, columns, element_type, start, end)?;
    Ok(Contents { values: Values::mapped(map, array)?, ids })
}

/// All tensors that the header names.
fn tensors(bytes: &[u8]) -> Read<BTreeMap<String, Tensor>> {
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    let there = bytes.len() as u64 - 8;
    if length > there {
        let flaw = Flaw::Cut { what: "its header", needed: length, there };
        return Err(Stop::file(flaw));
    }
    let bad = |reason: String| Stop::file(Flaw::BadHeader { reason });
    if length > LONGEST {
        return Err(bad("it is longer than 100 MB".into()));
    }
    let begin = length as usize + 8;
    let header: BTreeMap<String, Value> =
        serde_json::from_slice(&bytes[8..begin]).map_err(|error| bad(error.to_string()))?;
    let described = header.into_iter().filter(|(name, _)| name != "__metadata__");
    described.map(|(name, value)| Ok((name, tensor(value, begin, bytes.len())?))).collect()
}

/// The tensor that an entry of the header describes.
fn tensor(value: Value, begin: usize, there: usize) -> Read<Tensor> {
    let bad = |reason: String| Stop::file(Flaw::BadHeader { reason });
    let info: TensorInfo = serde_json::from_value(value).map_err(|error| bad(error.to_string()))?;
    let shape: Vec<u64> = info.shape.iter().map(|&length| length as u64).collect();
    let values = shape.iter().try_fold(1_u64, |values, &length| values.checked_mul(length));
    let bytes = values.and_then(|values| values.checked_mul(info.dtype.bitsize() as u64));
    let (first, last) = info.data_offsets;
    let fits = bytes.is_some_and(|bits| last.checked_sub(first) == Some((bits / 8) as usize));
    if !fits {
        return Err(bad("a tensor has another size than its shape says".into()));
    }
    match last.checked_add(begin).filter(|&end| end <= there) {
        Some(end) => Ok(Tensor { dtype: info.dtype, shape, range: begin + first..end }),
        None => {
            let (needed, there) = (last as u64, (there - begin) as u64);
            Err(Stop::file(Flaw::Cut { what: "its tensors", needed, there }))
        }
    }
}

/// The name of the tensor that is wanted, or of the only one of two dimensions.
fn choose(tensors: &BTreeMap<String, Tensor>, options: &OpenOptions) -> Read<String> {
    let mut matrices = tensors.iter().filter(|(_, tensor)| tensor.shape.len() == 2);
    let found = match (&options.array, matrices.next(), matrices.next()) {
        (Some(wanted), ..) => tensors.get_key_value(wanted).map(|(name, _)| name),
        (None, Some((name, _)), None) => Some(name),
        _ => None,
    };
    let there = || list(tensors.iter().map(|(name, tensor)| (name.as_str(), &tensor.shape[..])));
    found.cloned().ok_or_else(|| Stop::file(no_array(options.array.as_deref(), there())))
}

/// The ids of the file, if it has any as vkd writes them.
fn ids(bytes: &[u8], tensors: &BTreeMap<String, Tensor>) -> Read<Option<IdList>> {
    let (Some(text), Some(ends)) = (tensors.get(IDS), tensors.get(ID_ENDS)) else {
        return Ok(None);
    };
    if (text.dtype, ends.dtype) != (Dtype::U8, Dtype::U64) {
        return Ok(None);
    }
    let text = copied(&bytes[text.range.clone()], "the ids")?;
    let text = String::from_utf8(text).map_err(|_| Stop::file(Flaw::NotUtf8 { what: "an id" }))?;
    let eights = bytes[ends.range.clone()].as_chunks::<8>().0;
    let mut all = room::<u64>(eights.len(), "the ids")?;
    all.extend(eights.iter().map(|eight| u64::from_le_bytes(*eight)));
    let is_end = |&end: &u64| usize::try_from(end).is_ok_and(|end| text.is_char_boundary(end));
    let fits = all.is_sorted() && all.iter().all(is_end);
    match fits && all.last().copied().unwrap_or(0) == text.len() as u64 {
        true => Ok(Some(IdList::of(text, all))),
        false => Err(Stop::file(Flaw::Damaged { reason: "its ids do not fit their ends".into() })),
    }
}

/// Values of 16 bits with the exponents of f32, as f32.
fn widened(bytes: &[u8], rows: u64, columns: u64) -> Read<Values> {
    let shape = shape_of(rows, columns)?;
    let mut matrix = Matrix::default();
    matrix.expect(shape.values())?;
    for row in bytes.chunks_exact(shape.dim as usize * 2) {
        for two in row.as_chunks::<2>().0 {
            matrix.push(bf16::from_le_bytes(*two).to_f32())?;
        }
        matrix.end_row().map_err(Stop::file)?;
    }
    Ok(Values::parsed(matrix))
}
