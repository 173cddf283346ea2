//! A machine in a folder, for tests: the GPUs and drivers that this one has not.

use std::path::PathBuf;

use super::system::System;

pub(crate) struct Imitation(PathBuf);

impl Imitation {
    /// `name` is of one test alone.
    pub(crate) fn new(name: &str) -> Imitation {
        let folder = format!("vkd-doctor-{}-{name}", std::process::id());
        Imitation(std::env::temp_dir().join(folder))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn system(&self, variables: &[(&str, &str)]) -> System {
        System::at(&self.0, variables)
    }
}

impl Drop for Imitation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
