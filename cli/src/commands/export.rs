//! `vkd export`: results in the shapes that older programs read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vkd::context::start_export;
use vkd::export::{self, Source};
use vkd::store::OutputFile;
use vkd::{Error, IdSlice};

use crate::failure::Failure;
use crate::interrupt;
use crate::show::Show;

/// Write results in the shape of an older program
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Results that `vkd order` or `vkd neighbors` wrote
    results: PathBuf,

    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Shape of the file [default: diversity_cache of sequences, rankings of neighbours]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// What stands for an item: its number from 0, or its id
    #[arg(long, value_name = "KEYS", default_value = "index")]
    keys: Keys,

    /// Entries of each row at the most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,

    /// Of a diversity cache: the name of the model that made the embeddings
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// Replace a file of the same format
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Format {
    DiversityCache,
    Rankings,
    SequencesBin,
}

impl From<Format> for export::ExportFormat {
    fn from(format: Format) -> export::ExportFormat {
        match format {
            Format::DiversityCache => export::ExportFormat::DiversityCache,
            Format::Rankings => export::ExportFormat::Rankings,
            Format::SequencesBin => export::ExportFormat::SequencesBin,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Keys {
    Index,
    Id,
}

impl Export {
    pub(crate) fn run(&self, show: &Show) -> Result<(), Failure> {
        let source = Source::open(&self.results)?;
        let format = self.format.map(export::ExportFormat::from);
        let (path, overwrite) = (self.output.clone(), self.overwrite);
        let export = export::Export {
            file: OutputFile { path, overwrite, ids: None },
            format: format.unwrap_or_else(|| export::ExportFormat::usual(&source)),
            keys: self.keys(&source)?,
            top: self.top.unwrap_or(0),
            model: self.model.clone(),
        };
        let name = self.output.display();
        interrupt::leaves(format!("{name} is as it was before"));
        show.wait(start_export(source, export)?)?;
        show.note(&format!("{name} is written"));
        Ok(())
    }

    fn keys(&self, source: &Source) -> Result<export::ExportKeys, Failure> {
        let Keys::Id = self.keys else { return Ok(export::ExportKeys::Items) };
        let no_ids = || Error::NoIds { path: self.results.display().to_string() };
        let ids = ids_of(source).ok_or_else(no_ids)?;
        Ok(export::ExportKeys::Ids(ids.iter().map(String::from).collect()))
    }
}

/// The ids of results in a file.
fn ids_of(source: &Source) -> Option<IdSlice<'_>> {
    match source {
        Source::SequencesFile(file) => file.ids(),
        Source::NeighborsFile(file) => file.ids(),
        Source::Sequences { .. } | Source::Neighbors { .. } => None,
    }
}
