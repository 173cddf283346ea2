//! A file that is written from its beginning to its end, and gets its name then.

use std::io::Write;

use super::partial::PartialFile;
use super::place::reserve;
use crate::error::Result;
use crate::memory::room;

/// A file while it grows.
pub(crate) struct Stream<'a> {
    partial: &'a PartialFile,
    /// What was not written yet.
    buffer: Vec<u8>,
    bytes: u64,
}

impl<'a> Stream<'a> {
    /// Bytes that are gathered before they are written.
    pub(crate) const BUFFER: usize = 1 << 20;

    /// Begins the file anew.
    pub(crate) fn begin(partial: &'a PartialFile) -> Result<Stream<'a>> {
        partial.begin_anew()?;
        let buffer = room(Stream::BUFFER, "what is to be written")?;
        Ok(Stream { partial, buffer, bytes: 0 })
    }

    /// The same for a file of `bytes` bytes: a disk without room for them shows before the work.
    pub(crate) fn begin_sized(partial: &'a PartialFile, bytes: u64) -> Result<Stream<'a>> {
        let stream = Stream::begin(partial)?;
        partial.with("create", bytes, |file| reserve(file, bytes))?;
        Ok(stream)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if self.buffer.len() + bytes.len() > Stream::BUFFER {
            self.flush()?;
        }
        match bytes.len() {
            ..Stream::BUFFER => self.buffer.extend_from_slice(bytes),
            _ => put(self.partial, bytes)?,
        }
        Ok(())
    }

    /// Ends the file and gives it its name. Returns its bytes.
    pub(crate) fn finish(mut self) -> Result<u64> {
        self.flush()?;
        self.partial.publish()?;
        Ok(self.bytes)
    }

    fn flush(&mut self) -> Result<()> {
        put(self.partial, &self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

fn put(partial: &PartialFile, bytes: &[u8]) -> Result<()> {
    partial.with("write", bytes.len() as u64, |mut file| file.write_all(bytes))
}
