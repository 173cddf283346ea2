//! Compiled kernels on the disk, so that the next start need not compile them again.
//!
//! The driver's own bytes are handed back only to the driver that made them: damaged ones are
//! undefined behaviour there. So they lie behind a header of ours with a key (device, driver, its
//! cache's UUID, this library's version), their length and their hash. The key is in the file's
//! name, too: each driver has a file of its own, a damaged one is ignored and replaced, those of
//! earlier drivers stay. A cache is no result: where it cannot be read or written, the run goes on
//! without.
//!
//! A hash keeps out accidents, not people: so a file is believed only where nobody but the user
//! could have written it, and written only into a folder of which that holds (`private`).

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use ash::vk;
use xxhash_rust::xxh3::xxh3_64;

use super::calls;
use super::device::Device;
use super::private;
use crate::engine::vulkan::settings::PipelineCache;
use crate::environment;

const MAGIC: [u8; 8] = *b"vkdcache";
const VERSION: u32 = 1;

/// What the names of all files begin with.
pub(super) const NAME: &str = "kernels-";

/// Magic, version, key, length, hash.
const HEADER: usize = 8 + 4 + 8 + 8 + 8;

/// Files written by this process so far.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// More than all kernels take; a file that is larger is none of ours.
const LARGEST: u64 = 64 << 20;

/// The folder that a setting means.
pub(super) fn folder(place: &PipelineCache) -> Option<PathBuf> {
    match place {
        PipelineCache::Off => None,
        PipelineCache::At(folder) => Some(folder.clone()),
        PipelineCache::Usual => match environment::path("VKD_PIPELINE_CACHE") {
            Some(value) if value.as_os_str() == "off" => None,
            Some(folder) => Some(folder),
            None => {
                let home = || environment::path("HOME").map(|home| home.join(".cache"));
                let mut caches = ["XDG_CACHE_HOME", "LOCALAPPDATA"].into_iter();
                Some(caches.find_map(environment::path).or_else(home)?.join("vkd"))
            }
        },
    }
}

/// The cache of an opened device.
pub(crate) struct Cache {
    device: Arc<Device>,
    raw: vk::PipelineCache,
    file: Option<PathBuf>,
    key: u64,
    /// What the file holds is not all that the driver has.
    stale: AtomicBool,
}

impl Cache {
    /// Reads what an earlier start left.
    pub(crate) fn new(device: &Arc<Device>, place: &PipelineCache) -> Cache {
        let key = key(device);
        let file = folder(place).map(|folder| folder.join(format!("{NAME}{key:016x}")));
        let known = file.as_deref().and_then(|file| read(file, key)).unwrap_or_default();
        let info = vk::PipelineCacheCreateInfo::default().initial_data(&known);
        // SAFETY: the device is live, and the data is what this driver gave for this device.
        let create = || unsafe { device.raw().create_pipeline_cache(&info, None) };
        // Pipelines can be built with a null cache, too.
        let raw = device.call(&calls::CREATE_PIPELINE_CACHE, create).unwrap_or_default();
        let stale = AtomicBool::new(false);
        Cache { device: Arc::clone(device), raw, file, key, stale }
    }

    pub(super) fn raw(&self) -> vk::PipelineCache {
        self.raw
    }

    /// A pipeline was built that may not be in the file.
    pub(super) fn mark(&self) {
        self.stale.store(true, Relaxed);
    }

    /// Brings what was built since to the disk.
    pub(super) fn save(&self) {
        if !self.stale.swap(false, Relaxed) || self.raw == vk::PipelineCache::null() {
            return;
        }
        let Some(file) = &self.file else { return };
        // SAFETY: the cache is live and has one user.
        let get = || unsafe { self.device.raw().get_pipeline_cache_data(self.raw) };
        let Ok(data) = self.device.call(&calls::GET_PIPELINE_CACHE, get) else { return };
        let contents = contents(self.key, &data);
        if bytes_of(file).is_some_and(|there| there == contents) {
            return;
        }
        // A run goes on without.
        let _ = write(file, &contents);
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // SAFETY: no pipeline is being built, and the handle is used no more.
        unsafe { self.device.raw().destroy_pipeline_cache(self.raw, None) };
    }
}

/// What a file must have been made for.
fn key(device: &Device) -> u64 {
    let mut bytes = env!("CARGO_PKG_VERSION").as_bytes().to_vec();
    bytes.extend(device.cache_key());
    xxh3_64(&bytes)
}

fn contents(key: u64, data: &[u8]) -> Vec<u8> {
    let mut contents = Vec::with_capacity(HEADER + data.len());
    contents.extend(MAGIC);
    contents.extend(VERSION.to_le_bytes());
    contents.extend(key.to_le_bytes());
    contents.extend((data.len() as u64).to_le_bytes());
    contents.extend(xxh3_64(data).to_le_bytes());
    contents.extend(data);
    contents
}

/// The driver's bytes, if the file is whole and was made for `key`.
fn read(file: &Path, key: u64) -> Option<Vec<u8>> {
    let there = bytes_of(file)?;
    let data = there.get(HEADER..)?;
    (there == contents(key, data)).then(|| data.to_vec())
}

/// All of a file that the user alone could have written, if it is not too large to be ours.
fn bytes_of(path: &Path) -> Option<Vec<u8>> {
    let file = private::open(path).ok()?;
    let mut bytes = Vec::new();
    // One byte more shows that it is too large, whatever it says of its length.
    file.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LARGEST).then_some(bytes)
}

/// Writes a file under a name that nobody else uses, and gives it its own when it is whole.
fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    private::make_folder(folder)?;
    private::check_folder(folder)?;
    private::check_replaceable(path)?;
    // A name that no other process and no other device of this one writes to.
    let number = WRITTEN.fetch_add(1, Relaxed);
    let partial = path.with_extension(format!("{}-{number}.partial", std::process::id()));
    let mut file = private::create(&partial)?;
    let written = file.write_all(contents).and_then(|()| fs::rename(&partial, path));
    written.inspect_err(|_| drop(fs::remove_file(&partial)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_files_of_the_same_key_are_believed() {
        let file = std::env::temp_dir().join(format!("vkd-cache-{}", std::process::id()));
        let whole = contents(7, b"kernels");
        fs::write(&file, &whole).unwrap();
        assert_eq!(read(&file, 7).as_deref(), Some(b"kernels".as_slice()));
        assert_eq!(read(&file, 8), None);
        for length in 0..whole.len() {
            fs::write(&file, &whole[..length]).unwrap();
            assert_eq!(read(&file, 7), None, "{length} bytes");
        }
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &bytes).unwrap();
            assert_eq!(read(&file, 7), None, "bit {bit}");
        }
        fs::write(&file, [whole.as_slice(), b"x"].concat()).unwrap();
        assert_eq!(read(&file, 7), None);
        fs::remove_file(&file).unwrap();
        assert_eq!(read(&file, 7), None);
    }
}
