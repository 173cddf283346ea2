//! The values of a file: left in the mapped file, or in memory of their own.

use std::ops::Range;

use half::slice::HalfBitsSliceExt;
use memmap2::Mmap;

use super::matrix::Matrix;
use super::options::ElementType;
use super::stop::{Read, Stop};
use crate::corpus::{Elements, Shape, MAX_DIM};
use crate::flaw::Flaw;
use crate::ids::IdList;
use crate::memory::zeroed_of;

/// Values with their shape.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) shape: Shape,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// A part of a file.
    Mapped { map: Mmap, range: Range<usize>, element_type: ElementType },
    /// A part of memory that is aligned for every type.
    Words { words: Vec<u64>, range: Range<usize>, element_type: ElementType },
    /// What was parsed.
    Parsed(Vec<f32>),
}

/// What a reader found: the values, and the ids if the file has any.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) values: Values,
    pub(super) ids: Option<IdList>,
}

/// An array in the bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Array {
    pub(super) shape: Shape,
    pub(super) element_type: ElementType,
    pub(super) range: Range<usize>,
}

impl Array {
    /// An array of `rows` x `columns` values that begin at byte `begin` of `there`.
    pub(super) fn new(
        rows: u64,
        columns: u64,
        element_type: ElementType,
        begin: usize,
        there: usize,
    ) -> Read<Array> {
        let shape = shape_of(rows, columns)?;
        let needed = shape.values().saturating_mul(element_type.bytes());
        let there = there.saturating_sub(begin);
        match usize::try_from(needed).ok().filter(|&needed| needed <= there) {
            Some(needed) => Ok(Array { shape, element_type, range: begin..begin + needed }),
            None => {
                let flaw = Flaw::Cut { what: "its array", needed, there: there as u64 };
                Err(Stop::file(flaw))
            }
        }
    }
}

/// A shape of so many items and dimensions, if there can be one.
pub(super) fn shape_of(rows: u64, columns: u64) -> Read<Shape> {
    let num_items = u32::try_from(rows).map_err(|_| Stop::file(Flaw::TooManyItems))?;
    if num_items == 0 || columns == 0 {
        return Err(Stop::file(Flaw::Empty));
    }
    match u32::try_from(columns).ok().filter(|&dim| dim <= MAX_DIM) {
        Some(dim) => Ok(Shape::new(num_items, dim)),
        None => Err(Stop::file(Flaw::DimTooLarge { dim: columns, limit: MAX_DIM })),
    }
}

impl Values {
    /// The values of `array`, which lie in the file, or a copy where they are not aligned there.
    pub(super) fn mapped(map: Mmap, array: Array) -> Read<Values> {
        let Array { shape, element_type, range } = array;
        let bytes = &map[range.clone()];
        if bytes.as_ptr().align_offset(element_type.bytes() as usize) == 0 {
            return Ok(Values { shape, held: Held::Mapped { map, range, element_type } });
        }
        let (mut words, len) = (words_for(bytes.len() as u64)?, bytes.len());
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..len].copy_from_slice(bytes);
        Ok(Values { shape, held: Held::Words { words, range: 0..len, element_type } })
    }

    /// The values of `array`, which lie in `words`.
    pub(super) fn in_words(words: Vec<u64>, array: Array) -> Read<Values> {
        let Array { shape, element_type, range } = array;
        if range.start % element_type.bytes() as usize == 0 {
            return Ok(Values { shape, held: Held::Words { words, range, element_type } });
        }
        let (mut moved, len) = (words, range.len());
        bytemuck::cast_slice_mut::<u64, u8>(&mut moved).copy_within(range, 0);
        Ok(Values { shape, held: Held::Words { words: moved, range: 0..len, element_type } })
    }

    /// What was parsed.
    pub(super) fn parsed(matrix: Matrix) -> Values {
        Values { shape: matrix.shape(), held: Held::Parsed(matrix.into_values()) }
    }

    /// The rows of what lies column after column, in memory of their own.
    pub(super) fn transposed(bytes: &[u8], array: &Array) -> Read<Values> {
        let Array { shape, element_type, .. } = *array;
        let (mut words, size) = (words_for(bytes.len() as u64)?, element_type.bytes() as usize);
        let rows: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let (num_items, dim) = (shape.num_items as usize, shape.dim as usize);
        for (item, row) in rows[..bytes.len()].chunks_exact_mut(dim * size).enumerate() {
            for (dimension, value) in row.chunks_exact_mut(size).enumerate() {
                let from = (dimension * num_items + item) * size;
                value.copy_from_slice(&bytes[from..from + size]);
            }
        }
        Ok(Values { shape, held: Held::Words { words, range: 0..bytes.len(), element_type } })
    }

    /// Row after row.
    pub(super) fn elements(&self) -> Elements<'_> {
        let (bytes, element_type) = match &self.held {
            Held::Parsed(values) => return Elements::F32(values),
            Held::Mapped { map, range, element_type } => (&map[range.clone()], element_type),
            Held::Words { words, range, element_type } => {
                (&bytemuck::cast_slice::<u64, u8>(words)[range.clone()], element_type)
            }
        };
        // Aligned, as was checked above.
        match element_type {
            ElementType::F16 => {
                Elements::F16(bytemuck::cast_slice::<u8, u16>(bytes).reinterpret_cast())
            }
            ElementType::F32 => Elements::F32(bytemuck::cast_slice(bytes)),
            ElementType::F64 => Elements::F64(bytemuck::cast_slice(bytes)),
        }
    }
}

/// Memory for `bytes` bytes, aligned for every type.
pub(super) fn words_for(bytes: u64) -> Read<Vec<u64>> {
    Ok(zeroed_of(bytes.div_ceil(8), "the embeddings")?)
}
