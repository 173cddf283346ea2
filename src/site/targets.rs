//! Where the files of a site go: checked and opened before any work.
//!
//! What is opened here stays what it is, also when the program changes its current folder while
//! the job is at work.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::folder::Folder;
use super::request::Site;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::store::errors::file_error;
use crate::store::partial::PartialFile;
use crate::store::{follow_links, Family, OutputFile, OutputPlace};

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
    /// Locked: no other run writes there.
    pub(super) partial: PartialFile,
}

#[cfg(test)]
impl RankingsTarget {
    pub(super) fn open(path: &Path, progress: &Progress) -> Result<RankingsTarget> {
        let place = rankings_path(path)?;
        let folder = open_folder(&place.folder)?;
        hold(place, folder, progress)
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
    OutputPlace::check(path, Family::Rankings)
}

/// Checks everything and opens the folders; makes that of the pages where it is missing. The place
/// of the rankings is given up when `progress` is cancelled.
pub(crate) fn open(site: &Site, num_items: u32, progress: &Progress) -> Result<Targets> {
    check(site, num_items)?;
    let pages = site.directory.as_deref().map(open_pages).transpose()?;
    let Some(path) = &site.rankings else { return Ok(Targets { pages, rankings: None }) };
    let place = rankings_path(path)?;
    let folder = open_folder(&place.folder)?;
    if let Some(pages) = &pages {
        // Also where two paths lead to it.
        if pages.is(&folder).map_err(|error| unopened(folder.path(), &error))? {
            check_no_page(site, num_items, place.name.as_os_str(), path)?;
        }
    }
    Ok(Targets { pages, rankings: Some(hold(place, folder, progress)?) })
}

fn open_pages(path: &Path) -> Result<Folder> {
    fs::create_dir_all(path).map_err(|error| unmade(path, &error))?;
    let folder = open_folder(path)?;
    try_out(&folder)?;
    Ok(folder)
}

fn open_folder(path: &Path) -> Result<Folder> {
    Folder::open(path).map_err(|error| unopened(path, &error))
}

/// Locks the place of the rankings, and refuses what stands there and is none.
fn hold(place: RankingsPath, folder: Folder, progress: &Progress) -> Result<RankingsTarget> {
    let target = OutputFile { path: place.folder.join(place.name), overwrite: true, ids: None };
    let partial = OutputPlace::new(&target, Family::Rankings, progress)?.hold()?;
    Ok(RankingsTarget { folder, partial })
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
    let path = follow_links(path)?;
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
