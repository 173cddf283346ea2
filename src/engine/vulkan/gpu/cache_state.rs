//! Where compiled kernels are kept, and whether they can be: for those who tell users.

use std::fs;
use std::path::{Path, PathBuf};

use super::cache::{folder, NAME};
use super::private;
use crate::engine::vulkan::settings::PipelineCache;

/// The folder of compiled kernels, as the environment chooses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KernelCache {
    /// Switched off, or there is no folder for caches: every start compiles anew.
    Nowhere,
    /// In this folder.
    At {
        /// The folder.
        folder: PathBuf,
        /// Files of kernels that are there.
        files: u64,
        /// Bytes of these.
        bytes: u64,
        /// Why nothing can be written there.
        trouble: Option<String>,
    },
}

impl KernelCache {
    /// Looks at the folder as a run does that writes there: one that is missing is made.
    pub fn check() -> KernelCache {
        let Some(folder) = folder(&PipelineCache::Usual) else { return KernelCache::Nowhere };
        let trouble = write_to(&folder).err();
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.starts_with(NAME) && !name.contains('.'))
        });
        let sizes = ours.filter_map(|entry| Some(entry.metadata().ok()?.len()));
        let (files, bytes) = sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size));
        KernelCache::At { folder, files, bytes, trouble }
    }
}

/// Makes a file in the folder and removes it.
fn write_to(folder: &Path) -> Result<(), String> {
    private::make_folder(folder).map_err(|error| format!("it cannot be made: {error}"))?;
    private::check_folder(folder)
        .map_err(|_| "it is another user's, or others may write to it".to_owned())?;
    let file = folder.join(format!("{NAME}check.{}.partial", std::process::id()));
    private::create(&file).map_err(|error| format!("no file can be made in it: {error}"))?;
    fs::remove_file(&file).map_err(|error| format!("no file can be removed from it: {error}"))
}
