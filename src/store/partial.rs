//! NAME.partial: what a file is called until it is whole.
//!
//! Whoever writes holds a lock on it; who finds it locked is refused. The lock counts only where
//! the locked file still has the name: between opening and locking it another run may have finished
//! it, so that it has its final name and belongs to the readers. Then the name is opened anew. Only
//! who holds the lock removes or renames the partial file, and what the final name stands for is
//! looked at again under the lock, and once more before it is replaced.
//!
//! A cancelled run may still be at work for a while (in a driver) when its job has ended for all
//! who wait. The next run in the same process takes the file from it: what the cancelled one writes
//! later is refused.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use super::errors::{file_error, not_replaced};
use super::folder::{About, Identity};
use super::fork::Listed;
pub(crate) use super::location::partial_path;
use super::location::{require_file, Earlier, Location};
use super::place::reserve;
use crate::error::{Error, Result};
use crate::threads::lock;

/// How often a file is opened anew because another run finished it meanwhile.
const ATTEMPTS: usize = 100;

/// A partial file that this run holds.
#[derive(Debug)]
pub(crate) struct PartialFile {
    location: Location,
    held: Arc<Held>,
    replaces: Replaces,
    /// Whether it is of no use unless it gets its name.
    remove: AtomicBool,
}

/// What may have the final name when the file gets it.
#[derive(Debug)]
enum Replaces {
    Nothing,
    This(Identity),
    /// Whatever vkd may replace at all.
    Ours,
}

/// An open file that is locked, unless it was taken away.
#[derive(Debug)]
struct Held {
    file: RwLock<Option<Locked>>,
    identity: Identity,
    /// Whether the run that holds it was cancelled.
    cancelled: Arc<AtomicBool>,
}

/// All that this process holds.
static ALL_HELD: Mutex<Vec<Weak<Held>>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Locked {
    // Before the file: it is unlisted before it is closed.
    _listed: Listed,
    file: File,
    process: u32,
}

impl Drop for Locked {
    fn drop(&mut self) {
        // The lock ends here even where a forked child has the file open too.
        if self.process == std::process::id() {
            let _ = self.file.unlock();
        }
    }
}

