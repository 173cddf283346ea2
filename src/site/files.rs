//! The files themselves: each is whole or not there.
//!
//! A page is written as ID.json.partial, brought to the disk and renamed. That happens in batches
//! of up to 64 MB, with one call for the whole file system where there is one: waiting for each
//! page alone takes a millisecond and more.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::batch::BatchSize;
use super::json::Json;
use super::rankings::Rankings;
use super::request::{List, Site};
use super::row::SiteRow;
use crate::error::Result;
use crate::progress::Progress;
use crate::store::errors::file_error;
use crate::store::partial::partial_path;
use crate::store::place::{sync_directory, sync_files, SyncError};
use crate::threads::{apart, lock};

/// Bytes of a batch.
const BATCH_BYTES: u64 = 64 << 20;

/// The files of a site, while they are written.
pub(super) struct Files<'a> {
    site: &'a Site,
    json: Json,
    rankings: Option<Mutex<Rankings>>,
    /// Pages that have not reached the disk yet.
    waiting: Mutex<Vec<Page>>,
    batch: BatchSize,
    progress: &'a Progress,
}

/// A whole page under its temporary name.
struct Page {
    partial: PathBuf,
    path: PathBuf,
    bytes: u64,
}

impl<'a> Files<'a> {
    /// Checks the site and makes its folder. `items` are those of the rows.
    pub(super) fn begin(
        site: &'a Site,
        list: List,
        num_items: u32,
        items: impl ExactSizeIterator<Item = u32>,
        progress: &'a Progress,
    ) -> Result<Files<'a>> {
        site.check(num_items)?;
        let json = Json::new(list, num_items, site.ids.as_deref());
        let pages = if site.directory.is_some() { items.len() as u64 } else { 0 };
        progress.expect_files(pages + u64::from(site.rankings.is_some()));
        if let Some(directory) = &site.directory {
            fs::create_dir_all(directory)
                .map_err(|error| file_error("create", directory, 0, &error))?;
        }
        let rankings = match &site.rankings {
            Some(path) => {
                Some(Mutex::new(Rankings::begin(path, &json.begin_rankings(items), progress)?))
            }
            None => None,
        };
        Ok(Files {
            site,
            json,
            rankings,
            waiting: Mutex::default(),
            batch: BatchSize::new(),
            progress,
        })
    }

    /// Writes a row. `text` is memory to work in.
    pub(super) fn write(&self, row: &SiteRow, text: &mut Vec<u8>) -> Result<()> {
        let row = row.first(self.site.top);
        if let Some(directory) = &self.site.directory {
            let item = row.item as usize;
            let metadata = self.site.metadata.as_ref().map(|texts| texts[item].as_str());
            self.json.page(&row, metadata, text);
            let name = match &self.site.ids {
                Some(ids) => format!("{}.json", ids[item]),
                None => format!("{item}.json"),
            };
            self.write_page(&directory.join(name), text)?;
        }
        if let Some(rankings) = &self.rankings {
            text.clear();
            self.json.ranking(row.others.iter().copied(), text);
            lock(rankings).add(row.number, text)?;
        }
        Ok(())
    }

    fn write_page(&self, path: &Path, page: &[u8]) -> Result<()> {
        let partial = partial_path(path);
        let bytes = page.len() as u64;
        let write = || File::create(&partial)?.write_all(page);
        if let Err(error) = write() {
            let _ = fs::remove_file(&partial);
            return Err(file_error("write", path, bytes, &error));
        }
        let page = Page { partial, path: path.to_owned(), bytes };
        if self.site.no_sync {
            return self.name(page);
        }
        let batch = self.wait_for_batch(page);
        self.name_batch(batch)
    }

    /// Lets a page wait for the others of its batch; returns the batch when it is full, else none.
    fn wait_for_batch(&self, page: Page) -> Vec<Page> {
        let mut waiting = lock(&self.waiting);
        waiting.push(page);
        let bytes: u64 = waiting.iter().map(|page| page.bytes).sum();
        if bytes < BATCH_BYTES && waiting.len() < self.batch.get() {
            return Vec::new();
        }
        std::mem::take(&mut *waiting)
    }

    /// Gives a whole page its name, unless the run is cancelled: where a page is replaced, a disk
    /// may take 4 ms for it.
    fn name(&self, page: Page) -> Result<()> {
        let rename = || fs::rename(&page.partial, &page.path);
        let failed = |error| file_error("write", &page.path, page.bytes, &error);
        let named = self.progress.check().and_then(|()| rename().map_err(failed));
        named.inspect_err(|_| drop(fs::remove_file(&page.partial)))?;
        self.progress.add_file(page.bytes);
        Ok(())
    }

    /// Brings pages to the disk and gives them their names. After an error the others still get
    /// theirs.
    fn name_batch(&self, batch: Vec<Page>) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let partials: Vec<PathBuf> = batch.iter().map(|page| page.partial.clone()).collect();
        let synced = apart(|| self.progress.check(), move || sync_files(&partials));
        let synced = synced.and_then(|synced| {
            synced.map_err(|SyncError { file, error }| file_error("sync", &file, 0, &error))
        });
        if let Err(error) = synced {
            batch.iter().for_each(|page| drop(fs::remove_file(&page.partial)));
            return Err(error);
        }
        let (pages, begin) = (batch.len(), Instant::now());
        let named: Vec<Result<()>> = batch.into_iter().map(|page| self.name(page)).collect();
        self.batch.learn(pages, begin.elapsed());
        named.into_iter().collect()
    }

    /// Names what waits, finishes the rankings and brings the folder to the disk.
    pub(super) fn finish(mut self) -> Result<()> {
        let batch = std::mem::take(&mut *lock(&self.waiting));
        self.name_batch(batch)?;
        if let Some(rankings) = self.rankings.take() {
            let rankings = rankings.into_inner().unwrap_or_else(PoisonError::into_inner);
            let bytes = rankings.finish(self.json.end_rankings())?;
            self.progress.add_file(bytes);
        }
        match &self.site.directory {
            Some(directory) if !self.site.no_sync => sync_directory(&directory.join("any"))
                .map_err(|error| file_error("sync", directory, 0, &error)),
            _ => Ok(()),
        }
    }
}

impl Drop for Files<'_> {
    /// After an error or a cancel: pages without a name are gone.
    fn drop(&mut self) {
        lock(&self.waiting).iter().for_each(|page| drop(fs::remove_file(&page.partial)));
    }
}
