//! What to write, and the check of it before anything is computed.

use std::borrow::Cow;
use std::path::PathBuf;

use super::fold::Fold;
use super::names::{check_ids, check_list, check_metadata};
use crate::error::{Error, Result};
use crate::results::Source;
use crate::rule::Rule;
use crate::threads;

/// What to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The folder of the files ID.json; it is made where it is missing. `None`: no such files.
    pub directory: Option<PathBuf>,
    /// The file of all rankings. `None`: no such file.
    pub rankings: Option<PathBuf>,
    /// The id of every item; `None`: that of the file of results, or its number from 0.
    pub ids: Option<Vec<String>>,
    /// A JSON value for every item, which becomes the member "metadata" of its file. `None`: no
    /// such member.
    pub metadata: Option<Vec<String>>,
    /// The name of the list: the member of each file, and "list" of the rankings. `None`: that of
    /// what the rows are, see [`List::name`].
    pub list: Option<String>,
    /// Entries of each file and ranking; 0: all there are.
    pub top: u32,
    /// Threads that write; `None` or 0: what `VKD_THREADS` says, else one per processor.
    pub threads: Option<u32>,
    /// Leave it to the system when files reach the disk.
    pub no_sync: bool,
}

impl Site {
    /// The site with the ids of the results, if these have some, where it has none of its own.
    pub(crate) fn with_ids_of(self, source: &Source) -> Result<Site> {
        match (source.ids(), &self.ids) {
            (Some(ids), None) => Ok(Site { ids: Some(ids.to_texts()?), ..self }),
            _ => Ok(self),
        }
    }

    pub(super) fn num_threads(&self) -> Result<usize> {
        threads::count(self.threads)
    }

    /// What the list is called.
    pub(super) fn list_name(&self, list: List) -> &str {
        self.list.as_deref().unwrap_or(list.name())
    }

    /// The id of an item.
    pub(super) fn id(&self, item: u32) -> Cow<'_, str> {
        match &self.ids {
            Some(ids) => Cow::Borrowed(&ids[item as usize]),
            None => Cow::Owned(item.to_string()),
        }
    }

    /// The file name of an item's page.
    pub(super) fn page_name(&self, item: u32) -> String {
        format!("{}.json", self.id(item))
    }

    /// The item whose page, or half of it, has this name on some system.
    pub(super) fn item_of_page(&self, name: &str, num_items: u32) -> Option<u32> {
        let mut fold = Fold::default();
        let name = fold.fold(name);
        let name = name.strip_suffix(".partial").unwrap_or(name);
        let id = name.strip_suffix(".json")?.to_owned();
        match &self.ids {
            Some(ids) => (0..).zip(ids).find(|(_, one)| fold.fold(one) == id).map(|(item, _)| item),
            None => {
                let item: u32 = id.parse().ok()?;
                (item < num_items && item.to_string() == id).then_some(item)
            }
        }
    }

    /// Entries of each page and ranking of rows with so many.
    pub(super) fn entries(&self, row_length: u32) -> u32 {
        match self.top {
            0 => row_length,
            top => top.min(row_length),
        }
    }

    /// Checks the site against the number of items.
    pub(crate) fn check(&self, num_items: u32) -> Result<()> {
        if self.directory.is_none() && self.rankings.is_none() {
            return Err(Error::BadOption {
                option: "directory",
                got: "missing".into(),
                allowed: "name a directory, a file for the rankings, or both".into(),
            });
        }
        self.list.as_ref().map_or(Ok(()), |name| check_list(name))?;
        self.ids.as_ref().map_or(Ok(()), |ids| check_ids(ids, num_items))?;
        self.metadata.as_ref().map_or(Ok(()), |metadata| check_metadata(metadata, num_items))
    }
}

/// What a site's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The most similar items, with their similarities.
    Similar,
    /// The items of a sequence by this rule, behind the first.
    Picks(Rule),
}

impl List {
    /// The names of all lists.
    pub(super) const NAMES: [&'static str; 5] =
        ["similar", "different", "scattered", "related", "journey"];

    /// The name where the caller gives none.
    pub fn name(self) -> &'static str {
        let [similar, different, scattered, related, journey] = List::NAMES;
        match self {
            List::Similar => similar,
            List::Picks(Rule::Centroid) => different,
            List::Picks(Rule::Farthest) => scattered,
            List::Picks(Rule::Mmr(_)) => related,
            List::Picks(Rule::Chain) => journey,
        }
    }
}
