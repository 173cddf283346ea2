//! The files of a site together: a row goes to its page and to the rankings.

use std::sync::Mutex;

use super::json::Json;
use super::pages::Pages;
use super::rankings::Rankings;
use super::request::{List, Site};
use super::row::SiteRow;
use super::targets::Targets;
use super::waiting::{Waiting, HELD_BYTES};
use crate::error::Result;
use crate::progress::Progress;
use crate::threads::{lock, unlocked};

/// The files of a site, while they are written.
pub(super) struct Files<'a> {
    site: &'a Site,
    json: Json<'a>,
    pages: Option<Pages<'a>>,
    rankings: Option<Mutex<Rankings<'a>>>,
    progress: &'a Progress,
}

/// Where and what, for all rows.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) site: &'a Site,
    pub(super) targets: &'a Targets,
    pub(super) list: List,
    pub(super) num_items: u32,
    pub(super) num_rows: u32,
}

impl<'a> Files<'a> {
    /// Checks what is there, and begins the rankings. `item` says whose each row is; the site was
    /// checked.
    pub(super) fn begin(
        plan: Plan<'a>,
        item: impl Fn(u32) -> u32,
        progress: &'a Progress,
    ) -> Result<Files<'a>> {
        let Plan { site, targets, list, num_items, num_rows } = plan;
        let items = || (0..num_rows).map(&item);
        let pages = if targets.pages.is_some() { num_rows.into() } else { 0 };
        progress.expect_files(pages + u64::from(targets.rankings.is_some()));
        let pages = targets.pages.as_ref();
        let pages =
            pages.map(|folder| Pages::begin(site, folder, items(), progress)).transpose()?;
        let json = Json::new(list, num_items, site)?;
        let rankings = match &targets.rankings {
            Some(target) => {
                let waiting = Waiting::new(num_rows, HELD_BYTES)?;
                let mut rankings = Rankings::begin(target, waiting)?;
                json.begin_rankings(items(), |text| rankings.write(text))?;
                Some(Mutex::new(rankings))
            }
            None => None,
        };
        Ok(Files { site, json, pages, rankings, progress })
    }

    /// Writes a row. `text` is memory to work in.
    pub(super) fn write(&self, row: &SiteRow, text: &mut Vec<u8>) -> Result<()> {
        let row = row.first(self.site.top);
        if let Some(pages) = &self.pages {
            let metadata = self.site.metadata.as_ref();
            let metadata = metadata.map(|texts| texts[row.item as usize].as_str());
            self.json.page(&row, metadata, text)?;
            pages.write(row.item, text)?;
        }
        if let Some(rankings) = &self.rankings {
            self.json.ranking(row.others, text)?;
            lock(rankings).add(row.number, text)?;
        }
        self.progress.add_written_rows(1);
        Ok(())
    }

    /// Finishes pages and rankings.
    pub(super) fn finish(self) -> Result<()> {
        self.pages.as_ref().map_or(Ok(()), Pages::finish)?;
        if let Some(rankings) = self.rankings {
            let bytes = unlocked(rankings).finish()?;
            self.progress.add_file(bytes);
        }
        Ok(())
    }
}
