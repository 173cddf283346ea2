//! The file of the rankings, while it grows.
//!
//! It grows in the order of the rows, whatever the order in which they come: a row that is early
//! waits in memory.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use crate::error::Result;
use crate::progress::Progress;
use crate::store::partial::PartialFile;
use crate::store::{Family, OutputFile, OutputPlace};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

pub(super) struct Rankings {
    partial: PartialFile,
    /// What was not written yet.
    buffer: Vec<u8>,
    /// The row that comes next.
    next: u32,
    waiting: BTreeMap<u32, Vec<u8>>,
    bytes: u64,
}

impl Rankings {
    /// Begins the file with `text`. Rankings that are there are replaced, as pages are; anything
    /// else is refused.
    pub(super) fn begin(path: &Path, text: &[u8], progress: &Progress) -> Result<Rankings> {
        let target = OutputFile { path: path.to_owned(), overwrite: true };
        let partial = OutputPlace::new(&target, Family::Rankings, progress)?.hold()?;
        partial.begin_anew()?;
        let mut rankings =
            Rankings { partial, buffer: Vec::new(), next: 0, waiting: BTreeMap::new(), bytes: 0 };
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
        self.flush()?;
        self.partial.publish()?;
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
        self.bytes += text.len() as u64;
        self.buffer.extend_from_slice(text);
        match self.buffer.len() {
            ..BUFFER => Ok(()),
            _ => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let bytes = self.buffer.len() as u64;
        self.partial.with("write", bytes, |mut file| file.write_all(&self.buffer))?;
        self.buffer.clear();
        Ok(())
    }
}
