//! Where the crate shaderc will find its library, and how a build without one ends.
//!
//! The crate builds shaderc from source where it finds none, silently and for a quarter of an hour;
//! here that is an error unless the feature `from-source` asks for it. This crate's own build
//! script looks first of all: the crate that links the library build-depends on this one, so that
//! more units wait for it than for shaderc's build, and cargo begins with what most wait for.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variables that say where to look. Others, such as PATH, would have all built anew with them.
pub const VARIABLES: [&str; 2] = ["SHADERC_LIB_DIR", "VULKAN_SDK"];

/// libshaderc as the crate shaderc will find it.
pub struct Library {
    pub folder: PathBuf,
    pub file: PathBuf,
    /// For `-l`: KIND=NAME.
    pub link: &'static str,
}

/// The files of libshaderc, the first that exists is taken, and how each is linked.
const FILES: [(&str, &str); 3] = if cfg!(windows) {
    [
        ("shaderc_combined.lib", "static=shaderc_combined"),
        ("shaderc.dll", "dylib=shaderc"),
        ("shaderc_shared.dll", "dylib=shaderc_shared"),
    ]
} else if cfg!(target_os = "macos") {
    [
        ("libshaderc_combined.a", "static=shaderc_combined"),
        ("libshaderc.dylib", "dylib=shaderc"),
        ("libshaderc_shared.dylib", "dylib=shaderc_shared"),
    ]
} else {
    [
        ("libshaderc_combined.a", "static=shaderc_combined"),
        ("libshaderc.so", "dylib=shaderc"),
        ("libshaderc_shared.so", "dylib=shaderc_shared"),
    ]
};

/// The library, or why there is none.
pub fn library() -> Result<Library, String> {
    let Some(folder) = folder() else {
        return Err("no folder of the system is known to hold libshaderc".into());
    };
    let files = FILES.into_iter().map(|(name, link)| (folder.join(name), link));
    match files.into_iter().find(|(file, _)| file.exists()) {
        Some((file, link)) => Ok(Library { folder, file, link }),
        None => Err(format!("libshaderc is not in {}", folder.display())),
    }
}

/// The folder where the crate shaderc looks: what is asked for, or one of the system.
fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("SHADERC_LIB_DIR") {
        return Some(folder.into());
    }
    if let Some(folder) = env::var_os("VULKAN_SDK") {
        return Some(Path::new(&folder).join("lib"));
    }
    let pkg_config = Command::new("pkg-config").args(["--variable=libdir", "shaderc"]).output();
    if let Ok(output) = pkg_config {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !folder.is_empty() {
            return Some(folder.into());
        }
    }
    let debian = match env::consts::ARCH {
        "x86" => "/usr/lib/i386-linux-gnu".into(),
        architecture => format!("/usr/lib/{architecture}-linux-gnu"),
    };
    let folders: &[&str] = match env::consts::OS {
        "macos" => &["/usr/local/lib"],
        "linux" => &[&debian, "/usr/lib64", "/usr/lib"],
        _ => &[],
    };
    folders.iter().map(PathBuf::from).find(|folder| folder.is_dir())
}

/// What shaderc's own build needs and is not here.
pub fn missing_tools() -> Vec<&'static str> {
    let there = |name: &str| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).any(|folder| {
            folder.join(name).is_file() || folder.join(format!("{name}.exe")).is_file()
        })
    };
    let compiler = cfg!(target_env = "msvc") || env::var_os("CXX").is_some() || there("c++");
    let needed = [
        ("cmake", there("cmake")),
        ("git", there("git")),
        ("python3", there("python3") || there("python")),
        ("ninja", !cfg!(target_env = "msvc") || there("ninja")),
        ("a C++ compiler", compiler),
    ];
    needed.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
}

/// Ends the build with what is wrong and the two ways out.
pub fn stop(why: &str) {
    println!("cargo::error=vkd compiles its shaders while it is built, but {why}.");
    println!(
        "cargo::error=Either install the compiler: `.ci/setup run` in vkd's folder, or on Debian \
         and Ubuntu `apt-get install g++ libshaderc-dev`; elsewhere \
         `--features shaderc-from-source` builds it, in some 15 minutes."
    );
    println!(
        "cargo::error=Or take the compiled shaders that come with vkd: \
         `cargo build --no-default-features`, `make CARGOFLAGS=--no-default-features`, or in the \
         Cargo.toml of what uses vkd `default-features = false`."
    );
}
