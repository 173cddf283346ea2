//! Sites from results that are there: in memory or in a file.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::files::Files;
use super::request::{List, Site};
use super::row::SiteRow;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::{NeighborsFile, NeighborsRow, ResultsKind, SequencesFile};
use crate::threads;

/// Where a site's rows come from.
#[derive(Debug)]
pub enum Source {
    /// A file of neighbours of the items themselves.
    NeighborsFile(NeighborsFile),
    /// A file of sequences; each makes the page of its start.
    SequencesFile(SequencesFile),
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
    },
}

impl Source {
    /// Opens a file of results, whichever it is.
    pub fn open(path: &Path) -> Result<Source> {
        Ok(match ResultsKind::of(path)? {
            ResultsKind::Sequences => Source::SequencesFile(SequencesFile::open(path)?),
            ResultsKind::Neighbors => Source::NeighborsFile(NeighborsFile::open(path)?),
        })
    }

    fn list(&self) -> List {
        match self {
            Source::NeighborsFile(_) | Source::Neighbors { .. } => List::Similar,
            Source::SequencesFile(_) | Source::Sequences { .. } => List::Different,
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

    /// The item that row `row` belongs to.
    fn item(&self, row: u32) -> u32 {
        match self {
            Source::NeighborsFile(_) | Source::Neighbors { .. } => row,
            Source::SequencesFile(file) => file.starts()[row as usize],
            Source::Sequences { length, items, .. } => items[row as usize * *length as usize],
        }
    }

    /// Checks what no file has checked.
    fn check(&self) -> Result<()> {
        self.check_numbers()?;
        self.check_pages()
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

    /// Checks that no two rows make the same page.
    fn check_pages(&self) -> Result<()> {
        let mut seen = vec![false; self.num_items() as usize];
        for row in 0..self.num_rows() {
            let item = self.item(row);
            match seen.get_mut(item as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(refused(&format!("two rows begin with item {item} (0-based)"))),
            }
        }
        Ok(())
    }

    /// The others and the similarities of row `row`, into `others` and `similarities`.
    fn read(&self, row: u32, others: &mut Vec<u32>, similarities: &mut Vec<f32>) -> Result<()> {
        others.clear();
        similarities.clear();
        match self {
            Source::NeighborsFile(file) => {
                let NeighborsRow { items, similarities: values } = file.row(row)?;
                others.extend(items.iter());
                similarities.extend(values);
            }
            // Behind the start.
            Source::SequencesFile(file) => others.extend(file.row(row)?.iter().skip(1)),
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
        match others.iter().find(|&&item| item >= self.num_items()) {
            Some(item) => Err(refused(&format!("row {row} holds {item}, which is no item"))),
            None => Ok(()),
        }
    }
}

fn refused(reason: &str) -> Error {
    Error::BadOption { option: "results", got: "not usable".into(), allowed: reason.into() }
}

/// Writes the site of results that are there.
pub fn write(source: &Source, site: &Site, progress: &Progress) -> Result<()> {
    source.check()?;
    let rows = source.num_rows();
    let items = (0..rows).map(|row| source.item(row));
    let files = Files::begin(site, source.list(), source.num_items(), items, progress)?;
    progress.expect_rows(rows.into());
    let next = AtomicU32::new(0);
    threads::run(site.num_threads()?, |failure| {
        let (mut others, mut similarities, mut text) = (Vec::new(), Vec::new(), Vec::new());
        while !failure.is_seen() {
            progress.check()?;
            let number = next.fetch_add(1, Relaxed);
            if number >= rows {
                break;
            }
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
