//! The file of the rankings, while it grows.
//!
//! It grows in the order of the rows, whatever the order in which they come: a row that is early
//! waits in memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::store::errors::file_error;
use crate::store::partial::{self, partial_path};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

pub(super) struct Rankings {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    /// The row that comes next.
    next: u32,
    waiting: BTreeMap<u32, Vec<u8>>,
    bytes: u64,
    finished: bool,
}

impl Rankings {
    /// Begins the file with `text`.
    pub(super) fn begin(path: &Path, text: &[u8]) -> Result<Rankings> {
        let partial = partial_path(path);
        let file = partial::open(&partial)?;
        file.set_len(0).map_err(|error| file_error("write", &partial, 0, &error))?;
        let mut rankings = Rankings {
            path: path.to_owned(),
            partial,
            file: BufWriter::with_capacity(BUFFER, file),
            next: 0,
            waiting: BTreeMap::new(),
            bytes: 0,
            finished: false,
        };
        rankings.write(text)?;
        Ok(rankings)
    }

    /// Takes the ranking of row `row`, now or when the rows before it have come.
    pub(super) fn add(&mut self, row: u32, text: &[u8]) -> Result<()> {
        if row != self.next {
            self.waiting.insert(row, text.to_vec());
            return Ok(());
        }
        self.append(text)?;
        while let Some(text) = self.waiting.remove(&self.next) {
            self.append(&text)?;
        }
        Ok(())
    }

    /// Ends the file with `text` and gives it its name. Returns its bytes.
    pub(super) fn finish(mut self, text: &[u8]) -> Result<u64> {
        self.write(text)?;
        let flushed = self.file.flush();
        let finish = || partial::finish(self.file.get_ref(), &self.partial, &self.path);
        flushed
            .and_then(|()| finish())
            .map_err(|error| file_error("finish", &self.path, 0, &error))?;
        self.finished = true;
        Ok(self.bytes)
    }

    fn append(&mut self, text: &[u8]) -> Result<()> {
        if self.next > 0 {
            self.write(b",\n")?;
        }
        self.next += 1;
        self.write(text)
    }

    fn write(&mut self, text: &[u8]) -> Result<()> {
        let bytes = text.len() as u64;
        self.bytes += bytes;
        self.file.write_all(text).map_err(|error| file_error("write", &self.path, bytes, &error))
    }
}

impl Drop for Rankings {
    /// Half a file of rankings is of no use.
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.partial);
        }
    }
}
