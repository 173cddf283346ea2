//! The SPIR-V of shaders/spirv, which a build without a shader compiler takes, is that of the
//! sources; `make spirv` rewrites it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
// Why the code is not compared.
#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Debian packages of which the compiler consists: another release of one makes other code.
const COMPILER: [&str; 3] = ["libshaderc-dev", "glslang-dev", "spirv-tools"];

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders/spirv")
}

fn fresh() -> &'static Path {
    Path::new(env!("OUT_DIR"))
}

/// The SPIR-V files of a folder, by name.
fn code(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|ending| ending == "spv"));
    let read = |path: &Path| std::fs::read(path).unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), read(&path))).collect()
}

/// The compiler of this build, a line for each package; nothing where it is not Debian's.
fn compiler() -> String {
    if cfg!(feature = "shaderc-from-source") || !cfg!(feature = "compile-shaders") {
        return String::new();
    }
    let elsewhere = ["SHADERC_LIB_DIR", "VULKAN_SDK"].map(std::env::var_os);
    let packages = ["-W", "-f", "${Package} ${Version}\n"];
    let query = Command::new("dpkg-query").args(packages).args(COMPILER).output();
    match query {
        Ok(output) if output.status.success() && elsewhere.iter().all(Option::is_none) => {
            let text = String::from_utf8(output.stdout).unwrap();
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            lines.join("\n") + "\n"
        }
        _ => String::new(),
    }
}

/// Takes the fresh code over. Files that are right stay untouched: cargo would build anew.
fn bless(made_of: &str) {
    let compiled = cfg!(feature = "compile-shaders");
    assert!(compiled, "only the feature compile-shaders makes new code");
    std::fs::create_dir_all(committed()).unwrap();
    let (old, new) = (code(&committed()), code(fresh()));
    for (name, bytes) in new.iter().filter(|(name, bytes)| old.get(*name) != Some(*bytes)) {
        std::fs::write(committed().join(name), bytes).unwrap();
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        std::fs::remove_file(committed().join(name)).unwrap();
    }
    std::fs::write(committed().join("made-of.txt"), made_of).unwrap();
}

#[test]
fn committed_spirv_is_up_to_date() {
    let hash = std::fs::read_to_string(fresh().join("sources.txt")).unwrap();
    let made_of = format!("sources {hash}{}", compiler());
    if std::env::var_os("VKD_BLESS").is_some() {
        bless(&made_of);
    }
    let committed_of = std::fs::read_to_string(committed().join("made-of.txt")).unwrap();
    let (sources, compiled_by) = committed_of.split_once('\n').unwrap();
    assert_eq!(
        sources,
        format!("sources {}", hash.trim()),
        "shaders/spirv is of other sources: run `make spirv`, on Debian 12 if you can"
    );
    let (old, new) = (code(&committed()), code(fresh()));
    assert!(old.keys().eq(new.keys()), "shaders/spirv has other files: run `make spirv`");
    let compiler = compiler();
    if compiler.is_empty() || compiled_by != compiler {
        eprintln!(
            "not compared byte by byte, for other compilers make other code. shaders/spirv is by\n\
             {compiled_by}and this build by\n{compiler}"
        );
        return;
    }
    for (name, bytes) in &new {
        assert!(
            &old[name] == bytes,
            "shaders/spirv/{name} is not what it compiles to: `make spirv`"
        );
    }
}
