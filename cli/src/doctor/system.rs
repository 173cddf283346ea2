//! The machine as doctor looks at it: its files and the environment. Tests have one in a folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Tells a variable's value.
type Variable = dyn Fn(&str) -> Option<OsString>;

/// Files below a root, and variables.
pub(crate) struct System {
    root: PathBuf,
    variable: Box<Variable>,
}

impl System {
    /// This machine.
    pub(crate) fn here() -> System {
        System { root: "/".into(), variable: Box::new(|name| std::env::var_os(name)) }
    }

    /// A machine in a folder, with these variables.
    #[cfg(test)]
    pub(crate) fn at(root: &Path, variables: &[(&str, &str)]) -> System {
        let variables: Vec<(String, OsString)> =
            variables.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let variable = move |name: &str| {
            let found = variables.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| value.clone())
        };
        System { root: root.into(), variable: Box::new(variable) }
    }

    /// Where a file of the machine lies.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// A text; `None` where it cannot be read.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        std::fs::read_to_string(self.path(path)).ok()
    }

    /// The names in a folder, in order.
    pub(crate) fn list(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// A variable that says something.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The paths in a variable, which colons part.
    pub(crate) fn paths(&self, name: &str) -> Vec<PathBuf> {
        let value = self.variable(name).unwrap_or_default();
        std::env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect()
    }

    /// Whether it seems to be a container.
    pub(crate) fn is_container(&self) -> bool {
        let marks = ["/.dockerenv", "/run/.containerenv"];
        marks.iter().any(|mark| self.exists(mark))
            || self.variable("container").is_some()
            || self.variable("KUBERNETES_SERVICE_HOST").is_some()
    }

    /// The name of a group; `None` where the machine knows none of this number.
    pub(crate) fn group(&self, number: u32) -> Option<String> {
        let groups = self.read("/etc/group")?;
        groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let found: u32 = fields.nth(1)?.parse().ok()?;
            (found == number).then(|| name.to_owned())
        })
    }
}
