//! What several groups of calls take, as what the safe code takes.

use libc::c_char;

use super::pointers::In;
use super::status::{CallError, Result};
use super::structs::Struct;
use super::types::vkd_flags;
use crate::corpus::{Elements, Input, Shape, ZeroRows};
use crate::error::Error;
use crate::store::OutputFile;

/// Embeddings, of which type and how many, as C passes them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Embeddings<'a> {
    pub(super) values: In<'a, f32>,
    pub(super) shape: Shape,
}

impl<'a> Embeddings<'a> {
    pub(super) fn new(values: In<'a, f32>, num_items: u32, dim: u32) -> Embeddings<'a> {
        Embeddings { values, shape: Shape::new(num_items, dim) }
    }

    /// The values as what `element_type` says they are.
    pub(super) fn elements(self, element_type: u32) -> Result<Elements<'a>> {
        let (values, len) = (self.values.required()?, self.shape.values());
        self.shape.check()?;
        Ok(match element_type {
            0 => Elements::F32(values.array(len)?),
            1 => Elements::F16(values.cast().array(len)?),
            2 => Elements::F64(values.cast().array(len)?),
            other => return Err(bad("element_type", other, "use one of vkd_element_type")),
        })
    }

    /// The input of a run with these flags.
    pub(super) fn input(self, element_type: u32, flags: u32) -> Result<Input<'a>> {
        let elements = self.elements(element_type)?;
        let Shape { num_items, dim } = self.shape;
        let center = has(flags, vkd_flags::VKD_CENTER);
        let zero_rows = match has(flags, vkd_flags::VKD_ZERO_ROWS) {
            true => ZeroRows::Admit,
            false => ZeroRows::Refuse,
        };
        Ok(Input { center, zero_rows, ..Input::new(elements, num_items, dim) })
    }
}

/// Whether a flag is set.
pub(super) fn has(flags: u32, flag: vkd_flags) -> bool {
    flags & flag as u32 != 0
}

/// The file that a run writes, if it does.
pub(super) fn target(output_path: In<c_char>, flags: u32) -> Result<Option<OutputFile>> {
    let overwrite = has(flags, vkd_flags::VKD_OVERWRITE);
    match output_path.optional_path()? {
        Some(path) => Ok(Some(OutputFile { path, overwrite })),
        None if overwrite => Err(bad("flags", flags, "VKD_OVERWRITE needs an output_path")),
        None => Ok(None),
    }
}

/// Checks that no other than the known flags are set.
pub(super) fn check_flags<T: Struct>(got: u32, known: &[vkd_flags]) -> Result<()> {
    check_flags_of(T::NAME, got, known)
}

/// The same of the parameter flags of a function.
pub(super) fn check_flags_of(name: &'static str, got: u32, known: &[vkd_flags]) -> Result<()> {
    let known = known.iter().fold(0, |bits, &flag| bits | flag as u32);
    match got & !known {
        0 => Ok(()),
        _ => Err(CallError::UnknownFlags { name, got, known }),
    }
}

/// Checks a field that a later version may use.
pub(super) fn check_reserved(reserved: u32) -> Result<()> {
    check_unused("reserved", reserved)
}

/// The same of a field with another name.
pub(super) fn check_unused(name: &'static str, value: u32) -> Result<()> {
    match value {
        0 => Ok(()),
        other => Err(bad(name, other, "it must be 0")),
    }
}

/// Checks an element type where there are no elements yet.
pub(super) fn check_element_type(element_type: u32) -> Result<()> {
    match element_type {
        0..=2 => Ok(()),
        other => Err(bad("element_type", other, "use one of vkd_element_type")),
    }
}

/// The most threads that a caller can ask for.
pub(super) fn check_threads(threads: u32) -> Result<()> {
    match threads {
        0..=4096 => Ok(()),
        more => Err(bad("threads", more, "it can be at most 4,096")),
    }
}

pub(super) fn bad(option: &'static str, got: u32, allowed: &str) -> CallError {
    Error::BadOption { option, got: got.to_string(), allowed: allowed.into() }.into()
}
