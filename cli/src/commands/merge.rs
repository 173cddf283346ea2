//! `vkd merge`: the parts of a run that was split over several machines, as one file.

use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use vkd::context::{start_merge, RandomRows};
use vkd::store::{OutputFile, SequencesFile};

use crate::arguments::corpus::Reading;
use crate::arguments::run::Device;
use crate::failure::Failure;
use crate::interrupt;
use crate::show::Show;

/// Make one file of the parts that `vkd order --shard I/N` wrote, in any order
///
/// It has the bytes that one machine would have written.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// All parts of a run
    #[arg(required = true)]
    parts: Vec<PathBuf>,

    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Replace results that are in the file
    #[arg(long)]
    overwrite: bool,

    /// Compute so many rows anew, chosen at random, and compare their bits
    #[arg(long, value_name = "ROWS", requires = "corpus",
          value_parser = clap::value_parser!(u32).range(1..))]
    check: Option<u32>,

    /// The embeddings, to check them and the rows against
    #[arg(long, value_name = "CORPUS")]
    corpus: Option<PathBuf>,

    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    device: Device,
}

impl Merge {
    pub(crate) fn run(&self, show: &Show) -> Result<(), Failure> {
        let name = self.output.display();
        interrupt::leaves(format!("the same command goes on with {name}"));
        let (path, overwrite) = (self.output.clone(), self.overwrite);
        let target = OutputFile { path, overwrite, ids: None };
        show.wait(start_merge(&self.parts, &target)?)?;
        show.note(&format!("{name} is written: {} parts", self.parts.len()));
        match &self.corpus {
            Some(corpus) => self.check(corpus, show),
            None => Ok(()),
        }
    }

    /// Whether the whole is of these embeddings, and some of its rows what is computed here.
    fn check(&self, corpus: &Path, show: &Show) -> Result<(), Failure> {
        let embeddings = self.reading.open(corpus)?;
        let file = Arc::new(SequencesFile::open(&self.output)?);
        let ids = embeddings.ids().map(|ids| ids.as_slice());
        file.check(embeddings.elements(), embeddings.shape(), ids)?;
        let Some(count) = self.check else { return Ok(()) };
        let rows = RandomRows { count, seed: any_number() };
        let context = self.device.open(show)?;
        let same = show.wait(context.start_recheck(&file, &embeddings.input(), rows)?)?;
        show.note(&format!("{same} rows are computed anew and have the same bits"));
        Ok(())
    }
}

/// A number that is another each time.
fn any_number() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 ^ u64::from(process::id()) << 32
}
