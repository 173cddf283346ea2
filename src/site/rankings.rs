//! The file of the rankings, while it grows.
//!
//! It grows in the order of the rows, whatever the order in which they come: a row that is early
//! waits (`waiting`).

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::folder::Ends;
use super::json::{rankings_form, RANKINGS_TAIL};
use super::ours::Extent;
use super::targets::RankingsTarget;
use super::waiting::Waiting;
use crate::error::Result;
use crate::store::errors::file_error;
use crate::store::partial::{self, partial_path};
use crate::store::place::read_at;

/// Bytes that are gathered before they are written.
pub(super) const BUFFER: usize = 1 << 20;

pub(super) struct Rankings<'a> {
    target: &'a RankingsTarget,
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    /// The row that comes next.
    next: u32,
    waiting: Waiting,
    /// Memory to read texts into.
    text: Vec<u8>,
    bytes: u64,
    finished: bool,
}

impl<'a> Rankings<'a> {
    /// Begins the file; `waiting` is for `num_rows` of them.
    pub(super) fn begin(target: &'a RankingsTarget, waiting: Waiting) -> Result<Rankings<'a>> {
        let path = target.path();
        let partial = partial_path(&path);
        let file = partial::open(&partial)?;
        check_partial(&file, &partial)?;
        file.set_len(0).map_err(|error| file_error("write", &partial, 0, &error))?;
        let file = BufWriter::with_capacity(BUFFER, file);
        let (next, text, bytes, finished) = (0, Vec::new(), 0, false);
        Ok(Rankings { target, path, partial, file, next, waiting, text, bytes, finished })
    }

    /// Takes the ranking of row `row`, now or when the rows before it have come.
    pub(super) fn add(&mut self, row: u32, text: &[u8]) -> Result<()> {
        if row != self.next {
            return self.waiting.put(row, text, &self.target.folder);
        }
        self.append(text)?;
        let mut text = std::mem::take(&mut self.text);
        while self.waiting.take(self.next, &mut text, &self.target.folder)? {
            self.append(&text)?;
        }
        self.text = text;
        Ok(())
    }

    /// Ends the file and gives it its name. Returns its bytes.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.write(RANKINGS_TAIL)?;
        self.target.check_name()?;
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

    /// Writes a part of the head or of a ranking.
    pub(super) fn write(&mut self, text: &[u8]) -> Result<()> {
        let bytes = text.len() as u64;
        self.bytes += bytes;
        self.file.write_all(text).map_err(|error| file_error("write", &self.path, bytes, &error))
    }
}

impl Drop for Rankings<'_> {
    /// Half a file of rankings is of no use.
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Refuses a partial file that no run for rankings can have left. It is locked: nobody writes it.
fn check_partial(file: &File, partial: &Path) -> Result<()> {
    let (form, failed) = (rankings_form(), |error| file_error("read", partial, 0, &error));
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(form.refused(partial, "it is a device, a FIFO or a socket"));
    }
    let mut head = vec![0; about.len().min(form.longest_head() as u64) as usize];
    read_at(file, &mut head, 0).map_err(failed)?;
    match form.fits(&Ends { head, ..Ends::default() }, Extent::Half) {
        true => Ok(()),
        false => Err(form.foreign(partial)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::folder::Folder;

    /// With room for none, for some and for all of the rows that come early.
    #[test]
    fn rows_come_in_any_order_and_wait_in_bounded_memory() {
        let path = std::env::temp_dir().join(format!("vkd-rankings-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let target =
            |name: &str| RankingsTarget { folder: Folder::open(&path).unwrap(), name: name.into() };
        let text = |row: u32| format!("[{row}{}]", ",7".repeat(row as usize % 40)).into_bytes();
        for (most, in_file) in [(0, true), (1000, true), (u64::MAX, false)] {
            let target = target("file");
            let mut rankings = Rankings::begin(&target, Waiting::new(300, most).unwrap()).unwrap();
            let head = "{\"list\":\"similar\",\"ids\":[";
            rankings.write(head.as_bytes()).unwrap();
            // Every 7th row, the last ones first.
            for row in (0..300).rev().map(|row| row * 7 % 300) {
                rankings.add(row, &text(row)).unwrap();
                assert!(rankings.waiting.held() <= most);
            }
            assert_eq!(rankings.waiting.has_file(), in_file);
            rankings.finish().unwrap();
            let rows: Vec<String> =
                (0..300).map(|row| String::from_utf8(text(row)).unwrap()).collect();
            let expected = format!("{head}{}\n]}}\n", rows.join(",\n"));
            assert_eq!(fs::read_to_string(path.join("file")).unwrap(), expected);
            assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
        }
        fs::remove_dir_all(&path).unwrap();
    }
}
