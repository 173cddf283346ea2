//! Results that are there, in memory or in a file, as rows, of which sites and exports are made.
//! What is in memory is checked as a whole, a row of a file as it is read.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::ids::IdSlice;
use crate::memory::zeroed;
use crate::rule::Rule;
use crate::store::{NeighborsFile, NeighborsRow, ResultsKind, SequencesFile};

/// Where the rows of a site or an export come from.
#[derive(Debug)]
pub enum Source {
    /// A file of neighbours of the items themselves, open here and perhaps elsewhere.
    NeighborsFile(Arc<NeighborsFile>),
    /// A file of sequences; each row belongs to its start.
    SequencesFile(Arc<SequencesFile>),
    /// Neighbours in memory: row i belongs to item i.
    Neighbors {
        /// Neighbours of each item.
        k: u32,
        /// Item numbers, k a row.
        indices: Vec<u32>,
        /// Cosine similarities, k a row.
        similarities: Vec<f32>,
    },
    /// Sequences in memory; each row belongs to its first item.
    Sequences {
        /// Items of the corpus.
        num_items: u32,
        /// Items of each.
        length: u32,
        /// Item numbers, `length` a row.
        items: Vec<u32>,
        /// What they come from.
        rule: Rule,
    },
}

impl Source {
    /// Opens a file of results, whichever it is.
    pub fn open(path: &Path) -> Result<Source> {
        Ok(match ResultsKind::of(path)? {
            ResultsKind::Sequences => Source::SequencesFile(SequencesFile::open(path)?.into()),
            ResultsKind::Neighbors => Source::NeighborsFile(NeighborsFile::open(path)?.into()),
        })
    }

    /// The rule of sequences; `None` of neighbours.
    pub(crate) fn rule(&self) -> Option<Rule> {
        match self {
            Source::NeighborsFile(_) | Source::Neighbors { .. } => None,
            Source::SequencesFile(file) => Some(file.meta().rule),
            Source::Sequences { rule, .. } => Some(*rule),
        }
    }

