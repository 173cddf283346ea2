//! `vkd man`: man pages, for those who package the command.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::failure::Failure;

/// Write man pages into a folder: vkd.1, and one for each subcommand
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Man {
    /// The folder, which is there
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        clap_mangen::generate_to(crate::Vkd::command(), &self.folder).map_err(|error| {
            let folder = self.folder.display();
            Failure::Failed(format!(
                "cannot write man pages into {folder}: {error}; name a folder that is there"
            ))
        })
    }
}
