//! Compiled kernels on the disk: written once, read again, replaced when damaged, and never in the
//! way of a run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{compute, random, reference, vulkan};
use vkd::engine::vulkan::{PipelineCache, Settings};
use vkd::Request;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("vkd-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn run(pipeline_cache: PipelineCache) {
    let corpus = random(67, 5, 1);
    let expected = reference(&corpus, false, &Request::default());
    let options = vulkan(Settings { pipeline_cache, ..Settings::default() });
    assert!(compute(&options, &corpus, false, &Request::default()) == expected);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn it_is_written_once_and_replaced_when_damaged() {
    let folder = folder("kernel-cache");
    // A folder that is not there yet, below another one.
    let place = PipelineCache::At(folder.join("deep"));
    run(place.clone());
    let there = files(&folder.join("deep"));
    let [file] = there.as_slice() else { panic!("{there:?}") };
    let whole = fs::read(file).unwrap();
    let written = fs::metadata(file).unwrap().modified().unwrap();
    run(place.clone());
    assert_eq!(fs::metadata(file).unwrap().modified().unwrap(), written, "written again");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    let damaged = [
        Vec::new(),
        whole[..20].to_vec(),
        flipped(0),
        flipped(13),
        flipped(whole.len() - 1),
        vec![7; 5000],
    ];
    for bytes in damaged {
        fs::write(file, &bytes).unwrap();
        run(place.clone());
        assert_eq!(fs::read(file).unwrap(), whole, "{} bytes were not replaced", bytes.len());
    }
    assert_eq!(files(&folder.join("deep")).len(), 1, "something was left behind");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn off_is_off_and_a_place_that_cannot_be_written_does_no_harm() {
    run(PipelineCache::Off);
    let folder = folder("no-kernel-cache");
    fs::write(&folder, "a file, no folder").unwrap();
    run(PipelineCache::At(folder.join("below")));
    run(PipelineCache::At(folder.clone()));
    assert_eq!(fs::read_to_string(&folder).unwrap(), "a file, no folder");
    fs::remove_file(folder).unwrap();
}

/// What is no file that the user alone could have written is neither read nor replaced; a link is
/// not followed, to /dev/zero neither, which has no end.
#[cfg(unix)]
#[test]
fn links_fifos_devices_and_files_of_others_are_left_alone() {
    use std::os::unix::fs::{symlink, FileTypeExt, PermissionsExt};
    let folder = folder("kernel-cache-strange");
    let place = PipelineCache::At(folder.clone());
    run(place.clone());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let [file] = files(&folder).try_into().unwrap();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    let whole = fs::read(&file).unwrap();
    let elsewhere = std::env::temp_dir().join(format!("vkd-elsewhere-{}", std::process::id()));
    let begin = std::time::Instant::now();
    for target in [Path::new("/dev/zero"), &elsewhere] {
        fs::write(&elsewhere, &whole).unwrap();
        fs::remove_file(&file).unwrap();
        symlink(target, &file).unwrap();
        run(place.clone());
        assert!(fs::symlink_metadata(&file).unwrap().is_symlink(), "{target:?} was replaced");
        assert_eq!(fs::read(&elsewhere).unwrap(), whole);
    }
    fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    run(place.clone());
    assert!(fs::symlink_metadata(&file).unwrap().file_type().is_fifo());
    fs::remove_file(&file).unwrap();
    // Larger than any of ours, and with nothing in it.
    fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    run(place.clone());
    assert_eq!(fs::read(&file).unwrap(), whole);
    // A folder to which others may write: nothing there is believed, and nothing is added.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    fs::remove_file(&file).unwrap();
    run(place.clone());
    assert_eq!(files(&folder).len(), 0);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    // A file to which others may write counts as damaged.
    fs::write(&file, &whole).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    run(place);
    assert_eq!(mode(&file), 0o600);
    assert!(begin.elapsed() < std::time::Duration::from_secs(60), "{:?}", begin.elapsed());
    assert_eq!(files(&folder).len(), 1, "something was left behind");
    fs::remove_dir_all(folder).unwrap();
    fs::remove_file(elsewhere).unwrap();
}
