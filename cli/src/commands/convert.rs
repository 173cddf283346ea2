//! `vkd convert`: embeddings in a format that is mapped at once the next time.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vkd::embeddings::SaveAs;
use vkd::store::OutputFile;
use vkd::Embeddings;

use crate::arguments::corpus::Corpus;
use crate::failure::Failure;
use crate::interrupt;
use crate::show::out::{self, Out};
use crate::show::Show;

/// Convert embeddings to npy (values) or safetensors (values and ids), which are read at once
#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// File to write, of the format that its name ends with; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Format to write [default: what the name of FILE ends with]
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,

    /// Replace a safetensors file of embeddings that vkd wrote
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    corpus: Corpus,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Npy,
    Safetensors,
}

impl From<Format> for SaveAs {
    fn from(format: Format) -> SaveAs {
        match format {
            Format::Npy => SaveAs::Npy,
            Format::Safetensors => SaveAs::Safetensors,
        }
    }
}

impl Convert {
    pub(crate) fn run(&self, show: &Show) -> Result<(), Failure> {
        let format = self.format()?;
        let embeddings = self.corpus.open()?;
        if self.output == Path::new("-") {
            return print(&embeddings, format);
        }
        let name = self.output.display();
        interrupt::leaves(format!("{name} is as it was before"));
        let (path, overwrite) = (self.output.clone(), self.overwrite);
        embeddings.write(&OutputFile { path, overwrite, ids: None }, format)?;
        let vkd::Shape { num_items, dim } = embeddings.shape();
        show.note(&format!("{name} is written: {num_items} items of {dim} dimensions"));
        Ok(())
    }

    fn format(&self) -> Result<SaveAs, Failure> {
        let ending = self.output.extension().and_then(|ending| ending.to_str());
        let named = ending.and_then(|ending| Format::from_str(ending, true).ok());
        self.to.or(named).map(SaveAs::from).ok_or_else(|| {
            let name = self.output.display();
            let text = "ends with neither .npy nor .safetensors; say --to npy or --to safetensors";
            Failure::Usage(format!("-o {name} {text}"))
        })
    }
}

fn print(embeddings: &Embeddings, format: SaveAs) -> Result<(), Failure> {
    let mut out = Out::new();
    embeddings.write_to(&mut out, format).map_err(out::failed)?;
    out.finish()
}
