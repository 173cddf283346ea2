//! Sites from results that are there: in memory or in a file.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Arc;

use super::files::{Files, Plan};
use super::needs::SiteShape;
use super::queue::reserve_row;
use super::request::{List, Site};
use super::row::SiteRow;
use super::targets::Targets;
use crate::error::{Error, Result};
use crate::ids::IdSlice;
use crate::memory::{room, zeroed};
use crate::progress::Progress;
use crate::rule::Rule;
use crate::store::{NeighborsFile, NeighborsRow, ResultsKind, SequencesFile};
use crate::threads;

/// Where a site's rows come from.
#[derive(Debug)]
pub enum Source {
    /// A file of neighbours of the items themselves, open here and perhaps elsewhere.
    NeighborsFile(Arc<NeighborsFile>),
    /// A file of sequences; each makes the page of its start.
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
    /// Sequences in memory; each makes the page of its first item.
    Sequences {
        /// Items of the corpus.
        num_items: u32,
        /// Items of each.
        length: u32,
        /// Item numbers, `length` a row.
        items: Vec<u32>,
        /// What they come from, which gives the list its name.
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

    fn list(&self) -> List {
        match self {
            Source::NeighborsFile(_) | Source::Neighbors { .. } => List::Similar,
            Source::SequencesFile(file) => List::Picks(file.meta().rule),
            Source::Sequences { rule, .. } => List::Picks(*rule),
        }
    }

    /// The site with the ids of the file, if it has some, where it has none of its own.
    pub(crate) fn named(&self, site: Site) -> Result<Site> {
        let ids = match self {
            Source::NeighborsFile(file) => file.ids(),
            Source::SequencesFile(file) => file.ids(),
            Source::Neighbors { .. } | Source::Sequences { .. } => None,
        };
        match (ids, &site.ids) {
            (Some(ids), None) => Ok(Site { ids: Some(owned(ids)?), ..site }),
            _ => Ok(site),
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

    fn num_rows(&self) -> u32 {
        match self {
            Source::NeighborsFile(file) => file.meta().count,
            Source::SequencesFile(file) => file.meta().count,
            Source::Neighbors { k, indices, .. } => (indices.len() / *k as usize) as u32,
            Source::Sequences { length, items, .. } => (items.len() / *length as usize) as u32,
        }
    }

    /// How large a site of these results is.
    pub(crate) fn shape(&self) -> SiteShape {
        let row_length = match self {
            Source::NeighborsFile(file) => file.meta().k,
            Source::SequencesFile(file) => file.meta().length,
            Source::Neighbors { k, .. } => *k,
            Source::Sequences { length, .. } => *length,
        };
        SiteShape { num_items: self.num_items(), num_rows: self.num_rows(), row_length }
    }

    /// The item that row `row` belongs to.
    fn item(&self, row: u32) -> u32 {
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
        self.check_pages()
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

    /// Checks that each row makes the page of an item, and no two rows the same.
    fn check_pages(&self) -> Result<()> {
        if self.list() == List::Similar {
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

    /// The others and the similarities of row `row`, into `others` and `similarities`.
    fn read(&self, row: u32, others: &mut Vec<u32>, similarities: &mut Vec<f32>) -> Result<()> {
        others.clear();
        similarities.clear();
        reserve_row(others, similarities, self.shape().row_length as usize)?;
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
}

/// Ids as a site has them.
fn owned(ids: IdSlice) -> Result<Vec<String>> {
    let what = "the ids of the site";
    let mut all = room(ids.len(), what)?;
    for id in ids.iter() {
        let mut bytes = room(id.len(), what)?;
        bytes.extend_from_slice(id.as_bytes());
        // It was a text before.
        all.push(String::from_utf8(bytes).unwrap_or_default());
    }
    Ok(all)
}

/// Refuses similarities in memory that a page could not hold.
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

/// Writes the site of results that are there. Both were checked.
pub(crate) fn write(
    source: &Source,
    site: &Site,
    targets: &Targets,
    progress: &Progress,
) -> Result<()> {
    let (list, SiteShape { num_items, num_rows, .. }) = (source.list(), source.shape());
    progress.expect_rows(num_rows.into());
    let plan = Plan { site, targets, list, num_items, num_rows };
    let files = Files::begin(plan, |row| source.item(row), progress)?;
    let next = AtomicU32::new(0);
    let threads = site.num_threads()?.min(num_rows as usize);
    threads::run(threads, |failure| {
        let (mut others, mut similarities, mut text) = (Vec::new(), Vec::new(), Vec::new());
        while !failure.is_seen() {
            progress.check()?;
            let row = next.fetch_update(Relaxed, Relaxed, |row| (row < num_rows).then(|| row + 1));
            let Ok(number) = row else { break };
            let item = source.item(number);
            source.read(number, &mut others, &mut similarities)?;
            let row = SiteRow { number, item, others: &others, similarities: &similarities };
            files.write(&row, &mut text)?;
            progress.add_rows(1);
        }
        Ok(())
    })?;
    files.finish()
}
