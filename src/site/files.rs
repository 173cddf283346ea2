//! The files themselves: each is whole or not there.
//!
//! A page is written as ID.json.partial, brought to the disk and renamed. That happens in batches of 64 MB, with one call for the
//! whole file system where there is one: waiting for each page alone takes a millisecond and more. The rankings grow in the order of the rows, whatever
//! the order in which they come: a row that is early waits in memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::page::Pages;
use super::{List, Site};
use crate::error::Result;
use crate::progress::Progress;
use crate::store::errors::file_error;
use crate::store::partial::{self, partial_path};
use crate::store::place::{sync_directory, sync_files, SyncError};

/// The files of a site, while they are written.
pub(super) struct Files<'a> {
    site: &'a Site,
    pages: Pages,
    rankings: Option<Mutex<Rankings>>,
    /// Pages that have not reached the disk yet.
    waiting: Mutex<Vec<Page>>,
    progress: &'a Progress,
}

/// A whole page under its temporary name.
struct Page {
    partial: PathBuf,
    path: PathBuf,
    bytes: u64,
}

/// Bytes and pages of a batch.
const BATCH_BYTES: u64 = 64 << 20;
const BATCH_PAGES: usize = 1024;

/// The file of the rankings, while it grows.
struct Rankings {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    /// The row that comes next.
    next: u32,
    waiting: BTreeMap<u32, Vec<u8>>,
    bytes: u64,
    finished: bool,
}

/// A row of a site: the item it belongs to, the others in order, and for `List::Similar` their similarities.
pub(super) struct SiteRow<'a> {
    pub(super) number: u32,
    pub(super) item: u32,
    pub(super) others: &'a [u32],
    pub(super) similarities: &'a [f32],
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
        let pages = Pages::new(list, num_items, site.ids.as_deref());
        let rows = if site.directory.is_some() { items.len() as u64 } else { 0 };
        progress.expect_files(rows + u64::from(site.rankings.is_some()));
        if let Some(directory) = &site.directory {
            fs::create_dir_all(directory)
                .map_err(|error| file_error("create", directory, 0, &error))?;
        }
        let rankings = match &site.rankings {
            Some(path) => Some(Mutex::new(Rankings::begin(path, &pages.begin_rankings(items))?)),
            None => None,
        };
        Ok(Files { site, pages, rankings, waiting: Mutex::default(), progress })
    }

    /// Writes a row. `text` is memory to work in.
    pub(super) fn write(&self, row: &SiteRow, text: &mut Vec<u8>) -> Result<()> {
        let top = match self.site.top {
            0 => row.others.len(),
            top => row.others.len().min(top as usize),
        };
        let (others, similarities) = (&row.others[..top], row.similarities.get(..top));
        if let Some(directory) = &self.site.directory {
            let item = row.item as usize;
            let metadata = self.site.metadata.as_ref().map(|texts| texts[item].as_str());
            self.pages.page(row.item, metadata, others, similarities.unwrap_or_default(), text);
            let name = match &self.site.ids {
                Some(ids) => format!("{}.json", ids[item]),
                None => format!("{item}.json"),
            };
            self.write_page(&directory.join(name), text)?;
        }
        if let Some(rankings) = &self.rankings {
            text.clear();
            self.pages.ranking(others.iter().copied(), text);
            rankings.lock().unwrap_or_else(PoisonError::into_inner).add(row.number, text)?;
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
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(page);
        let bytes: u64 = waiting.iter().map(|page| page.bytes).sum();
        if bytes < BATCH_BYTES && waiting.len() < BATCH_PAGES {
            return Ok(());
        }
        let batch = std::mem::take(&mut *waiting);
        drop(waiting);
        self.name_batch(batch)
    }

    /// Gives a whole page its name.
    fn name(&self, page: Page) -> Result<()> {
        fs::rename(&page.partial, &page.path).map_err(|error| {
            let _ = fs::remove_file(&page.partial);
            file_error("write", &page.path, page.bytes, &error)
        })?;
        self.progress.add_file(page.bytes);
        Ok(())
    }

    /// Brings pages to the disk and gives them their names. After an error the others still get theirs.
    fn name_batch(&self, batch: Vec<Page>) -> Result<()> {
        let partials: Vec<&Path> = batch.iter().map(|page| page.partial.as_path()).collect();
        if let Err(SyncError { file, error }) = sync_files(&partials) {
            let error = file_error("sync", &file, 0, &error);
            partials.iter().for_each(|partial| drop(fs::remove_file(partial)));
            return Err(error);
        }
        let named: Vec<Result<()>> = batch.into_iter().map(|page| self.name(page)).collect();
        named.into_iter().collect()
    }

    /// Names what waits, finishes the rankings and brings the folder to the disk.
    pub(super) fn finish(mut self) -> Result<()> {
        let waiting = self.waiting.get_mut().unwrap_or_else(PoisonError::into_inner);
        let batch = std::mem::take(waiting);
        self.name_batch(batch)?;
        if let Some(rankings) = self.rankings.take() {
            let rankings = rankings.into_inner().unwrap_or_else(PoisonError::into_inner);
            let bytes = rankings.finish(self.pages.end_rankings())?;
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
        let waiting = self.waiting.get_mut().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().for_each(|page| drop(fs::remove_file(&page.partial)));
    }
}

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

impl Rankings {
    fn begin(path: &Path, text: &[u8]) -> Result<Rankings> {
        let partial = partial_path(path);
        let file = partial::open(&partial)?;
        file.set_len(0).map_err(|error| file_error("write", &partial, 0, &error))?;
        let file = BufWriter::with_capacity(BUFFER, file);
        let (path, waiting) = (path.to_owned(), BTreeMap::new());
        let mut rankings =
            Rankings { path, partial, file, next: 0, waiting, bytes: 0, finished: false };
        rankings.write(text)?;
        Ok(rankings)
    }

    fn write(&mut self, text: &[u8]) -> Result<()> {
        self.bytes += text.len() as u64;
        let error = |error: io::Error| file_error("write", &self.path, text.len() as u64, &error);
        self.file.write_all(text).map_err(error)
    }

    /// Takes the ranking of row `row`, now or when the rows before it have come.
    fn add(&mut self, row: u32, text: &[u8]) -> Result<()> {
        if row != self.next {
            self.waiting.insert(row, text.to_vec());
            return Ok(());
        }
        self.append(text)?;
        while let Some(text) = self.waiting.remove(&self.next) {
            self.append(&text)?;
        }
        Ok(())
    }

    fn append(&mut self, text: &[u8]) -> Result<()> {
        if self.next > 0 {
            self.write(b",\n")?;
        }
        self.next += 1;
        self.write(text)
    }

    fn finish(mut self, end: &[u8]) -> Result<u64> {
        self.write(end)?;
        let flushed = self.file.flush();
        let finish = || partial::finish(self.file.get_ref(), &self.partial, &self.path);
        flushed
            .and_then(|()| finish())
            .map_err(|error| file_error("finish", &self.path, 0, &error))?;
        self.finished = true;
        Ok(self.bytes)
    }
}

impl Drop for Rankings {
    /// Half a file of rankings is of no use.
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.partial);
        }
    }
}
