//! Where results go: into a file, or row by row to standard output.

use std::path::{Path, PathBuf};

use clap::Args;
use vkd::store::OutputFile;
use vkd::Embeddings;

use crate::failure::Failure;

/// Numbers that are printed without being asked for by -o or by items that are named.
const MOST_PRINTED: u64 = 4096;

/// Where rows go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Write a results file; the same command resumes it. - prints all rows [default: print them]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Replace results that are in the file
    #[arg(long)]
    overwrite: bool,

    /// Print one JSON object for each row; with -o FILE one that says what was written
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where rows go, and what may stay unsaid.
#[derive(Debug, PartialEq)]
pub(crate) enum Target {
    /// To standard output: as many as there are, or only so many that they do no harm.
    Print {
        is_asked_for: bool,
    },
    File(OutputFile),
}

impl Output {
    pub(crate) fn target(&self, embeddings: &Embeddings) -> Target {
        match &self.output {
            None => Target::Print { is_asked_for: false },
            Some(path) if path == Path::new("-") => Target::Print { is_asked_for: true },
            Some(path) => {
                let (path, ids) = (path.clone(), embeddings.ids().cloned());
                Target::File(OutputFile { path, overwrite: self.overwrite, ids })
            }
        }
    }
}

/// Refuses to flood a terminal with `rows` rows of `length` items.
pub(crate) fn require_few(rows: u32, length: u32, instead: &str) -> Result<(), Failure> {
    let numbers = u64::from(rows) * u64::from(length);
    match numbers <= MOST_PRINTED {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "these are {rows} rows of {length} items, more than {MOST_PRINTED} to print; {instead}"
        ))),
    }
}
