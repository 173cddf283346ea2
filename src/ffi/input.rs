//! What several groups of calls take, as what the safe code takes.

use std::sync::Arc;

use libc::c_char;

use super::ids::GivenIds;
use super::pointers::In;
use super::status::{CallError, Result};
use super::structs::{Options, Struct};
use super::types::{vkd_check_options, vkd_flags};
use crate::corpus::{Elements, Input, Shape, ZeroRows};
use crate::error::Error;
use crate::ids::Ids;
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

/// Embeddings at hand, which a file of results is compared with.
pub(super) struct Given<'a> {
    pub(super) elements: Elements<'a>,
    pub(super) shape: Shape,
    pub(super) ids: Option<Arc<Ids>>,
}

impl<'a> Given<'a> {
    pub(super) fn new(
        embeddings: Embeddings<'a>,
        options: &Options<'a, vkd_check_options>,
    ) -> Result<Given<'a>> {
        check_flags::<vkd_check_options>(options.flags, &[])?;
        check_reserved(options.reserved)?;
        let elements = embeddings.elements(options.element_type)?;
        let shape = embeddings.shape;
        let texts = options.member(|o| o.ids, "ids");
        let ids = GivenIds { texts, of: options.member(|o| o.ids_of, "ids_of") };
        let ids = ids.ids(shape.num_items)?;
        Ok(Given { elements, shape, ids })
    }
}

/// What the options of a run say of the file that it writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) path: In<'a, c_char>,
    pub(super) flags: u32,
    /// The ids of the items.
    pub(super) ids: GivenIds<'a>,
}

impl Target<'_> {
    /// The file that a run over so many items writes, if it does.
    pub(super) fn file(self, num_items: u32) -> Result<Option<OutputFile>> {
        let overwrite = has(self.flags, vkd_flags::VKD_OVERWRITE);
        match self.path.optional_path()? {
            Some(path) => {
                let ids = self.ids.ids(num_items)?;
                Ok(Some(OutputFile { path, overwrite, ids }))
            }
            None if overwrite => {
                Err(bad("flags", self.flags, "VKD_OVERWRITE needs an output_path"))
            }
            None if !self.ids.is_null() => {
                let allowed = "they go into the file at output_path: name one, or leave them NULL";
                let (got, allowed) = ("set".into(), allowed.into());
                Err(Error::BadOption { option: "ids", got, allowed }.into())
            }
            None => Ok(None),
        }
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

/// Checks the count of an array with a value for each item, before any is read.
pub(super) fn check_one_each(name: &'static str, count: u32, num_items: u32) -> Result<()> {
    if count == num_items {
        return Ok(());
    }
    let allowed = format!("there must be one for each of the {num_items} items");
    Err(Error::BadOption { option: name, got: count.to_string(), allowed }.into())
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
