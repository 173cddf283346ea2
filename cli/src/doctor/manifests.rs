//! The drivers' JSON files ("ICD manifests"): where the loader looks for them, and the library that
//! each names.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::system::System;

/// Variables that replace the standard folders; the first that is set counts.
const CHOSEN: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
/// The folder below each of the standard ones.
const BELOW: &str = "vulkan/icd.d";

/// Where drivers were looked for.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    /// The variable that names them; `None`: they are in the standard folders.
    pub(crate) variable: Option<&'static str>,
    pub(crate) files: Vec<PathBuf>,
    /// Named by the variable, but not there.
    pub(crate) missing: Vec<PathBuf>,
}

impl Manifests {
    pub(crate) fn find(system: &System) -> Manifests {
        let variable = CHOSEN.into_iter().find(|name| system.variable(name).is_some());
        let mut found = Manifests { variable, ..Manifests::default() };
        let named = match variable {
            Some(variable) => system.paths(variable),
            None => {
                let added = system.paths("VK_ADD_DRIVER_FILES");
                added.into_iter().chain(folders(system)).collect()
            }
        };
        for path in named {
            if system.path(&path).is_dir() {
                found.files.extend(in_folder(system, &path));
            } else if system.exists(&path) {
                found.files.push(path);
            } else if variable.is_some() {
                found.missing.push(path);
            }
        }
        let mut seen = Vec::new();
        found.files.retain(|file| {
            !seen.contains(file) && {
                seen.push(file.clone());
                true
            }
        });
        found
    }
}

/// The standard folders, in the loader's order.
fn folders(system: &System) -> Vec<PathBuf> {
    let home = |below: &str| {
        let home = system.variable("HOME").map(PathBuf::from);
        home.map(|home| home.join(below)).into_iter().collect::<Vec<PathBuf>>()
    };
    let or = |name: &str, usual: Vec<PathBuf>| match system.paths(name) {
        paths if paths.is_empty() => usual,
        paths => paths,
    };
    let mut folders = or("XDG_CONFIG_HOME", home(".config"));
    folders.extend(or("XDG_CONFIG_DIRS", vec!["/etc/xdg".into()]));
    folders.extend(["/usr/local/etc", "/etc"].map(PathBuf::from));
    folders.extend(or("XDG_DATA_HOME", home(".local/share")));
    let shared = ["/usr/local/share", "/usr/share"].map(PathBuf::from);
    folders.extend(or("XDG_DATA_DIRS", shared.into()));
    folders.into_iter().map(|folder| folder.join(BELOW)).collect()
}

fn in_folder(system: &System, folder: &Path) -> Vec<PathBuf> {
    let names = system.list(folder).into_iter().filter(|name| name.ends_with(".json"));
    names.map(|name| folder.join(name)).collect()
}

/// The library that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Library {
    /// As it stands there.
    pub(crate) name: String,
    /// Whether the file is there; `None` where the system's search path must tell.
    pub(crate) exists: Option<bool>,
}

/// Reads a manifest, or tells what is wrong with it.
pub(crate) fn library(system: &System, manifest: &Path) -> Result<Library, String> {
    let text = std::fs::read_to_string(system.path(manifest)).map_err(|error| error.to_string())?;
    let json: Value = serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
    let name = json["ICD"]["library_path"].as_str();
    let name = name.ok_or("it names no library (ICD.library_path)")?;
    let exists = name.contains('/').then(|| match name.starts_with('/') {
        true => system.exists(name),
        // From the manifest's folder on.
        false => manifest.parent().is_some_and(|folder| system.exists(folder.join(name))),
    });
    Ok(Library { name: name.into(), exists })
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::doctor::imitation::Imitation;

    #[test]
    fn the_standard_folders_are_searched_in_the_loaders_order() {
        let machine = Imitation::new("folders");
        for folder in ["usr/share", "etc", "home/a/.config", "opt/x"] {
            machine.write(&format!("{folder}/vulkan/icd.d/one.json"), "{}");
        }
        machine.write("usr/share/vulkan/icd.d/readme.txt", "");
        let find = |variables: &[(&str, &str)]| {
            let files = Manifests::find(&machine.system(variables)).files;
            files.iter().map(|file| file.to_str().unwrap().to_owned()).collect::<Vec<String>>()
        };
        let folders = |folders: &[&str]| {
            let file = |folder: &&str| format!("{folder}/vulkan/icd.d/one.json");
            folders.iter().map(file).collect::<Vec<String>>()
        };
        assert_eq!(find(&[]), folders(&["/etc", "/usr/share"]));
        let home = find(&[("HOME", "/home/a"), ("XDG_DATA_DIRS", "/opt/x:/usr/share:/opt/x")]);
        assert_eq!(home, folders(&["/home/a/.config", "/etc", "/opt/x", "/usr/share"]));
    }

    #[test]
    fn a_variable_replaces_the_folders_and_may_name_what_is_not_there() {
        let machine = Imitation::new("variable");
        machine.write("usr/share/vulkan/icd.d/usual.json", "{}");
        machine.write("opt/own.json", "{}");
        machine.write("opt/more/a.json", "{}");
        let names = "/opt/own.json:/opt/none.json:/opt/more";
        let found = Manifests::find(&machine.system(&[("VK_ICD_FILENAMES", names)]));
        assert_eq!(found.variable, Some("VK_ICD_FILENAMES"));
        assert_eq!(found.files, ["/opt/own.json", "/opt/more/a.json"].map(PathBuf::from));
        assert_eq!(found.missing, [PathBuf::from("/opt/none.json")]);
    }

    #[test]
    fn the_library_is_where_the_manifest_says() {
        let machine = Imitation::new("library");
        machine.write("usr/lib/driver.so", "");
        machine.write("opt/near.so", "");
        let of = |text: &str| {
            machine.write("opt/one.json", text);
            library(&machine.system(&[]), Path::new("/opt/one.json"))
        };
        let named = |name: &str| of(&format!("{{\"ICD\": {{\"library_path\": \"{name}\"}}}}"));
        let cases = [
            ("/usr/lib/driver.so", Some(true)),
            ("/usr/lib/none.so", Some(false)),
            ("./near.so", Some(true)),
            ("../far.so", Some(false)),
            ("libGLX_nvidia.so.0", None),
        ];
        for (name, exists) in cases {
            assert_eq!(named(name).unwrap(), Library { name: name.into(), exists });
        }
        assert!(of("{}").unwrap_err().contains("library_path"));
        assert!(of("").unwrap_err().starts_with("no JSON"));
    }
}
