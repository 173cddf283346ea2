//! What to export, and the check of it before any work.

use crate::error::{Error, Result};
use crate::ids::shortened;
use crate::memory;
use crate::results::Source;
use crate::store::{Family, OutputFile};
use crate::units;

/// Bytes of the model's name at the most: in JSON it has six times as many, and files are known by
/// what stands behind it in their first 4,096.
const LONGEST_MODEL: usize = 256;

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Where to. With `overwrite` a file of the same format is replaced, and no other.
    pub file: OutputFile,
    /// The shape of the file.
    pub format: ExportFormat,
    /// What stands for each item.
    pub keys: ExportKeys,
    /// Entries of each row at the most, of sequences the start among them; 0: all there are.
    pub top: u32,
    /// Of a diversity cache: the name of the model that made the embeddings, up to 256 bytes.
    pub model: Option<String>,
}

/// The shapes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// `diversity_cache.json`: JSON, of each sequence its items, the start first.
    DiversityCache,
    /// Rankings: JSON, of each item its neighbours, nearest first, without itself.
    Rankings,
    /// `sequences.bin`: the number of items, then the full sequence of each item in order, all
    /// 32-bit numbers, little endian.
    SequencesBin,
}

/// What stands for each item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportKeys {
    /// Its number from 0.
    Items,
    /// The number that the readers have for it.
    Numbers(Vec<u32>),
    /// Its id.
    Ids(Vec<String>),
}

impl ExportFormat {
    /// The one of JSON that holds such results.
    pub fn usual(source: &Source) -> ExportFormat {
        match source.rule() {
            Some(_) => ExportFormat::DiversityCache,
            None => ExportFormat::Rankings,
        }
    }

    /// The files that one of this format may replace.
    pub(super) fn family(self) -> Family {
        match self {
            ExportFormat::DiversityCache => Family::DiversityCache,
            ExportFormat::Rankings => Family::OlderRankings,
            ExportFormat::SequencesBin => Family::SequencesBin,
        }
    }

    /// Refuses results of the other kind.
    fn check_kind(self, source: &Source) -> Result<()> {
        let (wants_rule, got, allowed) = match self {
            ExportFormat::DiversityCache => {
                (true, "diversity_cache", "it is made of sequences; rankings are of neighbours")
            }
            ExportFormat::SequencesBin => {
                (true, "sequences_bin", "it is made of sequences; rankings are of neighbours")
            }
            ExportFormat::Rankings => {
                let allowed =
                    "they are made of neighbours; of sequences make a diversity_cache or \
                               sequences_bin";
                (false, "rankings", allowed)
            }
        };
        match source.rule().is_some() == wants_rule {
            true => Ok(()),
            false => Err(refused("format", got, allowed)),
        }
    }
}

impl ExportKeys {
    /// Refuses other than one for each item, each different from the others.
    fn check(&self, num_items: u32) -> Result<()> {
        match self {
            ExportKeys::Items => Ok(()),
            ExportKeys::Numbers(numbers) => {
                check_count("the number of numbers", numbers.len(), num_items)?;
                match repeated(num_items, |item| numbers[item as usize])? {
                    Some(item) => {
                        let got = numbers[item as usize].to_string();
                        Err(refused("a number", &got, "two items have it; give each its own"))
                    }
                    None => Ok(()),
                }
            }
            ExportKeys::Ids(ids) => {
                check_count("the number of ids", ids.len(), num_items)?;
                match repeated(num_items, |item| &*ids[item as usize])? {
                    Some(item) => {
                        let got = format!("\"{}\"", shortened(&ids[item as usize]));
                        Err(refused("an id", &got, "two items have it; give each its own"))
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

impl Export {
    /// Checks the export against the results, which were checked.
    pub(crate) fn check(&self, source: &Source) -> Result<()> {
        self.format.check_kind(source)?;
        self.check_model()?;
        if self.format == ExportFormat::SequencesBin {
            self.check_binary(source)?;
        }
        self.keys.check(source.num_items())
    }

    /// Entries of each row of these results.
    pub(super) fn entries(&self, source: &Source) -> u32 {
        match self.top {
            0 => source.row_length(),
            top => top.min(source.row_length()),
        }
    }

    fn check_model(&self) -> Result<()> {
        let Some(model) = &self.model else { return Ok(()) };
        let got = format!("\"{}\"", shortened(model));
        if self.format != ExportFormat::DiversityCache {
            return Err(refused("model", &got, "only a diversity cache has one"));
        }
        match model.len() <= LONGEST_MODEL {
            true => Ok(()),
            false => Err(refused("model", &got, "it may have 256 bytes")),
        }
    }

    /// Refuses what a file without keys and lengths could not say.
    fn check_binary(&self, source: &Source) -> Result<()> {
        if self.keys != ExportKeys::Items {
            return Err(refused("keys", "set", "sequences_bin has item numbers only"));
        }
        if self.top != 0 {
            let got = units::count(self.top);
            return Err(refused("top", &got, "sequences_bin has full sequences: leave it out"));
        }
        let (n, count, length) = (source.num_items(), source.num_rows(), source.row_length());
        if length != n {
            let got = format!("sequences of {} of {} items", units::count(length), units::count(n));
            return Err(refused("results", &got, "sequences_bin has full sequences"));
        }
        if count != n || (0..n).any(|row| source.item(row) != row) {
            let allowed = "sequences_bin has one from each item, in their order: compute without \
                           starts and heads";
            return Err(refused("results", "sequences from some items", allowed));
        }
        Ok(())
    }
}

/// An item whose key another item has, too.
fn repeated<K: Ord>(num_items: u32, key: impl Fn(u32) -> K) -> Result<Option<u32>> {
    let mut items = memory::zeroed(num_items as usize, "the check of the keys")?;
    (0..).zip(&mut items).for_each(|(number, item): (u32, &mut u32)| *item = number);
    items.sort_unstable_by_key(|&item| key(item));
    let twice = items.windows(2).find(|pair| key(pair[0]) == key(pair[1]));
    Ok(twice.map(|pair| pair[0]))
}

fn check_count(option: &'static str, got: usize, num_items: u32) -> Result<()> {
    if got == num_items as usize {
        return Ok(());
    }
    let allowed = format!("there must be one for each of the {} items", units::count(num_items));
    Err(refused(option, &units::count(got as u64), &allowed))
}

fn refused(option: &'static str, got: &str, allowed: &str) -> Error {
    Error::BadOption { option, got: got.into(), allowed: allowed.into() }
}
