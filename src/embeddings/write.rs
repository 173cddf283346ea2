//! Embeddings as a file that is mapped when it is opened the next time.
//!
//! safetensors hold the ids, too; npy the values alone. A file gets its name when it is whole. Only
//! a safetensors file of embeddings that vkd wrote is replaced: an npy file has no room to say who
//! wrote it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde_json::json;

use super::open::Embeddings;
use super::tensors::{IDS, ID_ENDS};
use crate::corpus::{Elements, Input, Shape};
use crate::error::Result;
use crate::ids::Ids;
use crate::progress::Progress;
use crate::store::partial::PartialFile;
use crate::store::{Family, OutputFile, OutputPlace};

/// Bytes that are written at once.
const BLOCK: usize = 1 << 24;

/// Formats to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveAs {
    /// Values and ids.
    Safetensors,
    /// Values alone.
    Npy,
}

impl Embeddings {
    /// Writes the embeddings in another format, in the element type that they have.
    pub fn write(&self, file: &OutputFile, format: SaveAs) -> Result<()> {
        self.bytes(format).write(file)
    }

    /// Writes them to something else than a file of its own, such as standard output.
    pub fn write_to(&self, to: &mut impl Write, format: SaveAs) -> io::Result<()> {
        self.bytes(format).parts().into_iter().try_for_each(|part| to.write_all(part))
    }

    fn bytes(&self, format: SaveAs) -> Written<'_> {
        let (shape, elements) = (self.shape(), self.elements());
        let ids = self.ids().map(Arc::as_ref).filter(|_| format == SaveAs::Safetensors);
        let head = match format {
            SaveAs::Safetensors => safetensors_head(shape, &elements, ids),
            SaveAs::Npy => npy_head(shape, &elements),
        };
        Written { head, elements, ids }
    }
}

/// Writes values as an npy file: rows of `shape.dim` each. A file that is there is not replaced.
pub fn write_npy(file: &OutputFile, elements: Elements, shape: Shape) -> Result<()> {
    let input = Input::new(elements, shape.num_items, shape.dim);
    input.check_count()?;
    Written { head: npy_head(shape, &elements), elements, ids: None }.write(file)
}

/// A file's bytes, part by part.
struct Written<'a> {
    head: Vec<u8>,
    elements: Elements<'a>,
    ids: Option<&'a Ids>,
}

impl Written<'_> {
    fn parts(&self) -> Vec<&[u8]> {
        let values = bytes_of(&self.elements);
        let mut parts = vec![&*self.head, values];
        if let Some(ids) = self.ids {
            parts.push(&[0; 8][..padded(values.len()) - values.len()]);
            parts.extend([bytemuck::cast_slice(ids.ends()), ids.text().as_bytes()]);
        }
        parts
    }

    fn write(&self, file: &OutputFile) -> Result<()> {
        let place = OutputPlace::new(file, Family::Embeddings, &Progress::default())?;
        let partial = place.hold_new()?;
        partial.begin_anew()?;
        self.parts().into_iter().try_for_each(|part| put(&partial, part))?;
        partial.publish()
    }
}

fn put(partial: &PartialFile, bytes: &[u8]) -> Result<()> {
    for block in bytes.chunks(BLOCK) {
        partial.with("write", block.len() as u64, |mut file| file.write_all(block))?;
    }
    Ok(())
}

/// The values as they lie in memory, which is how files have them.
fn bytes_of<'a>(elements: &Elements<'a>) -> &'a [u8] {
    match elements {
        Elements::F32(values) => bytemuck::cast_slice(values),
        Elements::F64(values) => bytemuck::cast_slice(values),
        Elements::F16(values) => {
            bytemuck::cast_slice(half::slice::HalfFloatSliceExt::reinterpret_cast(*values))
        }
    }
}

/// So many bytes and those behind them up to a multiple of 8.
fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(8)
}

fn safetensors_head(shape: Shape, elements: &Elements, ids: Option<&Ids>) -> Vec<u8> {
    let dtype = match elements {
        Elements::F16(_) => "F16",
        Elements::F32(_) => "F32",
        Elements::F64(_) => "F64",
    };
    let metadata = json!({ "format": "vkd embeddings 1" });
    let tensor = |dtype: &str, shape: &[u64], begin: usize, end: usize| {
        let data_offsets = [begin, end];
        json!({ "dtype": dtype, "shape": shape, "data_offsets": data_offsets })
    };
    // A BTreeMap writes its keys in order, so equal contents give equal bytes.
    let mut header = BTreeMap::from([("__metadata__", metadata)]);
    let (rows, columns) = (shape.num_items.into(), shape.dim.into());
    let values = bytes_of(elements).len();
    header.insert("embeddings", tensor(dtype, &[rows, columns], 0, values));
    if let Some(ids) = ids {
        // Tensors lie one behind the other: what fills the gap before the ends is one, too.
        let (begin, text) = (padded(values), ids.text().len());
        let ends = begin + ids.len() * 8;
        if begin > values {
            header.insert("padding", tensor("U8", &[(begin - values) as u64], values, begin));
        }
        header.insert(ID_ENDS, tensor("U64", &[ids.len() as u64], begin, ends));
        header.insert(IDS, tensor("U8", &[text as u64], ends, ends + text));
    }
    let mut text = serde_json::to_string(&header).unwrap_or_default().into_bytes();
    text.resize(padded(text.len()), b' ');
    [&(text.len() as u64).to_le_bytes()[..], &text].concat()
}

fn npy_head(shape: Shape, elements: &Elements) -> Vec<u8> {
    let described = match elements {
        Elements::F16(_) => "<f2",
        Elements::F32(_) => "<f4",
        Elements::F64(_) => "<f8",
    };
    let Shape { num_items, dim } = shape;
    let mut text = format!(
        "{{'descr': '{described}', 'fortran_order': False, 'shape': ({num_items}, {dim}), }}"
    );
    // The values begin at a multiple of 64, behind a newline.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, text.as_bytes()].concat()
}
