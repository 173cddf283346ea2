//! Where the files of a site go: checked and opened before any work.
//!
//! What is opened here stays what it is, also when the program changes its current folder while
//! the job is at work.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::folder::Folder;
use super::json::rankings_form;
use super::ours::{require_ours, Extent};
use super::request::Site;
use crate::error::{Error, Result};
use crate::store::errors::file_error;
use crate::store::partial::partial_path;

/// Where the files of a site go.
#[derive(Debug)]
pub(crate) struct Targets {
    /// The folder of the pages.
    pub(super) pages: Option<Folder>,
    pub(super) rankings: Option<RankingsTarget>,
}

/// Where the rankings go.
#[derive(Debug)]
pub(super) struct RankingsTarget {
    pub(super) folder: Folder,
    pub(super) name: PathBuf,
}

impl RankingsTarget {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.place(&self.name)
    }

    pub(super) fn partial_name(&self) -> PathBuf {
        partial_path(&self.name)
    }

    /// Refuses what stands there and is no file of rankings.
    pub(super) fn check_name(&self) -> Result<()> {
        require_ours(&self.folder, &self.name, Extent::Whole, rankings_form)
    }

    fn check(&self) -> Result<()> {
        self.check_name()?;
        require_ours(&self.folder, &self.partial_name(), Extent::Half, rankings_form)
    }
}

/// Checks what can be seen without making anything.
pub(crate) fn check(site: &Site, num_items: u32) -> Result<()> {
    let pages = site.directory.as_deref();
    let pages =
        pages.map(|path| resolve(path).map_err(|error| unmade(path, &error))).transpose()?;
    if let Some(found) = pages.as_ref().filter(|path| path.exists() && !path.is_dir()) {
        return Err(unmade(found, &ErrorKind::NotADirectory.into()));
    }
    let Some(path) = &site.rankings else { return Ok(()) };
    let RankingsPath { folder, name } = rankings_path(path)?;
    let resolved = resolve(&folder).map_err(|error| unopened(&folder, &error))?;
    if let Some(pages) = &pages {
        check_apart(site, num_items, pages, &resolved.join(&name), path)?;
    }
    if !resolved.exists() {
        // It is there when the pages' folder is.
        return match pages.is_some_and(|pages| pages.starts_with(&resolved)) {
            true => Ok(()),
            false => Err(unopened(&folder, &ErrorKind::NotFound.into())),
        };
    }
    let folder = Folder::open(&folder).map_err(|error| unopened(&folder, &error))?;
    RankingsTarget { folder, name }.check()
}

/// Checks everything and opens the folders; makes that of the pages where it is missing.
pub(crate) fn open(site: &Site, num_items: u32) -> Result<Targets> {
    check(site, num_items)?;
    let pages = site.directory.as_deref().map(open_pages).transpose()?;
    let rankings = site.rankings.as_deref().map(open_rankings).transpose()?;
    if let (Some(pages), Some(RankingsTarget { folder, name })) = (&pages, &rankings) {
        // Also where two paths lead to it.
        if pages.is(folder).map_err(|error| unopened(folder.path(), &error))? {
            check_no_page(site, num_items, name.as_os_str(), &folder.place(name))?;
        }
    }
    Ok(Targets { pages, rankings })
}

fn open_pages(path: &Path) -> Result<Folder> {
    fs::create_dir_all(path).map_err(|error| unmade(path, &error))?;
    let folder = Folder::open(path).map_err(|error| unopened(path, &error))?;
    try_out(&folder)?;
    Ok(folder)
}

fn open_rankings(path: &Path) -> Result<RankingsTarget> {
    let RankingsPath { folder, name } = rankings_path(path)?;
    let folder = Folder::open(&folder).map_err(|error| unopened(&folder, &error))?;
    try_out(&folder)?;
    let target = RankingsTarget { folder, name };
    target.check()?;
    Ok(target)
}

/// Refuses a folder in which no file can be made.
fn try_out(folder: &Folder) -> Result<()> {
    let made = folder.unnamed();
    made.map(drop).map_err(|error| file_error("make files in", folder.path(), 0, &error))
}

/// The path of rankings in two parts.
struct RankingsPath {
    folder: PathBuf,
    name: PathBuf,
}

/// The folder of the rankings and their name in it; of a link, those of the file that it leads to,
/// which is replaced beside itself.
fn rankings_path(path: &Path) -> Result<RankingsPath> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    let path = match is_link {
        true => fs::canonicalize(path).map_err(|error| file_error("follow", path, 0, &error))?,
        false => path.to_owned(),
    };
    let Some(name) = path.file_name() else {
        let (option, got) = ("rankings", path.display().to_string());
        return Err(Error::BadOption { option, got, allowed: "it must name a file".into() });
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).to_owned();
    Ok(RankingsPath { folder, name: name.into() })
}

/// Refuses rankings that would take the place of a page, or of the pages' folder. `given`: what the
/// caller calls them.
fn check_apart(
    site: &Site,
    num_items: u32,
    pages: &Path,
    rankings: &Path,
    given: &Path,
) -> Result<()> {
    if pages.starts_with(rankings) {
        let allowed = "it is the folder of the pages, or above it; choose a file".into();
        return Err(Error::BadOption {
            option: "rankings",
            got: given.display().to_string(),
            allowed,
        });
    }
    match rankings.strip_prefix(pages).ok().and_then(|below| below.components().next()) {
        Some(Component::Normal(name)) => check_no_page(site, num_items, name, given),
        _ => Ok(()),
    }
}

/// Refuses rankings at the name of a page, or below it.
fn check_no_page(site: &Site, num_items: u32, name: &OsStr, given: &Path) -> Result<()> {
    let Some(item) = name.to_str().and_then(|name| site.item_of_page(name, num_items)) else {
        return Ok(());
    };
    let allowed = format!(
        "that is the place of a page, of item {item} (0-based); choose another name or folder"
    );
    Err(Error::BadOption { option: "rankings", got: given.display().to_string(), allowed })
}

/// The path from the root and without links, as far as there is something.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    for known in absolute.ancestors() {
        match fs::canonicalize(known) {
            Ok(found) => {
                let missing = absolute.strip_prefix(known).unwrap_or(Path::new(""));
                // Joining an empty path would put a slash behind a file.
                return Ok(match missing.as_os_str().is_empty() {
                    true => found,
                    false => found.join(missing),
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::NotFound.into())
}

fn unmade(path: &Path, error: &io::Error) -> Error {
    file_error("create", path, 0, error)
}

fn unopened(path: &Path, error: &io::Error) -> Error {
    file_error("open", path, 0, error)
}
