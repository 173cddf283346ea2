//! What stands at the places of a site's files: names that collide, files that are not ours, links,
//! other runs, folders that cannot be written, another current folder, little memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![cfg(unix)]

mod common;

use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{symlink, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use common::random;
use vkd::context::{start_site_write, Destination, NeighborsRequest};
use vkd::site::{Site, Source};
use vkd::store::OutputFile;
use vkd::{Context, ContextOptions, Elements, Error, Input, Rule};

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("vkd-targets-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).unwrap();
    path
}

fn in_memory(num_items: u32, k: u32) -> Source {
    let neighbor = |item: u32| (0..k).map(move |place| (item + 1 + place) % num_items);
    let indices: Vec<u32> = (0..num_items).flat_map(neighbor).collect();
    let similarities = vec![0.5; indices.len()];
    Source::Neighbors { k, indices, similarities }
}

fn write_from(source: Source, site: &Site) -> Result<(), Error> {
    start_site_write(source, site.clone())?.into_result()
}

/// Three items: a, b and c.
fn write(site: &Site) -> Result<(), Error> {
    write_from(in_memory(3, 2), site)
}

fn site(folder: &Path) -> Site {
    Site {
        directory: Some(folder.join("pages")),
        rankings: Some(folder.join("rankings.json")),
        ids: Some(["a", "b", "c"].map(String::from).into()),
        ..Site::default()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| name(entry).unwrap()).collect();
    names.sort();
    names
}

fn fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a NUL-terminated path.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

#[test]
fn rankings_never_take_the_place_of_a_page() {
    let folder = folder("place");
    let lists = [Some(["a", "Straße", "c"].map(String::from).to_vec()), None];
    symlink(folder.join("pages"), folder.join("link")).unwrap();
    for ids in lists {
        let good = Site { ids: ids.clone(), ..site(&folder) };
        let page = if ids.is_some() { "Straße.json" } else { "1.json" };
        let refused = |rankings: PathBuf| {
            let error = write(&Site { rankings: Some(rankings), ..good.clone() }).unwrap_err();
            assert!(matches!(error, Error::BadOption { option: "rankings", .. }), "{error}");
            error.to_string()
        };
        let pages = folder.join("pages");
        assert!(refused(pages.join(page)).contains("item 1"));
        refused(pages.join(format!("{page}.partial")));
        refused(pages.join(page).join("below"));
        refused(pages.clone());
        refused(folder.clone());
        if ids.is_some() {
            refused(pages.join("STRASSE.JSON"));
        }
        assert_eq!(names(&folder), ["link"], "something was made");
        // Once there is a folder, by whatever path.
        fs::create_dir(&pages).unwrap();
        refused(folder.join("link").join(page));
        refused(folder.join("pages/../pages/.").join(page));
        assert_eq!(names(&pages), [""; 0]);
        for rankings in ["rankings.json", "0.txt", "3.json"] {
            write(&Site { rankings: Some(pages.join(rankings)), ..good.clone() }).unwrap();
        }
        fs::remove_dir_all(pages).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
}

/// Ids that are one file on some system are refused.
#[test]
fn ids_are_distinct_on_every_system() {
    let folder = folder("ids");
    for pair in [["Psalm", "psalm"], ["\u{e9}", "e\u{301}"], ["STRASSE", "straße"]] {
        let ids = Some(["x", pair[0], pair[1]].map(String::from).into());
        let error = write(&Site { ids, ..site(&folder) }).unwrap_err();
        assert!(matches!(error, Error::BadId { item: 2, .. }), "{error}");
        assert!(error.to_string().contains("item 1"), "{error}");
    }
    for bad in ["COM¹", "lpt²", "CONIN$", "conout$.x", "nul .a"] {
        let ids = Some(["x", bad, "y"].map(String::from).into());
        let error = write(&Site { ids, ..site(&folder) }).unwrap_err();
        assert!(matches!(error, Error::BadId { item: 1, .. }), "{error}");
    }
    assert_eq!(names(&folder), [""; 0]);
    fs::remove_dir_all(folder).unwrap();
}

/// What it is called, and how it is made at a path; the other path is that of a file elsewhere.
type Foreign = (&'static str, fn(&Path, &Path));

/// What is no file of a site stays as it is, and the run ends before any work.
#[test]
fn nothing_is_replaced_that_is_not_ours() {
    let folder = folder("foreign");
    let (outside, good) = (folder.join("outside"), site(&folder));
    let make: [Foreign; 8] = [
        ("a text", |path, _| fs::write(path, "my notes").unwrap()),
        ("other JSON", |path, _| fs::write(path, "{\"id\":\"b\",\"text\":\"...\"}\n").unwrap()),
        ("a page of another item", |path, _| {
            fs::write(path, "{\"id\":\"c\",\"similar\":[]}\n").unwrap();
        }),
        ("a folder", |path, _| fs::create_dir(path).unwrap()),
        ("a link", |path, outside| symlink(outside, path).unwrap()),
        ("a link to nothing", |path, outside| symlink(outside.join("no"), path).unwrap()),
        ("a link to a device", |path, _| symlink("/dev/full", path).unwrap()),
        ("a FIFO", |path, _| fifo(path)),
    ];
    let places = ["pages/b.json", "pages/b.json.partial", "rankings.json", "rankings.json.partial"];
    for place in places {
        for (what, make) in make {
            let path = folder.join(place);
            fs::create_dir_all(folder.join("pages")).unwrap();
            fs::write(&outside, "outside").unwrap();
            make(&path, &outside);
            let before = fs::symlink_metadata(&path).unwrap();
            let error = write(&good).expect_err(&format!("{what} at {place}"));
            let refused = matches!(error, Error::NotReplaced { .. } | Error::File { .. });
            assert!(refused, "{what} at {place}: {error}");
            let after = fs::symlink_metadata(&path).unwrap();
            assert_eq!((before.ino(), before.mtime()), (after.ino(), after.mtime()), "{what}");
            assert_eq!(before.len(), after.len(), "{what} at {place}");
            assert_eq!(fs::read(&outside).unwrap(), b"outside", "{what} at {place}");
            assert!(!outside.join("no").exists());
            let pages = names(&folder.join("pages"));
            assert!(pages.len() <= 1, "{what} at {place}: {pages:?}");
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

/// A link to rankings is followed: the file that it leads to is replaced, the link stays.
#[test]
fn rankings_behind_a_link_are_replaced_there() {
    let folder = folder("link");
    let (real, link) = (folder.join("real"), folder.join("rankings.json"));
    fs::create_dir(&real).unwrap();
    fs::write(real.join("file"), "{\"list\":\"similar\",\"ids\":[").unwrap();
    symlink("real/file", &link).unwrap();
    write(&site(&folder)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(real.join("file")).unwrap().contains("rankings"));
    assert_eq!(names(&real), ["file"]);
    fs::remove_dir_all(folder).unwrap();
}

/// What earlier runs left is replaced: whole, half and empty.
#[test]
fn a_site_replaces_an_earlier_one() {
    let folder = folder("again");
    let (good, pages) = (site(&folder), folder.join("pages"));
    let metadata = Some(["{}", "1", "null"].map(String::from).into());
    write(&Site { metadata, ..good.clone() }).unwrap();
    for name in ["a.json.partial", "b.json.partial", "c.json.partial"] {
        fs::write(pages.join(name), &b"{\"id\":\"b\",\"metadata\":1,\"simi"[..0]).unwrap();
    }
    fs::write(pages.join("b.json.partial"), "{\"id\":\"b\",\"metadata\":1,\"simi").unwrap();
    fs::write(pages.join("c.json"), "").unwrap();
    fs::write(folder.join("rankings.json.partial"), "{\"list\":\"different\",\"ids\":[1").unwrap();
    write(&Site { top: 1, ..good }).unwrap();
    assert_eq!(names(&pages), ["a.json", "b.json", "c.json"]);
    let page = fs::read_to_string(pages.join("c.json")).unwrap();
    assert_eq!(page, "{\"id\":\"c\",\"similar\":[{\"id\":\"a\",\"similarity\":0.500000}]}\n");
    assert_eq!(names(&folder), ["pages", "rankings.json"]);
    fs::remove_dir_all(folder).unwrap();
}

/// Rankings of a list with any name are replaced; of pages those whose list has a name that vkd
/// gives or this run: others could be anybody's.
#[test]
fn a_list_may_get_another_name() {
    let folder = folder("renamed");
    let good = site(&folder);
    let named = |name: &str| Site { list: Some(name.into()), ..good.clone() };
    write(&good).unwrap();
    write(&named("see also")).unwrap();
    write(&named("see also")).unwrap();
    let error = write(&named("neighbors")).unwrap_err();
    assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
    let page = fs::read_to_string(folder.join("pages/a.json")).unwrap();
    assert!(page.starts_with("{\"id\":\"a\",\"see also\":["), "{page}");
    write(&Site { directory: None, ..named("neighbors") }).unwrap();
    let rankings = fs::read_to_string(folder.join("rankings.json")).unwrap();
    assert!(rankings.starts_with("{\"list\":\"neighbors\",\"ids\":["), "{rankings}");
    fs::remove_dir_all(folder).unwrap();
}

/// By whatever name: their own, a link, a hard link, another spelling, half a name.
#[test]
fn rankings_never_replace_the_results_they_come_from() {
    let folder = folder("source");
    let path = folder.join("results");
    let npy = random(20, 4, 5);
    let elements = Elements::F32(&npy.values);
    let input = Input::new(elements, 20, 4);
    let request = NeighborsRequest { input, k: 5, queries: None };
    let options = ContextOptions { device: Some("cpu".into()), ..Default::default() };
    let file = OutputFile { path: path.clone(), overwrite: false, ids: None };
    let context = Context::new(&options).unwrap();
    let job = context.start_neighbors(&request, Destination::File(&file)).unwrap();
    job.into_result().unwrap();
    let before = fs::read(&path).unwrap();
    symlink(&path, folder.join("link")).unwrap();
    fs::hard_link(&path, folder.join("hard")).unwrap();
    fs::hard_link(&path, folder.join("half.partial")).unwrap();
    fs::hard_link(&path, folder.join("7.json")).unwrap();
    let spelled = folder.join("..").join(folder.file_name().unwrap()).join("./results");
    for rankings in [path.clone(), folder.join("link"), folder.join("hard"), spelled]
        .into_iter()
        .chain([folder.join("half")])
    {
        let site = Site { rankings: Some(rankings.clone()), ..Site::default() };
        let error = write_from(Source::open(&path).unwrap(), &site).unwrap_err();
        assert!(matches!(error, Error::NotReplaced { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before, "{}", rankings.display());
    }
    let site = Site { directory: Some(folder.clone()), ..Site::default() };
    write_from(Source::open(&path).unwrap(), &site).unwrap_err();
    assert_eq!(names(&folder), ["7.json", "half.partial", "hard", "link", "results"]);
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::remove_dir_all(folder).unwrap();
}

/// One run at a time; the next one waits a moment for one that is at its end.
#[test]
fn two_runs_never_write_one_folder() {
    let folder = folder("busy");
    let good = site(&folder);
    write(&good).unwrap();
    let other = File::open(folder.join("pages")).unwrap();
    other.lock().unwrap();
    let error = write(&good).unwrap_err();
    assert!(matches!(error, Error::FileBusy { .. }), "{error}");
    let ends = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(other);
    });
    write(&good).unwrap();
    ends.join().unwrap();
    fs::remove_dir_all(folder).unwrap();
}

/// As a user who may not write there: root may.
#[test]
fn a_folder_that_cannot_be_written_is_named_before_any_work() {
    const NOBODY: u32 = 65534;
    let test = "a_folder_that_cannot_be_written_is_named_before_any_work";
    if std::env::var_os("VKD_TEST_CHILD").is_none() {
        return common::alone(test, |command| {
            command.env("VKD_TEST_CHILD", "1");
            // SAFETY: reads a number.
            if unsafe { libc::geteuid() } == 0 {
                command.uid(NOBODY).gid(NOBODY);
            }
        })
        .unwrap_or_else(|printed| panic!("{printed}"));
    }
    let folder = folder("unwritable");
    let (pages, elsewhere) = (folder.join("pages"), folder.join("elsewhere"));
    fs::create_dir(&pages).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    let closed = fs::Permissions::from_mode(0o555);
    fs::set_permissions(&pages, closed.clone()).unwrap();
    let error = start_site_write(in_memory(3, 2), site(&folder)).unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
    assert!(error.to_string().contains("pages"), "{error}");
    fs::set_permissions(&elsewhere, closed).unwrap();
    let rankings = Some(elsewhere.join("rankings"));
    let only = Site { rankings, directory: None, ..site(&folder) };
    let error = start_site_write(in_memory(3, 2), only).unwrap_err();
    assert!(error.to_string().contains("elsewhere"), "{error}");
    for path in [pages, elsewhere] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
}

/// In a process of its own, whose current folder it changes.
#[test]
fn another_current_folder_changes_nothing() {
    if std::env::var_os("VKD_TEST_CHILD").is_none() {
        let test = "another_current_folder_changes_nothing";
        return common::alone(test, |command| {
            command.env("VKD_TEST_CHILD", "1");
        })
        .unwrap_or_else(|printed| panic!("{printed}"));
    }
    let folder = folder("chdir");
    let (here, there) = (folder.join("here"), folder.join("there"));
    fs::create_dir(&here).unwrap();
    fs::create_dir(&there).unwrap();
    std::env::set_current_dir(&here).unwrap();
    let relative = Site {
        directory: Some("pages".into()),
        rankings: Some("rankings".into()),
        ids: None,
        ..site(&folder)
    };
    let job = start_site_write(in_memory(2000, 50), relative).unwrap();
    std::env::set_current_dir(&there).unwrap();
    job.into_result().unwrap();
    assert_eq!(names(&there), [""; 0]);
    assert_eq!(names(&here), ["pages", "rankings"]);
    assert_eq!(names(&here.join("pages")).len(), 2000);
    fs::remove_dir_all(folder).unwrap();
}

/// Limits the address space to what this process has and `more` bytes.
#[cfg(target_os = "linux")]
fn limit_memory(more: u64) {
    let pages: u64 =
        fs::read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
    let limit = libc::rlimit { rlim_cur: pages * 4096 + more, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a valid struct; only this process is limited.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
}

/// At any limit from 1 MB on beside what the process has: the site, or a status.
#[cfg(target_os = "linux")]
#[test]
fn little_memory_is_a_status() {
    if std::env::var_os("VKD_TEST_CHILD").is_none() {
        return common::alone("little_memory_is_a_status", |command| {
            // With arenas for each thread, what is free in one is not in another.
            command.env("VKD_TEST_CHILD", "1").env("MALLOC_ARENA_MAX", "1");
        })
        .unwrap_or_else(|printed| panic!("{printed}"));
    }
    let folder = folder("memory");
    let ids: Vec<String> = (0..60_000).map(|item| format!("{item:0>60}")).collect();
    let items: Vec<u32> = (0..60_000).collect();
    let mut ended = [0; 2];
    for step in 0..50 {
        let results = Source::Sequences {
            num_items: 60_000,
            length: 30_000,
            items: items.clone(),
            rule: Rule::Centroid,
        };
        let pages =
            Site { ids: Some(ids.clone()), threads: Some(2), no_sync: true, ..site(&folder) };
        // SAFETY: gives free memory back to the system.
        unsafe { libc::malloc_trim(0) };
        limit_memory((1 << 20) + step * 1_000_000);
        let pages = Site { rankings: None, ..pages };
        let result = start_site_write(results, pages).and_then(|job| job.into_result());
        limit_memory(1 << 40);
        match result {
            Ok(()) => ended[0] += 1,
            Err(Error::HostMemory { .. } | Error::TooLarge { .. } | Error::NoThread { .. }) => {
                ended[1] += 1;
            }
            Err(error) => panic!("{step}: {error}"),
        }
    }
    assert!(ended.iter().all(|&count| count > 5), "{ended:?}");
    fs::remove_dir_all(folder).unwrap();
}

/// The files say there are 4,294,967,295 items: that is refused, not asked of the system.
#[cfg(target_os = "linux")]
#[test]
fn more_items_than_there_is_memory_for_are_refused() {
    if std::env::var_os("VKD_TEST_CHILD").is_none() {
        let test = "more_items_than_there_is_memory_for_are_refused";
        return common::alone(test, |command| {
            command.env("VKD_TEST_CHILD", "1");
        })
        .unwrap_or_else(|printed| panic!("{printed}"));
    }
    limit_memory(2 << 30);
    let folder = folder("huge");
    let source = Source::Sequences {
        num_items: u32::MAX,
        length: 2,
        items: vec![7, 9],
        rule: Rule::Centroid,
    };
    let error = write_from(source, &Site { ids: None, ..site(&folder) }).unwrap_err();
    let refused = matches!(error, Error::TooLarge { .. } | Error::HostMemory { .. });
    assert!(refused, "{error}");
    assert_eq!(names(&folder), [""; 0]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn results_in_memory_are_whole_rows_of_numbers_that_a_page_can_hold() {
    let folder = folder("rows");
    let (indices, similarities) = (vec![1, 0], vec![0.5, 0.5]);
    for source in [
        Source::Neighbors { k: 0, indices: indices.clone(), similarities: similarities.clone() },
        Source::Neighbors { k: 3, indices: indices.clone(), similarities: similarities.clone() },
        Source::Neighbors { k: 1, indices: indices.clone(), similarities: vec![0.5] },
        Source::Neighbors { k: 1, indices: indices.clone(), similarities: vec![0.5, f32::NAN] },
        Source::Neighbors { k: 1, indices: indices.clone(), similarities: vec![0.5, -2.0] },
        Source::Sequences { num_items: 2, length: 0, items: indices.clone(), rule: Rule::Centroid },
        Source::Sequences { num_items: 2, length: 3, items: indices.clone(), rule: Rule::Centroid },
    ] {
        let error = write_from(source, &Site { ids: None, ..site(&folder) }).unwrap_err();
        assert!(matches!(error, Error::BadOption { option: "results", .. }), "{error}");
    }
    assert_eq!(names(&folder), [""; 0]);
    fs::remove_dir_all(folder).unwrap();
}
