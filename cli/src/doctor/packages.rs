//! Which package of Debian and Ubuntu has a library, and how to get at NVIDIA's.

/// Begins of libraries' names, and the package to install.
const PACKAGES: [(&str, &str); 18] = [
    ("libvulkan_lvp", "mesa-vulkan-drivers"),
    ("libvulkan_radeon", "mesa-vulkan-drivers"),
    ("libvulkan_intel", "mesa-vulkan-drivers"),
    ("libvulkan_", "mesa-vulkan-drivers"),
    ("libLLVM", "mesa-vulkan-drivers (with its libllvm)"),
    ("libvulkan.so", "libvulkan1"),
    ("libEGL.so", "libegl1"),
    ("libGLX.so", "libglx0"),
    ("libGLdispatch.so", "libglvnd0"),
    ("libOpenGL.so", "libopengl0"),
    ("libdrm.so", "libdrm2"),
    ("libdrm_amdgpu", "libdrm-amdgpu1"),
    ("libX11-xcb", "libx11-xcb1"),
    ("libX11.so", "libx11-6"),
    ("libXext.so", "libxext6"),
    ("libxcb-dri3", "libxcb-dri3-0"),
    ("libwayland-client", "libwayland-client0"),
    ("libxshmfence", "libxshmfence1"),
];

/// What to do where a library is missing.
pub(crate) fn install(library: &str, is_container: bool) -> String {
    let name = library.rsplit('/').next().unwrap_or(library);
    if is_nvidia(name) {
        return nvidia(is_container);
    }
    match PACKAGES.iter().find(|(begin, _)| name.starts_with(begin)) {
        Some((_, package)) => format!("install it: apt install {package}"),
        None => format!(
            "install the package that has {name} (apt-file search {name}), or remove \
                         the driver's JSON file"
        ),
    }
}

pub(crate) fn is_nvidia(library: &str) -> bool {
    library.to_lowercase().contains("nvidia")
}

/// How to get NVIDIA's driver for Vulkan beside the one for CUDA.
pub(crate) fn nvidia(is_container: bool) -> String {
    match is_container {
        true => "start the container with NVIDIA_DRIVER_CAPABILITIES=all (or graphics), and \
                 install libvulkan1 and libegl1 in it"
            .into(),
        false => {
            "install NVIDIA's graphics libraries of the driver's version (Debian: apt install \
                  libvulkan1 nvidia-vulkan-icd libegl1, Ubuntu: \
                  libvulkan1 libnvidia-gl-VERSION libegl1); in a \
                  container, start it with NVIDIA_DRIVER_CAPABILITIES=all"
                .into()
        }
    }
}

/// What the dynamic linker says of a library that cannot be opened, in the loader's messages: the
/// name of what is missing, and the whole sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkerError {
    pub(crate) missing: Option<String>,
    pub(crate) text: String,
}

/// The sentences of the dynamic linker (glibc's and musl's).
const LINKER: [&str; 5] = [
    "cannot open shared object file",
    "undefined symbol",
    "not found (required by",
    "Error loading shared library",
    "wrong ELF class",
];

/// Finds it among what the loader said.
pub(crate) fn linker_error(said: &str) -> Option<LinkerError> {
    let line = said.lines().find(|line| LINKER.iter().any(|part| line.contains(part)))?;
    // "ERROR: " or "[Vulkan Loader] ERROR:  " of the loader's, and the blanks behind it.
    let text = line.rsplit_once("ERROR:").map_or(line, |(_, text)| text);
    let text = text.rsplit_once("WARNING:").map_or(text, |(_, text)| text).trim();
    let missing = text.split_once(": cannot open shared object file").map(|(name, _)| name);
    let musl = || text.split_once("Error loading shared library ")?.1.split(':').next();
    let missing = missing.or_else(musl).map(|name| name.trim().to_owned());
    Some(LinkerError { missing, text: text.into() })
}

/// Whether the error is of a driver for programs of another kind of processor or size: right where
/// both kinds are installed.
pub(crate) fn is_other_architecture(said: &str) -> bool {
    said.contains("wrong ELF class") || said.contains("Exec format error")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_missing_library_is_found_in_the_loaders_words() {
        let cases = [
            (
                "ERROR:            /usr/lib/x.so: cannot open shared object file: No such file or \
                 directory\n",
                "/usr/lib/x.so",
            ),
            (
                "[Vulkan Loader] ERROR:        libLLVM-15.so.1: cannot open shared object file: \
                 No such file or directory",
                "libLLVM-15.so.1",
            ),
            (
                "ERROR: Error loading shared library libX11.so.6: No such file or directory \
                 (needed by /usr/lib/libvulkan_radeon.so)",
                "libX11.so.6",
            ),
        ];
        for (said, missing) in cases {
            let found = linker_error(said).unwrap();
            assert_eq!(found.missing.as_deref(), Some(missing));
            assert!(!found.text.contains("Loader"), "{}", found.text);
        }
        let symbol = "ERROR: /usr/lib/a.so: undefined symbol: drmFoo";
        assert_eq!(linker_error(symbol).unwrap().missing, None);
        assert_eq!(linker_error("WARNING: something else"), None);
    }

    #[test]
    fn libraries_have_packages() {
        assert!(install("/usr/lib/libvulkan_lvp.so", false).ends_with("mesa-vulkan-drivers"));
        assert!(install("libEGL.so.1", false).ends_with("apt install libegl1"));
        assert!(install("libGLX_nvidia.so.0", true).contains("NVIDIA_DRIVER_CAPABILITIES=all"));
        assert!(install("libnothing.so", false).contains("apt-file search libnothing.so"));
    }
}
