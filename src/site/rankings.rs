//! The file of the rankings, while it grows.
//!
//! It grows in the order of the rows, whatever the order in which they come: a row that is early
//! waits (`waiting`).

use super::json::RANKINGS_TAIL;
use super::targets::RankingsTarget;
use super::waiting::Waiting;
use crate::error::Result;
use crate::store::Stream;

pub(super) struct Rankings<'a> {
    target: &'a RankingsTarget,
    stream: Stream<'a>,
    /// The row that comes next.
    next: u32,
    waiting: Waiting,
    /// Memory to read texts into.
    text: Vec<u8>,
}

impl<'a> Rankings<'a> {
    /// Begins the file; `waiting` is for `num_rows` of them.
    pub(super) fn begin(target: &'a RankingsTarget, waiting: Waiting) -> Result<Rankings<'a>> {
        let stream = Stream::begin(&target.partial)?;
        Ok(Rankings { target, stream, next: 0, waiting, text: Vec::new() })
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
        self.stream.finish()
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
        self.stream.write(text)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::progress::Progress;

    /// With room for none, for some and for all of the rows that come early.
    #[test]
    fn rows_come_in_any_order_and_wait_in_bounded_memory() {
        let path = std::env::temp_dir().join(format!("vkd-rankings-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let text = |row: u32| format!("[{row}{}]", ",7".repeat(row as usize % 40)).into_bytes();
        for (most, in_file) in [(0, true), (1000, true), (u64::MAX, false)] {
            let target = RankingsTarget::open(&path.join("file"), &Progress::default()).unwrap();
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
