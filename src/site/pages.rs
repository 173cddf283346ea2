//! The pages: each is whole or not there.
//!
//! A page is written as ID.json.partial, brought to the disk and renamed. That happens in batches
//! of up to 64 MB, with one call for the whole file system where there is one: waiting for each
//! page alone takes a millisecond and more. The folder is locked meanwhile, so that a partial page
//! which is there belongs to no run, and is replaced. Nothing but pages is replaced, and no link is
//! followed: before all work each name is looked at, and again when its page gets it.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::batch::BatchSize;
use super::folder::{Folder, Locked};
use super::json;
use super::ours::{require_ours, Extent};
use super::request::Site;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::errors::file_error;
use crate::store::partial::partial_path;
use crate::threads::{apart, lock};

/// Bytes of a batch.
const BATCH_BYTES: u64 = 64 << 20;

/// How long to wait for a run that may be at its end: a cancelled one holds the lock for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pages of a site, while they are written.
pub(super) struct Pages<'a> {
    site: &'a Site,
    folder: &'a Folder,
    /// Those that have not reached the disk yet.
    waiting: Mutex<Vec<Page>>,
    batch: BatchSize,
    progress: &'a Progress,
}

/// A whole page under its temporary name.
#[derive(Debug, Clone, Copy)]
struct Page {
    item: u32,
    bytes: u64,
}

impl<'a> Pages<'a> {
    /// Locks the folder, and refuses what stands at the name of a page and is none. `items` are
    /// those of the pages.
    pub(super) fn begin(
        site: &'a Site,
        folder: &'a Folder,
        items: impl Iterator<Item = u32>,
        progress: &'a Progress,
    ) -> Result<Pages<'a>> {
        lock_folder(folder, progress)?;
        let pages =
            Pages { site, folder, waiting: Mutex::default(), batch: BatchSize::new(), progress };
        for item in items {
            progress.check()?;
            pages.check_name(item)?;
            pages.check_partial(item)?;
        }
        Ok(pages)
    }

    fn name(&self, item: u32) -> PathBuf {
        self.site.page_name(item).into()
    }

    fn partial_name(&self, item: u32) -> PathBuf {
        partial_path(&self.name(item))
    }

    /// Refuses what is no page of this item.
    fn check_name(&self, item: u32) -> Result<()> {
        let form = || json::page_form(self.site, item);
        require_ours(self.folder, &self.name(item), Extent::Whole, form)
    }

    fn check_partial(&self, item: u32) -> Result<()> {
        let form = || json::page_form(self.site, item);
        require_ours(self.folder, &self.partial_name(item), Extent::Half, form)
    }

    /// Writes the page of an item.
    pub(super) fn write(&self, item: u32, text: &[u8]) -> Result<()> {
        let page = Page { item, bytes: text.len() as u64 };
        let partial = self.partial_name(item);
        let failed = |error| file_error("write", &self.place(item), page.bytes, &error);
        let mut file = match self.folder.create(&partial) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.check_partial(item)?;
                self.folder.remove(&partial).map_err(failed)?;
                self.folder.create(&partial).map_err(failed)?
            }
            created => created.map_err(failed)?,
        };
        if let Err(error) = file.write_all(text) {
            self.remove(page);
            return Err(failed(error));
        }
        if self.site.no_sync {
            return self.give_name(page);
        }
        let batch = self.wait_for_batch(page);
        self.name_batch(&batch)
    }

    /// Names what waits, and brings the folder to the disk.
    pub(super) fn finish(&self) -> Result<()> {
        let batch = std::mem::take(&mut *lock(&self.waiting));
        self.name_batch(&batch)?;
        if self.site.no_sync {
            return Ok(());
        }
        self.folder.sync().map_err(|error| file_error("sync", self.folder.path(), 0, &error))
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

    /// Brings pages to the disk and gives them their names. After an error the others still get
    /// theirs.
    fn name_batch(&self, batch: &[Page]) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let names: Vec<PathBuf> = batch.iter().map(|page| self.partial_name(page.item)).collect();
        if let Err(error) = self.sync(names) {
            batch.iter().for_each(|&page| self.remove(page));
            return Err(error);
        }
        let begin = Instant::now();
        let named: Vec<Result<()>> = batch.iter().map(|&page| self.give_name(page)).collect();
        self.batch.learn(batch.len(), begin.elapsed());
        named.into_iter().collect()
    }

    /// Brings files to the disk. A thread waits for it that a cancelled run leaves alone.
    fn sync(&self, names: Vec<PathBuf>) -> Result<()> {
        let failed = |error| file_error("sync", self.folder.path(), 0, &error);
        let folder = self.folder.again().map_err(failed)?;
        let synced = apart(|| self.progress.check(), move || folder.sync_files(&names));
        synced?.map_err(failed)
    }

    /// Gives a whole page its name, unless the run is cancelled: where a page is replaced, a disk
    /// may take 4 ms for it.
    fn give_name(&self, page: Page) -> Result<()> {
        let (name, partial) = (self.name(page.item), self.partial_name(page.item));
        let rename = || {
            let failed = |error| file_error("write", &self.folder.place(&name), page.bytes, &error);
            self.progress.check()?;
            self.check_name(page.item)?;
            self.folder.rename(&partial, &name).map_err(failed)
        };
        if let Err(error) = rename() {
            self.remove(page);
            return Err(error);
        }
        self.progress.add_file(page.bytes);
        Ok(())
    }

    /// Gives up a page without a name.
    fn remove(&self, page: Page) {
        let _ = self.folder.remove(&self.partial_name(page.item));
    }

    fn place(&self, item: u32) -> PathBuf {
        self.folder.place(&self.name(item))
    }
}

impl Drop for Pages<'_> {
    /// After an error or a cancel: pages without a name are gone.
    fn drop(&mut self) {
        lock(&self.waiting).iter().for_each(|&page| self.remove(page));
    }
}

/// Keeps other runs from the folder as long as it is open. Where it cannot be locked nobody is kept
/// out.
fn lock_folder(folder: &Folder, progress: &Progress) -> Result<()> {
    let begin = Instant::now();
    while folder.lock() == Locked::Busy {
        progress.check()?;
        if begin.elapsed() > PATIENCE {
            return Err(Error::FileBusy { path: folder.path().display().to_string() });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
