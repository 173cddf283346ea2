//! `vkd completions`: what a shell needs to complete the command.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::show::out::Out;

/// Print completions for a shell
///
/// For bash: vkd completions bash >~/.local/share/bash-completion/completions/vkd
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut crate::Vkd::command(), "vkd", &mut text);
        let mut out = Out::new();
        out.bytes(&text)?;
        out.finish()
    }
}
