//! Opening a file of embeddings: whatever its format, values with their shape, and ids.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

use super::format::Format;
use super::options::OpenOptions;
use super::stop::{Read, Stop};
use super::values::{Contents, Values};
use super::{binary_words, json, npy, npz, tensors, text, vectors, words};
use crate::corpus::{Elements, Input, Shape};
use crate::error::Result;
use crate::flaw::Flaw;
use crate::ids::{IdList, Ids};
use crate::store::map;

/// Embeddings of a file, with the ids of the items if they have any.
#[derive(Debug)]
pub struct Embeddings {
    path: PathBuf,
    format: &'static str,
    values: Values,
    /// Shared with the files of results that they go into.
    ids: Option<Arc<Ids>>,
}

impl Embeddings {
    /// Opens a file of embeddings. Its format is told by what it holds.
    ///
    /// npy, safetensors, stored npz and raw values stay where they are: the file is mapped, and
    /// nobody may cut it short or write into it while this lives. Their values are looked at when a
    /// run begins; all other formats are read at once, and a value that is not finite is an error
    /// here.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Embeddings> {
        let Some(map) = map::open_any(path)? else {
            return Err(Stop::file(Flaw::Empty).at(path, &[]));
        };
        let format = match options.raw {
            Some(_) => "raw values",
            None => Format::of(&map).map_or("", |format| format.name()),
        };
        let mut contents = read(map, options).map_err(|failed| failed.at(path))?;
        let named = options.ids.as_deref().map(|ids| read_ids(ids, contents.values.shape));
        let ids = match named.transpose()? {
            Some(ids) => Some(ids),
            None => {
                let list = contents.ids.take();
                let finish = |list: IdList| list.finish(contents.values.shape.num_items);
                list.map(finish).transpose().map_err(|fault| Stop::from(fault).at(path, &[]))?
            }
        };
        let (path, ids) = (path.to_owned(), ids.map(Arc::new));
        Ok(Embeddings { path, format, values: contents.values, ids })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the file's format.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// Items and dimensions.
    pub fn shape(&self) -> Shape {
        self.values.shape
    }

    /// All values, row after row.
    pub fn elements(&self) -> Elements<'_> {
        self.values.elements()
    }

    /// What a run takes.
    pub fn input(&self) -> Input<'_> {
        let Shape { num_items, dim } = self.shape();
        Input::new(self.elements(), num_items, dim)
    }

    /// The ids of the items, if there are any; `cloned` they go into an `OutputFile`.
    pub fn ids(&self) -> Option<&Arc<Ids>> {
        self.ids.as_ref()
    }

    /// The id of an item.
    pub fn id(&self, item: u32) -> Option<&str> {
        self.ids.as_ref()?.get(item)
    }

    /// The item that has the id.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.ids.as_ref()?.find(id)
    }
}

/// Why a file was not read, with the map for the place of it.
struct Failed {
    stop: Stop,
    map: Option<Mmap>,
}

impl Failed {
    fn at(self, path: &Path) -> crate::error::Error {
        self.stop.at(path, self.map.as_deref().unwrap_or_default())
    }
}

/// Reads a file by its format.
fn read(map: Mmap, options: &OpenOptions) -> std::result::Result<Contents, Failed> {
    // These keep the map.
    let gone = |stop| Failed { stop, map: None };
    if let Some(raw) = options.raw {
        return vectors::read_raw(map, raw).map_err(gone);
    }
    let read = match Format::of(&map) {
        Some(Format::Npy) => return npy::read(map).map_err(gone),
        Some(Format::Npz) => return npz::read(map, options).map_err(gone),
        Some(Format::Tensors) => return tensors::read(map, options).map_err(gone),
        Some(Format::Json(begin)) => json::read(&map, begin, options),
        Some(Format::Words(begin)) => words::read(&map, begin),
        Some(Format::BinaryWords(header)) => binary_words::read(&map, &header),
        Some(Format::Fvecs) => vectors::read_fvecs(&map),
        None => Err(Stop::file(Flaw::UnknownFormat { begins: text::shown(&map) })),
    };
    read.map_err(|stop| Failed { stop, map: Some(map) })
}

/// Reads a text file of one id on each line.
fn read_ids(path: &Path, shape: Shape) -> Result<Ids> {
    let map = map::open_any(path)?;
    let bytes = map.as_deref().unwrap_or_default();
    let ids = lines(bytes).and_then(|list| Ok(list.finish(shape.num_items)?));
    ids.map_err(|stop| stop.at(path, bytes))
}

fn lines(bytes: &[u8]) -> Read<IdList> {
    let mut list = IdList::default();
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while at < bytes.len() {
        let rest = &bytes[at..];
        let line = &rest[..rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())];
        let id = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line));
        let flaw = || Flaw::NotUtf8 { what: "an id" };
        list.push(id.map_err(|_| Stop::text(at, flaw()))?)?;
        at += line.len() + 1;
    }
    Ok(list)
}