impl PartialFile {
    /// Opens and locks the partial file at `location`, new or not.
    pub(super) fn open(
        location: Location,
        overwrite: bool,
        cancelled: &Arc<AtomicBool>,
    ) -> Result<PartialFile> {
        let opened = open_locked(&location)?;
        let held = Arc::new(Held {
            file: RwLock::new(Some(opened.locked)),
            identity: opened.identity,
            cancelled: Arc::clone(cancelled),
        });
        let mut all = lock(&ALL_HELD);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&held));
        drop(all);
        let replaces = if overwrite { Replaces::Ours } else { Replaces::Nothing };
        let remove = AtomicBool::new(opened.is_new);
        let partial = PartialFile { location, held, replaces, remove };
        partial.require_ours()?;
        Ok(partial)
    }

    /// Refuses a file that vkd did not write. An empty one is what a kill may leave.
    fn require_ours(&self) -> Result<()> {
        let family = self.location.family;
        let ours = |file: &File| Ok(file.metadata()?.len() == 0 || family.knows_file(file)?);
        match self.with("read", 0, ours)? {
            true => Ok(()),
            false => Err(not_replaced(&self.location.partial_path, family.unlike())),
        }
    }

    /// The finished file that is there, if it is not to be overwritten. This one then takes its
    /// place, and that of no other.
    pub(super) fn earlier(&mut self) -> Result<Option<File>> {
        // Whatever it is, it must be replaceable.
        let earlier = self.location.earlier()?;
        if matches!(self.replaces, Replaces::Ours) {
            return Ok(None);
        }
        self.replaces = match &earlier {
            Some(Earlier { identity, .. }) => Replaces::This(*identity),
            None => Replaces::Nothing,
        };
        Ok(earlier.map(|earlier| earlier.file))
    }

    /// Whether there is a finished file, which is to stay.
    pub(crate) fn has_earlier(&mut self) -> Result<bool> {
        Ok(self.earlier()?.is_some())
    }

    /// The path, for messages.
    pub(super) fn partial_path(&self) -> &Path {
        &self.location.partial_path
    }

    /// Works with the file, in an `action` that takes `bytes` bytes of it. Refused where a later
    /// run has it.
    pub(crate) fn with<T>(
        &self,
        action: &'static str,
        bytes: u64,
        work: impl FnOnce(&File) -> io::Result<T>,
    ) -> Result<T> {
        let locked = self.held.file.read().unwrap_or_else(PoisonError::into_inner);
        let Some(locked) = &*locked else { return Err(Error::Cancelled) };
        work(&locked.file).map_err(|error| file_error(action, self.partial_path(), bytes, &error))
    }

    /// Gives the file new contents of `bytes` bytes, which `fill` writes. Where there is no room
    /// for them, what was there stays.
    pub(super) fn create(
        &self,
        bytes: u64,
        fill: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<()> {
        self.with("create", bytes, |file| {
            let before = file.metadata()?.len();
            let restore = |error| {
                let _ = file.set_len(before);
                error
            };
            if before > 0 {
                reserve(file, before.max(bytes)).map_err(restore)?;
                file.set_len(0)?;
                return fill(file);
            }
            fill(file).map_err(restore)
        })
    }

    /// Empties the file, which is of no use before it has its name.
    pub(crate) fn begin_anew(&self) -> Result<()> {
        self.remove_unless_published();
        self.with("create", 0, |file| file.set_len(0))
    }

    /// Keeps the file for a later run where it does not get its name.
    pub(super) fn keep(&self) {
        self.remove.store(false, Relaxed);
    }

    /// Removes the file where it does not get its name.
    pub(super) fn remove_unless_published(&self) {
        self.remove.store(true, Relaxed);
    }

    /// Brings the file to the disk and gives it its name.
    pub(crate) fn publish(&self) -> Result<()> {
        self.with("finish", 0, File::sync_all)?;
        if matches!(self.replaces, Replaces::Ours) {
            self.location.earlier()?;
        }
        self.with("finish", 0, |_| {
            self.give_name()?;
            self.remove.store(false, Relaxed);
            self.location.folder.sync()
        })
    }

    fn give_name(&self) -> io::Result<()> {
        let Location { folder, name, partial, path, .. } = &self.location;
        let named = |name| Ok::<_, io::Error>(folder.about(name)?.map(|about| about.identity));
        if named(partial)? != Some(self.held.identity) {
            let reason = "it was moved, removed or replaced while the run was at work; leave it \
                          alone and call again";
            return Err(io::Error::other(reason));
        }
        let taken = || {
            let path = path.display();
            io::Error::other(format!(
                "another file took the name {path} while the run was at work; move that one away \
                 and call again"
            ))
        };
        match (&self.replaces, named(name)?) {
            (Replaces::Ours, _) => folder.rename(partial, name),
            (Replaces::This(earlier), Some(there)) if *earlier == there => {
                folder.rename(partial, name)
            }
            (_, Some(_)) => Err(taken()),
            (_, None) => folder.rename_new(partial, name).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => taken(),
                _ => error,
            }),
        }
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        let locked = self.held.file.read().unwrap_or_else(PoisonError::into_inner);
        let is_held = locked.as_ref().is_some_and(|locked| locked.process == std::process::id());
        let Location { folder, partial, .. } = &self.location;
        let has_name =
            || matches!(folder.about(partial), Ok(Some(now)) if now.identity == self.held.identity);
        if is_held && self.remove.load(Relaxed) && has_name() {
            let _ = folder.remove(partial);
        }
    }
}

/// A file that was opened and locked.
struct Opened {
    locked: Locked,
    identity: Identity,
    is_new: bool,
}

/// Opens and locks the partial file at `location`, anew as long as others finish theirs meanwhile.
fn open_locked(location: &Location) -> Result<Opened> {
    let path = &location.partial_path;
    for _ in 0..ATTEMPTS {
        let Some((file, is_new)) = open_once(location)? else { continue };
        let failed = |error: io::Error| file_error("open", path, 0, &error);
        let About { kind, identity, .. } = About::of(&file).map_err(failed)?;
        require_file(path, kind)?;
        #[cfg(test)]
        BEFORE_LOCK.take().into_iter().for_each(|work| work());
        // Listed before it is locked, so that no fork lies between the two.
        let locked = Locked { _listed: Listed::new(&file), file, process: std::process::id() };
        match locked.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                if take_from_cancelled(identity) {
                    continue;
                }
                return Err(Error::FileBusy { path: path.display().to_string() });
            }
            // A file system without locks; then nobody is kept out.
            Err(TryLockError::Error(_)) => {}
        }
        if still_partial(location, identity)? {
            // Whoever had it before the lock may have left something in it.
            let is_new = is_new && locked.file.metadata().map_err(failed)?.len() == 0;
            return Ok(Opened { locked, identity, is_new });
        }
    }
    Err(Error::FileBusy { path: path.display().to_string() })
}

