//! The committed C headers and LuaJIT cdef are what the sources generate, and complete.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::ffi::CStr;
use std::path::Path;

use common::programs::program;

fn committed(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn header_and_cdef_are_up_to_date() {
    let files = ["include/vkd.h", "include/vkd_compat.h", "lua/vkd/cdef.lua"];
    for name in files {
        let fresh = Path::new(name).file_name().unwrap();
        let fresh = std::fs::read_to_string(Path::new(env!("OUT_DIR")).join(fresh)).unwrap();
        if std::env::var_os("VKD_BLESS").is_some() {
            std::fs::write(committed(name), &fresh).unwrap();
        }
        let stale = std::fs::read_to_string(committed(name)).unwrap() != fresh;
        assert!(!stale, "{name} is not what the sources generate: run `make header`");
    }
}

fn status_name(status: i32) -> &'static str {
    // SAFETY: the text is static and ends with a NUL.
    unsafe { CStr::from_ptr(vkd::ffi::vkd_status_name(status)) }.to_str().unwrap()
}

#[test]
fn every_status_of_the_header_has_the_name_the_library_gives_it() {
    let header = std::fs::read_to_string(committed("include/vkd.h")).unwrap();
    let body = header.split("typedef enum vkd_status {").nth(1).unwrap();
    let body = body.split("} vkd_status;").next().unwrap();
    let mut count = 0;
    for line in body.lines().filter(|line| line.trim_start().starts_with("VKD_")) {
        let (name, number) = line.trim().trim_end_matches(',').split_once(" = ").unwrap();
        assert_eq!(status_name(number.parse().unwrap()), name);
        count += 1;
    }
    let named = (-1000..=1).filter(|&n| !status_name(n).starts_with("VKD_STATUS_")).count();
    assert_eq!(count, named);
}

#[test]
fn every_declaration_of_the_header_is_documented() {
    let read = |name| std::fs::read_to_string(committed(name)).unwrap();
    let headers = ["include/vkd.h", "include/vkd_compat.h"].map(read);
    let mut previous = "";
    for line in headers.iter().flat_map(|header| header.lines()) {
        let begins = ["typedef ", "  VKD_"];
        let types = ["int32_t ", "uint32_t ", "uint64_t ", "float ", "void ", "const char *"];
        let types = types.iter().copied().chain(["struct vkc_"]);
        let function = types.into_iter().any(|of| line.starts_with(of));
        let member = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(';');
        if member || function || begins.iter().any(|begin| line.starts_with(begin)) {
            assert!(previous.trim_end().ends_with("*/"), "undocumented: {line}");
        }
        previous = line;
    }
}

/// Existing modules declare the older names themselves, and may share a Lua state with vkd.
#[test]
fn the_older_names_stand_in_their_own_header_only() {
    let read = |name: &str| std::fs::read_to_string(committed(name)).unwrap();
    let compat = read("include/vkd_compat.h");
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.map(str::to_owned).collect()
    };
    let functions: Vec<&str> = compat
        .lines()
        .filter(|line| !line.starts_with([' ', '*', '/', '#']))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(functions.len(), 25, "{functions:?}");
    for name in ["include/vkd.h", "lua/vkd/cdef.lua"] {
        let words = words(&read(name));
        for function in &functions {
            assert!(!words.iter().any(|word| word == function), "{function} stands in {name}");
        }
        assert!(!words.iter().any(|word| word.starts_with("vkc") || word.starts_with("vks")));
    }
}

#[test]
fn luajit_reads_the_cdef() {
    let script =
        "require('ffi').cdef(dofile(arg[1])); print(require('ffi').sizeof('vkd_device_info'))";
    let file = std::env::temp_dir().join(format!("vkd-cdef-{}.lua", std::process::id()));
    std::fs::write(&file, script).unwrap();
    let output = program("luajit").arg(&file).arg(committed("lua/vkd/cdef.lua")).output();
    std::fs::remove_file(&file).unwrap();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let size = size_of::<vkd::ffi::vkd_device_info>().to_string();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), size);
}