    /// The ids of the items, where a file has them.
    pub(crate) fn ids(&self) -> Option<IdSlice<'_>> {
        match self {
            Source::NeighborsFile(file) => file.ids(),
            Source::SequencesFile(file) => file.ids(),
            Source::Neighbors { .. } | Source::Sequences { .. } => None,
        }
    }

    /// Items of the corpus.
    pub(crate) fn num_items(&self) -> u32 {
        match self {
            Source::NeighborsFile(file) => file.meta().num_items,
            Source::SequencesFile(file) => file.meta().num_items,
            Source::Neighbors { .. } => self.num_rows(),
            Source::Sequences { num_items, .. } => *num_items,
        }
    }

    pub(crate) fn num_rows(&self) -> u32 {
        match self {
            Source::NeighborsFile(file) => file.meta().count,
            Source::SequencesFile(file) => file.meta().count,
            Source::Neighbors { k, indices, .. } => (indices.len() / *k as usize) as u32,
            Source::Sequences { length, items, .. } => (items.len() / *length as usize) as u32,
        }
    }

    /// Numbers of a row: of neighbours k, of sequences their length.
    pub(crate) fn row_length(&self) -> u32 {
        match self {
            Source::NeighborsFile(file) => file.meta().k,
            Source::SequencesFile(file) => file.meta().length,
            Source::Neighbors { k, .. } => *k,
            Source::Sequences { length, .. } => *length,
        }
    }

    /// The item that row `row` belongs to.
    pub(crate) fn item(&self, row: u32) -> u32 {
        match self {
            Source::NeighborsFile(_) | Source::Neighbors { .. } => row,
            Source::SequencesFile(file) => file.starts()[row as usize],
            Source::Sequences { length, items, .. } => items[row as usize * *length as usize],
        }
    }

    /// Checks what no file has checked, but for the rows of files: these are checked as they are
    /// read.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_lengths()?;
        self.check_numbers()?;
        self.check_owners()
    }

    /// Checks that what is in memory is whole rows.
    fn check_lengths(&self) -> Result<()> {
        let (length, numbers) = match self {
            Source::NeighborsFile(_) | Source::SequencesFile(_) => return Ok(()),
            Source::Neighbors { k, indices, .. } => (*k, indices),
            Source::Sequences { length, items, .. } => (*length, items),
        };
        let whole = length > 0 && numbers.len() % length as usize == 0;
        if !whole || u32::try_from(numbers.len() / length as usize).is_err() {
            let numbers = numbers.len();
            return Err(refused(&format!("{numbers} numbers are no rows of {length} each")));
        }
        match self {
            Source::Neighbors { indices, similarities, .. } => {
                check_similarities(indices, similarities)
            }
            _ => Ok(()),
        }
    }

    /// Checks that numbers in memory are items, and that neighbours in a file are those of items.
    fn check_numbers(&self) -> Result<()> {
        let num_items = self.num_items();
        let numbers: &[u32] = match self {
            Source::NeighborsFile(file) if !file.meta().queries.is_empty() => {
                return Err(refused("they are of other queries than the items themselves"));
            }
            Source::Neighbors { indices, .. } => indices,
            Source::Sequences { items, .. } => items,
            _ => &[],
        };
        match numbers.iter().position(|&item| item >= num_items) {
            Some(place) => {
                let item = numbers[place];
                Err(refused(&format!("number {item} at place {place} is no item")))
            }
            None => Ok(()),
        }
    }

    /// Checks that each row belongs to an item, and no two rows to the same.
    fn check_owners(&self) -> Result<()> {
        if self.rule().is_none() {
            // Row i is item i's.
            return match self.num_rows() == self.num_items() {
                true => Ok(()),
                false => Err(refused("there is not one row for each item")),
            };
        }
        let mut items = zeroed(self.num_rows() as usize, "the check of the rows")?;
        (0..).zip(&mut items).for_each(|(row, item)| *item = self.item(row));
        items.sort_unstable();
        if let Some(item) = items.last().filter(|&&item| item >= self.num_items()) {
            return Err(refused(&format!("a row begins with {item}, which is no item")));
        }
        match items.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(refused(&format!("two rows begin with item {} (0-based)", pair[0]))),
            None => Ok(()),
        }
    }

    /// The others of row `row` and, of neighbours, their similarities, into `others` and
    /// `similarities`.
    pub(crate) fn read(
        &self,
        row: u32,
        others: &mut Vec<u32>,
        similarities: &mut Vec<f32>,
    ) -> Result<()> {
        others.clear();
        similarities.clear();
        reserve_row(others, similarities, self.row_length() as usize)?;
        match self {
            Source::NeighborsFile(file) => {
                let NeighborsRow { items, similarities: values } = file.checked_row(row)?;
                others.extend(items.iter());
                similarities.extend(values);
            }
            // Behind the start.
            Source::SequencesFile(file) => others.extend(file.checked_row(row)?.iter().skip(1)),
            Source::Neighbors { k, indices, similarities: values } => {
                let begin = row as usize * *k as usize;
                others.extend(&indices[begin..][..*k as usize]);
                similarities.extend(&values[begin..][..*k as usize]);
            }
            Source::Sequences { length, items, .. } => {
                let begin = row as usize * *length as usize;
                others.extend(&items[begin + 1..][..*length as usize - 1]);
            }
        }
        Ok(())
    }

    /// Gives back the memory of what was read of a file in order, up to row `row`, each time some
    /// rows more were.
    pub(crate) fn release_after(&self, row: u32) {
        match self {
            Source::NeighborsFile(file) => file.release_after(row),
            Source::SequencesFile(file) => file.release_after(row),
            Source::Neighbors { .. } | Source::Sequences { .. } => {}
        }
    }
}

/// Makes room for a row of `length` entries in two empty lists.
pub(crate) fn reserve_row(
    items: &mut Vec<u32>,
    similarities: &mut Vec<f32>,
    length: usize,
) -> Result<()> {
    let refused = Error::HostMemory { what: "a row of results", bytes: length as u64 * 8 };
    let items = items.try_reserve_exact(length);
    items.and_then(|()| similarities.try_reserve_exact(length)).map_err(|_| refused)
}

/// Refuses similarities in memory that are none.
fn check_similarities(indices: &[u32], similarities: &[f32]) -> Result<()> {
    if similarities.len() != indices.len() {
        let (values, numbers) = (similarities.len(), indices.len());
        return Err(refused(&format!("there are {values} similarities of {numbers} neighbours")));
    }
    // A little more than 1 can come of rounding.
    let fits = |value: &f32| value.abs() < 1.01;
    match similarities.iter().position(|value| !fits(value)) {
        Some(place) => {
            let value = similarities[place];
            Err(refused(&format!("similarity {value} at place {place} is not from -1 to 1")))
        }
        None => Ok(()),
    }
}

fn refused(reason: &str) -> Error {
    Error::BadOption { option: "results", got: "not usable".into(), allowed: reason.into() }
}