/// Opens the partial file, or makes it (true); `None` where it came or went meanwhile.
fn open_once(location: &Location) -> Result<Option<(File, bool)>> {
    let Location { folder, partial, partial_path: path, .. } = location;
    let failed = |error: &io::Error| file_error("open", path, 0, error);
    let (opened, is_new, meanwhile) = match folder.about(partial).map_err(|e| failed(&e))? {
        Some(about) => {
            require_file(path, about.kind)?;
            (folder.write(partial), false, io::ErrorKind::NotFound)
        }
        None => (folder.create(partial), true, io::ErrorKind::AlreadyExists),
    };
    match opened {
        Ok(file) => Ok(Some((file, is_new))),
        Err(error) if error.kind() == meanwhile => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// Whether a locked file has the name of a partial file, and no other.
fn still_partial(location: &Location, locked: Identity) -> Result<bool> {
    let Location { folder, name, partial, partial_path: path, .. } = location;
    let about = |name| folder.about(name).map_err(|error| file_error("open", path, 0, &error));
    let now = match about(partial)? {
        Some(now) if now.identity == locked => now,
        _ => return Ok(false),
    };
    if about(name)?.is_some_and(|named| named.identity == locked) {
        // Killed between the two steps that give a name where one step does not do.
        folder.remove(partial).map_err(|error| file_error("open", path, 0, &error))?;
        return Ok(false);
    }
    match now.names {
        1 => Ok(true),
        _ => Err(not_replaced(path, "the file has several names (hard links)")),
    }
}

/// Takes a file from a cancelled run of this process; whether there was one that held it.
fn take_from_cancelled(identity: Identity) -> bool {
    let all = lock(&ALL_HELD).clone();
    let is_cancelled = |held: &Arc<Held>| held.identity == identity && held.cancelled.load(Relaxed);
    all.iter().filter_map(Weak::upgrade).filter(is_cancelled).any(|held| {
        // Waits for a row that is being written.
        held.file.write().unwrap_or_else(PoisonError::into_inner).take().is_some()
    })
}

#[cfg(test)]
thread_local! {
    /// What another run does between this thread's opening of a file and its locking.
    static BEFORE_LOCK: std::cell::Cell<Option<Box<dyn FnOnce()>>> = const {
        std::cell::Cell::new(None)
    };
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::family::Family;

    /// A run that finishes while this one has opened its partial file, but not locked it.
    #[test]
    fn what_was_finished_before_the_lock_is_not_touched() {
        let path = std::env::temp_dir().join(format!("vkd-partial-{}", std::process::id()));
        let partial = partial_path(&path);
        let open = || {
            PartialFile::open(
                Location::new(&path, Family::Results).unwrap(),
                false,
                &Arc::default(),
            )
        };
        fs::write(&partial, "").unwrap();
        let (from, to) = (partial.clone(), path.clone());
        BEFORE_LOCK.set(Some(Box::new(move || {
            let header = "12345678{\"__metadata__\":{\"format\":\"vkd sequences 2\"";
            fs::write(&from, header).unwrap();
            fs::rename(&from, &to).unwrap();
        })));
        let mut held = open().unwrap();
        held.with("write", 3, |mut file| io::Write::write_all(&mut file, b"new")).unwrap();
        assert!(held.earlier().unwrap().is_some());
        assert!(fs::read(&path).unwrap().starts_with(b"12345678"));
        assert_eq!(fs::read(&partial).unwrap(), b"new");
        assert!(matches!(open(), Err(Error::FileBusy { .. })));
        drop(held);
        assert!(!partial.exists());
        // Killed between giving the final name and taking the other away.
        fs::hard_link(&path, &partial).unwrap();
        drop(open().unwrap());
        assert!(!partial.exists() && fs::read(&path).unwrap().starts_with(b"12345678"));
        fs::remove_file(&path).unwrap();
    }

    /// The reason is said, and the file gets its name as soon as it can.
    #[test]
    #[cfg(windows)]
    fn a_file_that_is_open_is_not_replaced() {
        let path = std::env::temp_dir().join(format!("vkd-partial-open-{}", std::process::id()));
        let header = "12345678{\"__metadata__\":{\"format\":\"vkd sequences 2\"";
        fs::write(&path, header).unwrap();
        let location = Location::new(&path, Family::Results).unwrap();
        let partial = PartialFile::open(location, true, &Arc::default()).unwrap();
        partial.with("write", 3, |mut file| io::Write::write_all(&mut file, b"new")).unwrap();
        let reader = crate::store::map::open(&path).unwrap();
        let text = partial.publish().unwrap_err().to_string();
        assert!(text.contains("replaces no file that is open"), "{text}");
        assert_eq!(*reader, *header.as_bytes());
        drop(reader);
        partial.publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        drop(partial);
        fs::remove_file(&path).unwrap();
    }
}
