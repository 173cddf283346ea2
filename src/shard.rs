//! A part of a request: what one of several machines computes of it.
//!
//! The sequences of a request are cut into so many parts in their order, all as long as each other
//! or longer by one. What the parts compute makes the whole when it is merged (`store::merge`).

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::units;

/// The part with this number, counted from 1, of so many: "2/4".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Part `index` of `count`, 1 to `count`.
    pub fn new(index: u32, count: u32) -> Result<Shard> {
        match (1..=count).contains(&index) {
            true => Ok(Shard { index, count }),
            false => {
                let allowed = match count {
                    0 => "there is at least 1 shard".to_owned(),
                    _ => format!("shards are numbered from 1 to {count}"),
                };
                Err(refused(format!("{index}/{count}"), allowed))
            }
        }
    }

    /// Its number, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Which of `sequences` sequences are its own. Refused where there are more shards than that:
    /// some would be empty.
    pub fn part(self, sequences: u32) -> Result<Range<u32>> {
        if self.count > sequences {
            let sequences = units::many(sequences.into(), "sequence");
            let allowed = format!("the run has {sequences}: use at most that many shards");
            return Err(refused(self.to_string(), allowed));
        }
        // At most `sequences`.
        let end = |index| (u64::from(sequences) * u64::from(index) / u64::from(self.count)) as u32;
        Ok(end(self.index - 1)..end(self.index))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    /// Reads "2/4".
    fn from_str(text: &str) -> Result<Shard> {
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse().ok(),
            false => None,
        };
        let numbers = text.split_once('/').and_then(|(i, n)| Some((number(i)?, number(n)?)));
        match numbers {
            Some((index, count)) => Shard::new(index, count),
            None => {
                let allowed = "give its number and how many there are, such as 2/4".into();
                Err(refused(format!("\"{text}\""), allowed))
            }
        }
    }
}

fn refused(got: String, allowed: String) -> Error {
    Error::BadOption { option: "shard", got, allowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_one_behind_the_other() {
        for (sequences, count) in [(7, 1), (7, 3), (7, 7), (u32::MAX, 7), (u32::MAX, u32::MAX)] {
            let part = |index| Shard::new(index, count).unwrap().part(sequences).unwrap();
            let indices = if count > 7 { vec![1, 2, 77, count] } else { (1..=count).collect() };
            for index in indices {
                let here = part(index);
                let least = sequences / count;
                assert!((least..=least + 1).contains(&(here.end - here.start)), "{here:?}");
                assert_eq!(
                    here.end,
                    if index == count { sequences } else { part(index + 1).start }
                );
                assert!(index > 1 || here.start == 0);
            }
        }
        assert_eq!("2/3".parse::<Shard>().unwrap().part(8).unwrap(), 2..5);
    }

    #[test]
    fn what_is_no_part_is_refused_with_both_numbers() {
        for (text, sequences, why) in [
            ("0/4", 9, "shard is 0/4; shards are numbered from 1 to 4"),
            ("5/4", 9, "shard is 5/4; shards are numbered from 1 to 4"),
            ("0/0", 9, "shard is 0/0; there is at least 1 shard"),
            ("1/8", 7, "shard is 1/8; the run has 7 sequences: use at most that many shards"),
            ("8/8", 7, "shard is 8/8; the run has 7 sequences: use at most that many shards"),
            ("2", 9, "shard is \"2\"; give its number and how many there are, such as 2/4"),
            ("+2/4", 9, "shard is \"+2/4\"; give its number and how many there are, such as 2/4"),
            ("/4", 9, "shard is \"/4\"; give its number and how many there are, such as 2/4"),
        ] {
            let error = text.parse::<Shard>().and_then(|shard| shard.part(sequences)).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
        assert_eq!("12/16".parse::<Shard>().unwrap().to_string(), "12/16");
    }
}
